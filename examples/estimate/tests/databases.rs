//! Databases of known contents.

use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rocksdb::{
    BlockBasedOptions, BottommostLevelCompaction, ColumnFamily, ColumnFamilyDescriptor,
    CompactOptions, DB, DBCompressionType, Options, WaitForCompactOptions,
};

use crate::report::Report;
use crate::{Arguments, accelerator, estimate};

/// Records in each column family.
const RECORDS: u32 = 20_000;
/// Words of which values consist.
const WORDS: [&str; 8] =
    ["alpha", "beta ", "gamma", "delta,", "epsilon", "zeta; ", "eta", "theta."];

/// Returns the options of a family: the codec, and the size of blocks.
pub(crate) fn options(compression: DBCompressionType, block_size: usize) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_size(block_size);
    table.set_bloom_filter(10.0, false);
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_block_based_table_factory(&table);
    options.set_compression_type(compression);
    options.set_write_buffer_size(1 << 20);
    options.set_target_file_size_base(1 << 20);
    options
}

/// Opens a database with families of the given options.
pub(crate) fn open(dir: &Path, families: Vec<(&str, Options)>) -> DB {
    let families =
        families.into_iter().map(|(name, options)| ColumnFamilyDescriptor::new(name, options));
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    DB::open_cf_descriptors(&options, dir, families).expect("opened")
}

pub(crate) fn family<'a>(db: &'a DB, name: &str) -> &'a ColumnFamily {
    db.cf_handle(name).expect("a family of the database")
}

/// Writes records whose keys are spread unevenly, and whose values differ in how well they
/// compress: the first are text, the last partly noise.
pub(crate) fn fill(db: &DB, cf: &ColumnFamily) {
    let mut rng = Pcg64Mcg::seed_from_u64(7);
    for n in 0..RECORDS {
        let group = if n < RECORDS / 2 { 0 } else { n % 100 };
        let key = format!("user:{group:03}:{:08}", n * 7);
        let mut value = Vec::new();
        for _ in 0..rng.random_range(4..40) {
            value.extend(WORDS[rng.random_range(0..WORDS.len())].bytes());
            if n > RECORDS / 2 && rng.random_range(0..3) == 0 {
                value.extend(rng.random::<[u8; 8]>());
            }
        }
        db.put_cf(cf, key, value).expect("written");
    }
    db.flush_cf(cf).expect("flushed");
}

/// Rewrites all files of a family in its last level.
pub(crate) fn compact(db: &DB, cf: &ColumnFamily) {
    let mut how = CompactOptions::default();
    how.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
    db.compact_range_cf_opt(cf, None::<&[u8]>, None::<&[u8]>, &how);
    db.wait_for_compact(&WaitForCompactOptions::default()).expect("compacted");
}

/// Returns the size of a family's table files.
pub(crate) fn size(db: &DB, cf: &ColumnFamily) -> u64 {
    let size = db.property_int_value_cf(cf, "rocksdb.live-sst-files-size");
    size.expect("readable").expect("known")
}

/// Creates a database with one compacted family.
pub(crate) fn compacted(dir: &Path) {
    let db = open(dir, vec![("default", options(DBCompressionType::Lz4, 4096))]);
    fill(&db, family(&db, "default"));
    compact(&db, family(&db, "default"));
}

pub(crate) fn arguments(dir: &Path, families: &[&str]) -> Arguments {
    let families = families.iter().map(|name| (*name).to_owned()).collect();
    Arguments { path: dir.to_owned(), families, blocks: 500, json: false }
}

/// Estimates all families.
pub(crate) fn report(dir: &Path) -> Report {
    estimate(&arguments(dir, &[]), accelerator).expect("estimated")
}
