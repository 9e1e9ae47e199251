//! Verifies, lists, opens and walks through arbitrary bytes as an archive.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| uadk_compress_archive::fuzzing::archive(bytes));
