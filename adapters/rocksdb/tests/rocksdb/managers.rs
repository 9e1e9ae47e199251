//! Block compressors over a compression manager that the options have already.

use std::path::Path;

use rocksdb::statistics::Ticker;
use rocksdb::{DB, DBCompressionType, Options};
use rocksdb_managers::{Manager, address, set};
use uadk_compress::{Compressor, Format, SoftwareCompressor};
use uadk_compress_rocksdb::{BlockCompressors, Error, OptionsExt, Schema};

use crate::common::{RECORDS, assert_full, compact, fill, key, plain, software};
use crate::lz4::Lz4;
use crate::probe::Probe;

const NONE: u8 = 0;
const ZLIB: u8 = 2;
const LZ4: u8 = 4;

fn with(manager: Manager) -> Options {
    let mut options = plain();
    set(&mut options, manager);
    options
}

/// Writes a database and reads it, with and without the adapter.
fn round_trip(dir: &Path, options: &Options) {
    {
        let db = DB::open(options, dir).expect("opened");
        fill(&db);
        compact(&db);
        assert_full(&db);
    }
    assert_full(&DB::open(&plain(), dir).expect("opened without the adapter"));
}

#[test]
fn the_manager_chooses_the_type_of_a_file() {
    for (chosen, ours) in [(ZLIB, true), (LZ4, false), (NONE, false)] {
        for configured in [DBCompressionType::Zlib, DBCompressionType::Lz4] {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let probe = Probe::new();
            let mut options = with(Manager::Chooser(chosen));
            options.set_block_compressor(probe.clone(), Schema::Stock).expect("raw deflate");
            options.set_compression_type(configured);
            round_trip(dir.path(), &options);
            let case = format!("{configured:?} configured, {chosen} chosen");
            assert_eq!(probe.seen.compressed() > 10, ours, "{case}");
            assert_eq!(probe.seen.decompressed() > 10, ours, "{case}");
        }
    }
}

#[test]
fn a_custom_type_is_not_for_the_manager_to_choose() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut options = with(Manager::Chooser(ZLIB));
    options.set_block_compressor(Lz4, Schema::custom("TestOverManager")).expect("a valid name");
    let db = DB::open(&options, dir.path()).expect("opened");
    fill(&db);
    assert_full(&db);
    assert!(crate::common::files_mention(dir.path(), "TestOverManager;80;"));
}

/// Writes data that does not compress. Returns how many blocks were skipped without trying.
fn skipped(options: &mut Options) -> u64 {
    use rand::RngCore;
    let dir = tempfile::tempdir().expect("a temporary directory");
    options.enable_statistics();
    let db = DB::open(options, dir.path()).expect("opened");
    let mut random = rand_pcg::Pcg64Mcg::new(7);
    for i in 0..RECORDS {
        let mut value = [0; 1000];
        random.fill_bytes(&mut value);
        db.put(key(i), value).expect("written");
    }
    db.flush().expect("flushed");
    options.get_ticker_count(Ticker::NumberBlockCompressionBypassed)
}

#[test]
fn auto_skip_skips_blocks_of_types_that_are_not_ours() {
    let zlib_over = |mut options: Options| {
        options.set_block_compressor(software(), Schema::Stock).expect("raw deflate");
        options
    };
    // It predicts from 10 blocks at a time, and tries one in ten in any case.
    let mut lz4 = zlib_over(with(Manager::AutoSkip));
    lz4.set_compression_type(DBCompressionType::Lz4);
    assert!(skipped(&mut lz4) > 100);
    assert_eq!(skipped(&mut zlib_over(with(Manager::AutoSkip))), 0, "ours are all tried");
    let mut lz4 = zlib_over(plain());
    lz4.set_compression_type(DBCompressionType::Lz4);
    assert_eq!(skipped(&mut lz4), 0, "without auto-skip, all are tried");
}

#[test]
fn the_managers_of_rocksdb_write_files_that_all_read() {
    for manager in [Manager::AutoSkip, Manager::CostAware] {
        for dictionary in [0, 16 * 1024] {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let all = BlockCompressors::all().expect("software is always there");
            let mut options = with(manager);
            options.set_block_compressor(all, Schema::Stock).expect("RocksDB's formats");
            options.set_compression_options(-14, 3, 0, dictionary);
            options.set_compression_type(DBCompressionType::Zstd);
            round_trip(dir.path(), &options);
        }
    }
}

#[test]
fn a_compressor_of_the_type_that_cost_aware_prefers_compresses_in_its_place() {
    let zstd = |options: &mut Options| {
        let compressor = Compressor::builder().format(Format::Zstd).build().expect("built");
        options
            .set_block_compressor(compressor.clone(), Schema::Stock)
            .expect("a format of RocksDB");
        compressor
    };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut options = with(Manager::CostAware);
    let compressor = zstd(&mut options);
    round_trip(dir.path(), &options);
    assert!(compressor.stats().together().compress.blocks > 10);
}

#[test]
fn clearing_restores_the_manager() {
    for manager in [None, Some(Manager::AutoSkip), Some(Manager::Chooser(LZ4))] {
        let mut options = plain();
        if let Some(manager) = manager {
            set(&mut options, manager);
        }
        let before = address(&options);
        assert_eq!(before == 0, manager.is_none());
        for format in [Format::RawDeflate, Format::Zstd] {
            // The second replaces the first.
            let compressor = SoftwareCompressor::new(format, uadk_compress::Level::FAST);
            options
                .set_block_compressor(compressor.expect("supported"), Schema::Stock)
                .expect("a format of RocksDB");
            assert_ne!(address(&options), before);
        }
        for _ in 0..2 {
            options.clear_block_compressor().expect("cleared");
            assert_eq!(address(&options), before);
        }
    }
}

#[test]
fn a_manager_with_a_schema_of_its_own_is_refused() {
    for schema in [Schema::Stock, Schema::custom("TestOverForeign")] {
        let mut options = with(Manager::Foreign);
        let before = address(&options);
        let error = options.set_block_compressor(software(), schema).expect_err("refused");
        assert!(matches!(&error, Error::Manager { schema } if schema == "TestForeign"), "{error}");
        assert!(error.to_string().contains("TestForeign"), "{error}");
        assert_eq!(address(&options), before);
    }
}
