//! Compressors found by name: in OPTIONS files, in option strings, in options set at run time.

use rocksdb::DB;
use uadk_compress_rocksdb::{Schema, register};

use crate::common::{
    assert_full, compact, compressor, files_mention, fill, open_latest, plain, stock,
};
use crate::lz4::Lz4;
use crate::probe::Probe;

#[test]
fn options_files_remember_the_compressor() {
    // The whole process shares the stock schema's name, so this test covers everything about it.
    let probe = Probe::new();
    register(probe.clone(), Schema::Stock).expect("raw deflate");

    let dir = tempfile::tempdir().expect("a temporary directory");
    fill(&DB::open(&stock(compressor()), dir.path()).expect("opened"));
    let db = open_latest(dir.path());
    assert_full(&db);
    assert!(probe.seen.decompressed() > 10, "the registered compressor reads blocks");
    compact(&db);
    assert!(probe.seen.compressed() > 10, "and writes them");

    let dir = tempfile::tempdir().expect("a temporary directory");
    let probe = Probe::new();
    register(probe.clone(), Schema::Stock).expect("replaces the first");
    let options = plain()
        .get_options_from_string(
            "compression=kZlibCompression; compression_manager={id=UadkStock;level=9}",
        )
        .expect("a registered name");
    let db = DB::open(&options, dir.path()).expect("opened");
    fill(&db);
    assert_eq!(probe.seen.levels(), [9]);
    assert_full(&db);

    // Another level, and no compressor at all, while the database runs.
    db.set_options(&[("compression_manager", "{id=UadkZlib;level=2}")]).expect("changed");
    compact(&db);
    assert_eq!(probe.seen.levels(), [2, 9]);
    db.set_options(&[("compression_manager", "nullptr")]).expect("changed");
    let before = probe.seen.compressed();
    compact(&db);
    assert_eq!(probe.seen.compressed(), before, "zlib is RocksDB's own again");
    assert_full(&db);
}

#[test]
fn an_option_string_with_an_unknown_option_is_an_error() {
    register(Lz4, Schema::custom("TestOptionString")).expect("a valid name");
    for options in ["lvl=1", "level=high"] {
        let string = format!("compression_manager={{id=TestOptionString;{options}}}");
        let error = plain().get_options_from_string(string).err().expect(options);
        assert_eq!(error.kind(), rocksdb::ErrorKind::InvalidArgument, "{error}");
    }
}

#[test]
fn a_custom_codec_can_be_named_in_an_option_string() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    register(Lz4, Schema::custom("TestByString")).expect("a valid name");
    let options = plain()
        .get_options_from_string(
            "compression_per_level=kCustomCompression80; compression_manager=TestByString",
        )
        .expect("a registered name");
    let db = DB::open(&options, dir.path()).expect("opened");
    fill(&db);
    assert_full(&db);
    assert!(files_mention(dir.path(), "TestByString;80;"));
}
