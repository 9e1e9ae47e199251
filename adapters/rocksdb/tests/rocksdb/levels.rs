//! RocksDB's options for levels of the tree and of compression. After RocksDB's tests
//! `DynamicLevelCompressionPerLevel` and `CompressionOptions`.

use std::fs;

use rocksdb::{DB, DBCompressionType, Options};
use uadk_compress::{Format, Level, SoftwareCompressor};
use uadk_compress_rocksdb::{BlockCompressors, OptionsExt, Schema};

use crate::common::{assert_full, compact, fill, plain, sst_files, stock};
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

/// Returns the size of a database's table files.
fn size(options: &Options) -> u64 {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fill(&DB::open(options, dir.path()).expect("opened"));
    sst_files(dir.path()).iter().map(|file| fs::metadata(file).expect("a file").len()).sum()
}

/// RocksDB 11.8 has LZ4 at levels up to 0 and LZ4HC above, whichever of the two is configured.
#[test]
fn lz4_and_lz4hc_share_their_levels() {
    for compression_type in [DBCompressionType::Lz4, DBCompressionType::Lz4hc] {
        for level in [-60, -1, 0, 3, 9, 32_767] {
            let mut builtin = plain();
            builtin.set_compression_type(compression_type);
            builtin.set_compression_options(-14, level, 0, 0);
            let mut ours = builtin.clone();
            // A device finds other matches.
            let software = SoftwareCompressor::new(Format::Lz4, Level::FAST).expect("supported");
            let compressors = BlockCompressors::new().with(software);
            ours.set_block_compressor(compressors, Schema::Stock).expect("stock types");
            // A single compressor sets its own.
            ours.set_compression_type(compression_type);
            let sizes = [size(&builtin), size(&ours)];
            let differs = sizes[0].abs_diff(sizes[1]) * 100 > sizes[0];
            assert!(!differs, "{compression_type:?} at level {level}: {sizes:?}");
        }
    }
}
