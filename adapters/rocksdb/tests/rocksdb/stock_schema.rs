//! RocksDB's own zlib schema, written and read. After RocksDB's test `CompressionManagerWrapper`.

use rand::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rocksdb::{DB, DBCompressionType, Options};
use uadk_compress_rocksdb::OptionsExt;

use crate::common::{
    RECORDS, assert_full, builtin_zlib, compact, compressor, files_mention, fill, plain, stock,
};
use crate::probe::Probe;

#[test]
fn flush_compaction_and_reads_go_through_the_compressor() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let compressor = compressor();
    let db = DB::open(&stock(compressor.clone()), dir.path()).expect("opened");
    fill(&db);
    let flushed = compressor.stats().together();
    assert!(flushed.compress.blocks > 10 && flushed.compress.bytes_out > 0, "{flushed:?}");
    compact(&db);
    assert!(compressor.stats().together().compress.blocks > flushed.compress.blocks);
    assert_full(&db);
    let read = compressor.stats().together().decompress;
    assert!(read.blocks > 10 && read.errors == 0, "{read:?}");
    let sizes = compressor.stats().together().compress;
    assert!(sizes.bytes_out * 2 < sizes.bytes_in, "{sizes:?}");
}

#[test]
fn files_keep_the_builtin_name_and_open_without_the_adapter() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fill(&DB::open(&stock(compressor()), dir.path()).expect("opened"));
    assert!(files_mention(dir.path(), "BuiltinV2;02;"), "the compression name is RocksDB's own");
    assert_full(&DB::open(&Options::default(), dir.path()).expect("opened without the adapter"));
}

#[test]
fn the_compressor_reads_existing_zlib_files() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fill(&DB::open(&builtin_zlib(), dir.path()).expect("opened"));
    let probe = Probe::new();
    assert_full(&DB::open(&stock(probe.clone()), dir.path()).expect("opened"));
    assert!(probe.seen.decompressed() > 10);
    assert_eq!(probe.seen.compressed(), 0);
}

#[test]
fn other_types_are_left_to_rocksdb() {
    for other in [DBCompressionType::Lz4, DBCompressionType::Zstd] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let probe = Probe::new();
        let mut options = stock(probe.clone());
        options.set_compression_type(other);
        {
            let db = DB::open(&options, dir.path()).expect("opened");
            fill(&db);
            assert_full(&db);
        }
        assert_eq!((probe.seen.compressed(), probe.seen.decompressed()), (0, 0), "{other:?}");
        assert_full(&DB::open(&plain(), dir.path()).expect("opened without the adapter"));
    }
}

#[test]
fn one_database_may_mix_types_over_its_lifetime() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let types = [DBCompressionType::Zstd, DBCompressionType::Zlib, DBCompressionType::Lz4];
    for (i, kind) in types.into_iter().enumerate() {
        let mut options = stock(Probe::new());
        options.set_disable_auto_compactions(true);
        options.set_compression_type(kind);
        let db = DB::open(&options, dir.path()).expect("opened");
        // Each flush rewrites a third of the keys, so that reads need all three files.
        for n in (0..RECORDS).filter(|n| i == 0 || *n as usize % 3 == i) {
            db.put(crate::common::key(n), crate::common::value(n)).expect("written");
        }
        db.flush().expect("flushed");
        assert_full(&db);
    }
    let probe = Probe::new();
    let db = DB::open(&stock(probe.clone()), dir.path()).expect("opened");
    compact(&db);
    assert_full(&db);
    assert!(probe.seen.decompressed() > 0 && probe.seen.compressed() > 0);
}

#[test]
fn incompressible_blocks_are_stored_uncompressed() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let compressor = compressor();
    let db = DB::open(&stock(compressor.clone()), dir.path()).expect("opened");
    let mut value = vec![0; 100_000];
    Pcg64Mcg::seed_from_u64(1).fill_bytes(&mut value);
    db.put(b"noise", &value).expect("written");
    db.flush().expect("flushed");
    assert_eq!(db.get(b"noise").expect("readable"), Some(value));
    let stats = compressor.stats().together();
    assert!(stats.compress.output_full > 0, "{stats:?}");
}

#[test]
fn the_compressor_can_be_removed_again() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let probe = Probe::new();
    let mut options = stock(probe.clone());
    options.clear_block_compressor().expect("the right RocksDB");
    fill(&DB::open(&options, dir.path()).expect("opened"));
    assert_eq!(probe.seen.compressed(), 0);
    assert!(files_mention(dir.path(), "BuiltinV2;02;"), "still zlib, but RocksDB's own");
}
