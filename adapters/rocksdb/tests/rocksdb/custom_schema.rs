//! Formats that RocksDB lacks. After RocksDB's tests `CompressionManagerCustomCompression`,
//! `FailWhenCompressionNotSupportedTest` and `ConfiguredCompressionTypeRecordedInProperties`.

use rocksdb::{DB, DBCompressionType, Options};
use uadk_compress::{Compressor, Format, conformance};
use uadk_compress_rocksdb::{Error, OptionsExt, Schema, register};

use crate::common::{assert_full, builtin_zlib, compact, files_mention, fill, plain, set_table};
use crate::lz4::Lz4;

fn custom(name: &str) -> Options {
    let mut options = plain();
    options.set_block_compressor(Lz4, Schema::custom(name)).expect("a valid name");
    options
}

#[test]
fn the_codec_of_the_example_conforms() {
    conformance::all(&Lz4);
}

#[test]
fn a_custom_codec_writes_compacts_and_reads() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    {
        let db = DB::open(&custom("TestLz4"), dir.path()).expect("opened");
        fill(&db);
        compact(&db);
        assert_full(&db);
    }
    assert!(files_mention(dir.path(), "TestLz4;80;"), "name and type are in the properties");
    assert_full(&DB::open(&custom("TestLz4"), dir.path()).expect("opened again"));
}

#[test]
fn opening_without_the_codec_fails_and_names_it() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fill(&DB::open(&custom("TestMissing"), dir.path()).expect("opened"));
    let error = DB::open(&plain(), dir.path()).expect_err("an unknown codec");
    assert!(error.to_string().contains("TestMissing"), "{error}");
    let error = DB::open(&custom("TestOther"), dir.path()).expect_err("another codec");
    assert!(error.to_string().contains("TestMissing"), "{error}");
}

#[test]
fn a_registered_codec_is_found_by_a_plain_open() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fill(&DB::open(&custom("TestRegistered"), dir.path()).expect("opened"));
    register(Lz4, Schema::custom("TestRegistered")).expect("a valid name");
    assert_full(&DB::open(&plain(), dir.path()).expect("opened"));
}

#[test]
fn a_database_can_move_to_a_codec_and_back() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fill(&DB::open(&builtin_zlib(), dir.path()).expect("opened"));
    {
        let db = DB::open(&custom("TestMove"), dir.path()).expect("opened");
        assert_full(&db);
        compact(&db);
        assert_full(&db);
    }
    assert!(files_mention(dir.path(), "TestMove;80;"));
    {
        let mut options = custom("TestMove");
        options.set_compression_type(DBCompressionType::Zlib);
        let db = DB::open(&options, dir.path()).expect("opened");
        compact(&db);
        assert_full(&db);
        // The manager's name stays in the files, though they no longer have its blocks.
    }
    register(Lz4, Schema::custom("TestMove")).expect("a valid name");
    assert_full(&DB::open(&plain(), dir.path()).expect("opened"));
}

#[test]
fn two_codecs_with_different_types_coexist_in_one_process() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let gzip = Compressor::builder().format(Format::Gzip).build().expect("supports the format");
    let mut options = plain();
    let schema = Schema::custom_with_type("TestGzip", 0xfe);
    options.set_block_compressor(gzip.clone(), schema).expect("a valid schema");
    {
        let db = DB::open(&options, dir.path()).expect("opened");
        fill(&db);
        assert_full(&db);
    }
    assert!(files_mention(dir.path(), "TestGzip;FE;"));
    assert!(gzip.stats().together().compress.blocks > 10);
    register(gzip, Schema::custom_with_type("TestGzip", 0xfe)).expect("a valid schema");
    let db = DB::open(&custom("TestOfTwo"), dir.path()).expect("opened");
    assert_full(&db);
}

#[test]
fn format_versions_that_cannot_name_a_codec_are_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut options = custom("TestOldFormat");
    set_table(&mut options, 4096, 6, true);
    let error = DB::open(&options, dir.path()).expect_err("format version 6 has no names");
    assert!(error.to_string().contains("format_version"), "{error}");
}

#[test]
fn a_custom_type_without_its_codec_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut options = custom("TestCleared");
    options.clear_block_compressor().expect("the right RocksDB");
    let error = DB::open(&options, dir.path()).expect_err("an unknown type 0x80");
    assert!(error.to_string().contains("ompression"), "{error}");
}

#[test]
fn invalid_settings_are_refused_and_change_nothing() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut options = plain();
    let zlib = Compressor::builder().format(Format::Zlib).build().expect("supports the format");
    let error = options.set_block_compressor(zlib, Schema::Stock).expect_err("not raw deflate");
    assert!(matches!(error, Error::Format { format: Format::Zlib }), "{error}");
    let error = options.set_block_compressor(Lz4, Schema::custom("a b")).expect_err("a space");
    assert!(matches!(error, Error::Name { .. }), "{error}");
    let error = register(Lz4, Schema::Stock).expect_err("not raw deflate");
    assert!(matches!(error, Error::Format { .. }), "{error}");
    let db = DB::open(&options, dir.path()).expect("still plain options");
    fill(&db);
    assert!(!files_mention(dir.path(), "BuiltinV2;02;"));
}
