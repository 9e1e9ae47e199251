//! Reads and seeks in arbitrary bytes as block gzip.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| uadk_compress_archive::fuzzing::gzip(bytes));
