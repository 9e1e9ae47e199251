//! RocksDB's options for levels of the tree and of compression. After RocksDB's tests
//! `DynamicLevelCompressionPerLevel` and `CompressionOptions`.

use rocksdb::{DB, DBCompressionType};

use crate::common::{assert_full, compact, fill, stock};
use crate::probe::Probe;

#[test]
fn compression_per_level_starts_at_the_given_level() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let probe = Probe::new();
    let mut options = stock(probe.clone());
    options.set_level_compaction_dynamic_level_bytes(false);
    options.set_compression_per_level(&[DBCompressionType::None, DBCompressionType::Zlib]);
    let db = DB::open(&options, dir.path()).expect("opened");
    fill(&db);
    assert_eq!(probe.seen.compressed(), 0, "level 0 is not compressed");
    compact(&db);
    assert!(probe.seen.compressed() > 10, "level 1 is");
    assert_full(&db);
}

#[test]
fn the_bottommost_level_has_its_own_type_and_level() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let probe = Probe::new();
    let mut options = stock(probe.clone());
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_bottommost_compression_type(DBCompressionType::Zlib);
    options.set_bottommost_compression_options(-14, 9, 0, 0, true);
    let db = DB::open(&options, dir.path()).expect("opened");
    fill(&db);
    assert_eq!(probe.seen.compressed(), 0, "the flush is RocksDB's own lz4");
    compact(&db);
    assert_eq!(probe.seen.levels(), [9]);
    assert_full(&db);
}

#[test]
fn a_level_in_the_options_is_passed_to_the_compressor() {
    for (asked, expected) in [(1, 1), (12, 12), (-1, 6), (32_767, 6), (0, 0)] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let probe = Probe::new();
        let mut options = stock(probe.clone());
        options.set_compression_options(-14, asked, 0, 0);
        fill(&DB::open(&options, dir.path()).expect("opened"));
        assert_eq!(probe.seen.levels(), [expected], "asked for {asked}");
    }
}
