//! The life of a column family: loaded, compacted, read at random, scanned.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rocksdb::{
    BlockBasedOptions, BottommostLevelCompaction, ColumnFamily, CompactOptions, DB, Error,
    IteratorMode, Options, WaitForCompactOptions, WriteBatch,
};

use crate::corpus::Record;
use crate::cpu::{Cost, measure_process};

/// Returns the options for a measured column family: the block size, and no block cache, so that
/// every read decompresses.
#[must_use]
pub fn family_options(block_size: usize) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_size(block_size);
    table.disable_cache();
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_block_based_table_factory(&table);
    options.set_write_buffer_size(16 << 20);
    options.set_target_file_size_base(32 << 20);
    options
}

/// Writes all records, flushes, and compacts everything to the bottommost level. `progress` is
/// called with the number of records written since the last call.
///
/// # Errors
///
/// Returns RocksDB's errors.
pub fn load(
    db: &DB,
    cf: &ColumnFamily,
    records: &[Record],
    progress: impl Fn(u64),
) -> Result<Cost, Error> {
    let (result, cost) = measure_process(|| {
        for chunk in records.chunks(1000) {
            let mut batch = WriteBatch::default();
            for record in chunk {
                batch.put_cf(cf, record.key, &record.value);
            }
            db.write(batch)?;
            progress(chunk.len() as u64);
        }
        db.flush_cf(cf)?;
        let mut options = CompactOptions::default();
        options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        db.compact_range_cf_opt(cf, None::<&[u8]>, None::<&[u8]>, &options);
        db.wait_for_compact(&WaitForCompactOptions::default())
    });
    result.map(|()| cost)
}

/// Looks up `count` random records and checks each.
///
/// # Errors
///
/// Returns RocksDB's errors.
///
/// # Panics
///
/// Panics if a record is missing or wrong.
pub fn get(db: &DB, cf: &ColumnFamily, records: &[Record], count: usize) -> Result<Cost, Error> {
    let mut numbers = Pcg64Mcg::seed_from_u64(4711);
    let (result, cost) = measure_process(|| {
        for _ in 0..count {
            let record = &records[numbers.random_range(0..records.len())];
            let value = db.get_pinned_cf(cf, record.key)?;
            assert!(
                value.is_some_and(|v| *v == *record.value),
                "wrong value of key {:x?}",
                record.key
            );
        }
        Ok(())
    });
    result.map(|()| cost)
}

/// Reads everything in order and returns the total length of keys and values in bytes.
///
/// # Errors
///
/// Returns RocksDB's errors.
pub fn scan(db: &DB, cf: &ColumnFamily) -> Result<(u64, Cost), Error> {
    let (result, cost) = measure_process(|| {
        let mut bytes = 0;
        for record in db.iterator_cf(cf, IteratorMode::Start) {
            let (key, value) = record?;
            bytes += (key.len() + value.len()) as u64;
        }
        Ok(bytes)
    });
    result.map(|bytes| (bytes, cost))
}

/// Returns the size of a column family's table files in bytes.
///
/// # Errors
///
/// Returns RocksDB's errors.
pub fn size(db: &DB, cf: &ColumnFamily) -> Result<u64, Error> {
    Ok(db.property_int_value_cf(cf, "rocksdb.live-sst-files-size")?.unwrap_or_default())
}
