//! Blocks with a dictionary are left to RocksDB. After RocksDB's test `PresetCompressionDict`.

use std::path::Path;

use rocksdb::{DB, Options};
use uadk_compress_rocksdb::{OptionsExt, Schema};

use crate::common::{
    assert_full, builtin_zlib, compact, files_mention, fill, plain, set_table, sst_files, stock,
};
use crate::lz4::Lz4;
use crate::probe::Probe;

/// Sets small blocks, for which a dictionary matters.
fn with_dictionary(mut options: Options) -> Options {
    set_table(&mut options, 1024, 7, true);
    options.set_compression_options(-14, 6, 0, 16 * 1024);
    options
}

fn make(dir: &Path, options: &Options) -> u64 {
    let db = DB::open(options, dir).expect("opened");
    fill(&db);
    compact(&db);
    assert_full(&db);
    let files = sst_files(dir);
    files.iter().map(|file| std::fs::metadata(file).expect("exists").len()).sum()
}

#[test]
fn dictionaries_are_used_as_without_the_adapter() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let probe = Probe::new();
    let ours = make(&dir.path().join("ours"), &with_dictionary(stock(probe.clone())));
    // RocksDB has compressed the data blocks; the rest are index blocks, without a dictionary.
    assert!(probe.seen.compressed() < 10, "{}", probe.seen.compressed());
    let theirs = make(&dir.path().join("theirs"), &with_dictionary(builtin_zlib()));
    assert!(ours.abs_diff(theirs) * 50 < theirs, "{ours} and {theirs} bytes");
    assert!(files_mention(&dir.path().join("ours"), "rocksdb.compression_dict"));
    assert_full(&DB::open(&plain(), dir.path().join("ours")).expect("opened without the adapter"));
}

#[test]
fn existing_files_with_a_dictionary_are_read() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    make(dir.path(), &with_dictionary(builtin_zlib()));
    assert_full(&DB::open(&stock(Probe::new()), dir.path()).expect("opened"));
}

#[test]
fn a_dictionary_and_verify_compression_go_together() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = with_dictionary(stock(Probe::new()))
        .get_options_from_string("block_based_table_factory={verify_compression=true}")
        .expect("a valid option");
    make(dir.path(), &options);
}

#[test]
fn a_custom_schema_works_without_dictionaries() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut options = plain();
    options.set_block_compressor(Lz4, Schema::custom("TestDictionary")).expect("a valid schema");
    make(dir.path(), &with_dictionary(options));
    assert!(files_mention(dir.path(), "TestDictionary;80;"));
}
