//! Reads arbitrary bytes as the records of an index, and as the end of a file that may have one.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| uadk_compress_archive::fuzzing::index(bytes));
