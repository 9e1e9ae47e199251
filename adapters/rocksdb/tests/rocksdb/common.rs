//! Databases for the tests.

use std::fs;
use std::path::{Path, PathBuf};

use rocksdb::{BlockBasedOptions, Cache, DB, DBCompressionType, Env, IteratorMode, Options};
use uadk_compress::{Compressor, Level, SoftwareCompressor};
#[cfg(feature = "raw-ptr")]
use uadk_compress_rocksdb::{OptionsExt, Schema};

/// Records in a test database: several blocks, several KiB each.
pub(crate) const RECORDS: u32 = 2000;

pub(crate) fn compressor() -> Compressor {
    Compressor::builder().build().expect("software is always there")
}

pub(crate) fn software() -> SoftwareCompressor {
    SoftwareCompressor::new(uadk_compress::Format::RawDeflate, Level::BALANCED)
        .expect("supports the format")
}

/// Returns options that create a database and compress nothing.
pub(crate) fn plain() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_compression_type(DBCompressionType::None);
    options
}

/// Returns options with a compressor under the stock schema.
#[cfg(feature = "raw-ptr")]
pub(crate) fn stock(compressor: impl uadk_compress::BlockCompressor + 'static) -> Options {
    let mut options = plain();
    options.set_block_compressor(compressor, Schema::Stock).expect("raw deflate");
    options
}

/// Returns options with RocksDB's own zlib.
pub(crate) fn builtin_zlib() -> Options {
    let mut options = plain();
    options.set_compression_type(DBCompressionType::Zlib);
    options
}

/// Opens a database with only the options in its OPTIONS file.
pub(crate) fn open_latest(dir: &Path) -> DB {
    let cache = Cache::new_lru_cache(1 << 20);
    let env = Env::new().expect("the default");
    let (options, families) =
        Options::load_latest(dir, env, false, cache).expect("an OPTIONS file");
    DB::open_cf_descriptors(&options, dir, families).expect("opened")
}

/// Sets a block size, a format version and whether blocks have checksums. Nothing is cached: every
/// read is from the files.
pub(crate) fn set_table(options: &mut Options, block_size: usize, version: i32, checksums: bool) {
    let mut table = BlockBasedOptions::default();
    table.set_block_size(block_size);
    table.set_format_version(version);
    table.disable_cache();
    if !checksums {
        table.set_checksum_type(rocksdb::ChecksumType::NoChecksum);
    }
    options.set_block_based_table_factory(&table);
}

pub(crate) fn key(i: u32) -> [u8; 8] {
    u64::from(i).to_be_bytes()
}

/// Returns a value that compresses to about a quarter.
pub(crate) fn value(i: u32) -> Vec<u8> {
    let text = format!("value {i}, {}, and {}; ", i.wrapping_mul(2_654_435_761), i % 13);
    text.repeat(3 + (i % 9) as usize).into_bytes()
}

pub(crate) fn fill(db: &DB) {
    for i in 0..RECORDS {
        db.put(key(i), value(i)).expect("written");
    }
    db.flush().expect("flushed");
}

/// Asserts that iteration and point lookups return every record and nothing else.
pub(crate) fn assert_full(db: &DB) {
    let mut n = 0;
    for record in db.iterator(IteratorMode::Start) {
        let (k, v) = record.expect("readable");
        assert_eq!((&*k, &*v), (&key(n)[..], &value(n)[..]));
        n += 1;
    }
    assert_eq!(n, RECORDS);
    for i in (0..RECORDS).step_by(37) {
        assert_eq!(db.get(key(i)).expect("readable"), Some(value(i)));
    }
}

pub(crate) fn compact(db: &DB) {
    let mut how = rocksdb::CompactOptions::default();
    how.set_bottommost_level_compaction(rocksdb::BottommostLevelCompaction::Force);
    db.compact_range_opt(None::<&[u8]>, None::<&[u8]>, &how);
    db.wait_for_compact(&rocksdb::WaitForCompactOptions::default()).expect("compacted");
}

pub(crate) fn sst_files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .expect("a database directory")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sst"))
        .collect();
    files.sort();
    files
}

/// Returns whether a database's table files contain `text`, such as a name in their properties.
pub(crate) fn files_mention(dir: &Path, text: &str) -> bool {
    sst_files(dir).iter().any(|path| {
        let bytes = fs::read(path).expect("readable");
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}
