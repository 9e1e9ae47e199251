//! Compressors that are set by name alone, while the database is open. With `rocksdb` 0.24
//! (RocksDB 10.4) there is no other way. `make test-rocksdb` runs this in other versions.

#[path = "../rocksdb/common.rs"]
#[allow(dead_code, reason = "written for another program")]
mod common;
#[path = "../../../../examples/custom_codec/lz4.rs"]
mod lz4;

use std::fs;
use std::path::Path;

use parking_lot::{Mutex, MutexGuard};
use rocksdb::{DB, ErrorKind, IteratorMode, Options, ReadOptions};
use uadk_compress::{Compressor, Format};
use uadk_compress_rocksdb::{Schema, incidents, register};

use common::{assert_full, compact, files_mention, fill, open_latest, plain, set_table, sst_files};

/// The formats of the stock schema, and their types in option strings.
const TYPES: [(Format, &str); 3] = [
    (Format::RawDeflate, "kZlibCompression"),
    (Format::Zstd, "kZSTD"),
    (Format::Lz4, "kLZ4Compression"),
];

/// Registers a compressor under the stock schema's name. Tests take turns, since the whole process
/// shares the name.
fn registered(format: Format) -> (MutexGuard<'static, ()>, Compressor) {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock();
    let compressor =
        Compressor::builder().format(format).build().expect("software is always there");
    register(compressor.clone(), Schema::Stock).expect("a format of RocksDB");
    (turn, compressor)
}

/// Returns options with blocks of 4 KiB and without compression.
fn table(format_version: i32, checksums: bool) -> Options {
    let mut options = plain();
    set_table(&mut options, 4096, format_version, checksums);
    options
}

/// Opens a database and names the compressor.
fn open(dir: &Path, options: &Options, kind: &str, manager: &str) -> DB {
    let db = DB::open(options, dir).expect("opened");
    db.set_options(&[("compression", kind), ("compression_manager", manager)])
        .expect("a registered name");
    db
}

/// Returns the blocks that were compressed and decompressed.
fn blocks(compressor: &Compressor) -> (u64, u64) {
    let together = compressor.stats().together();
    (together.compress.blocks, together.decompress.blocks)
}

#[test]
fn flushes_and_compactions_go_through_the_compressor_and_open_without_it() {
    for (format, kind) in TYPES {
        let (_turn, compressor) = registered(format);
        let dir = tempfile::tempdir().expect("a temporary directory");
        let db = open(dir.path(), &table(7, true), kind, "UadkStock");
        fill(&db);
        let (flushed, _) = blocks(&compressor);
        assert!(flushed > 10, "{kind}: {flushed} blocks");
        assert_full(&db);
        compact(&db);
        assert!(blocks(&compressor).0 > flushed, "{kind}");
        assert_full(&db);
        drop(db);
        assert!(files_mention(dir.path(), "BuiltinV2;"), "{kind}: RocksDB's own name");
        assert_full(&DB::open(&plain(), dir.path()).expect("opened without the adapter"));
    }
}

#[test]
fn options_files_remember_the_name_and_reads_go_through_the_compressor() {
    for (format, kind) in TYPES {
        let (_turn, compressor) = registered(format);
        let dir = tempfile::tempdir().expect("a temporary directory");
        fill(&open(dir.path(), &table(7, true), kind, "UadkStock"));
        let (compressed, before) = blocks(&compressor);
        let db = open_latest(dir.path());
        assert_full(&db);
        assert!(blocks(&compressor).1 > before + 10, "{kind}: read");
        compact(&db);
        assert!(blocks(&compressor).0 > compressed, "{kind}: written");
        assert_full(&db);
    }
}

#[test]
fn files_of_format_version_6_are_written_by_the_compressor_and_read_by_rocksdb() {
    let (_turn, compressor) = registered(Format::RawDeflate);
    let dir = tempfile::tempdir().expect("a temporary directory");
    fill(&open(dir.path(), &table(6, true), "kZlibCompression", "UadkStock"));
    assert!(blocks(&compressor).0 > 10);
    let before = blocks(&compressor).1;
    assert_full(&open_latest(dir.path()));
    assert_eq!(blocks(&compressor).1, before);
}

#[test]
fn without_a_manager_the_type_is_rocksdbs_own_again() {
    let (_turn, compressor) = registered(Format::Zstd);
    let dir = tempfile::tempdir().expect("a temporary directory");
    let db = open(dir.path(), &table(7, true), "kZSTD", "UadkStock");
    db.set_options(&[("compression_manager", "nullptr")]).expect("changed");
    fill(&db);
    assert_full(&db);
    assert_eq!(blocks(&compressor), (0, 0));
}

#[test]
fn damaged_blocks_are_corruption() {
    for (format, kind) in TYPES {
        let (_turn, _compressor) = registered(format);
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut options = table(7, false);
        options.set_disable_auto_compactions(true);
        fill(&open(dir.path(), &options, kind, "UadkStock"));
        let file = sst_files(dir.path()).remove(0);
        let sound = fs::read(&file).expect("readable");
        for byte in [0, 0x55, 0xff] {
            let mut damaged = sound.clone();
            damaged[..500].fill(byte);
            fs::write(&file, damaged).expect("written");
            let before = incidents().corrupt_blocks;
            let mut how = ReadOptions::default();
            how.set_verify_checksums(false);
            let error = open_latest(dir.path())
                .iterator_opt(IteratorMode::Start, how)
                .try_for_each(|record| record.map(drop))
                .expect_err("damaged");
            assert_eq!(error.kind(), ErrorKind::Corruption, "{kind}, {byte:#x}: {error}");
            assert!(incidents().corrupt_blocks > before, "{kind}, {byte:#x}: found by the adapter");
        }
        fs::write(&file, sound).expect("written");
        assert_full(&open_latest(dir.path()));
    }
}

#[test]
fn a_custom_codec_is_found_by_the_name_in_its_files() {
    register(lz4::Lz4, Schema::custom("TestByName")).expect("a valid name");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let db = open(dir.path(), &table(7, true), "kCustomCompression80", "TestByName");
    fill(&db);
    compact(&db);
    assert_full(&db);
    drop(db);
    assert!(files_mention(dir.path(), "TestByName;80;"));
    assert_full(&DB::open(&plain(), dir.path()).expect("opened without naming it"));
}
