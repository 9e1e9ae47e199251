//! Compressors that are switched at run time, while threads write, flush and compact.

use std::sync::atomic::{AtomicU32, Ordering};

use rocksdb::{DB, IteratorMode, Options};
use uadk_compress::{Compressor, Format};
use uadk_compress_rocksdb::{BlockCompressors, Schema, incidents, register};

use crate::common::{compact, key, plain, value};

const THREADS: u32 = 4;
const KEYS_PER_THREAD: u32 = 1000;
const ROUNDS: u32 = 10;

/// The custom codec's name.
const CUSTOM: &str = "TestSwitched";

/// The settings that are switched through: each of our types, RocksDB's own codecs, and a codec
/// that RocksDB doesn't have.
const SETTINGS: [(&str, &str); 6] = [
    ("kZlibCompression", "UadkStock"),
    ("kZSTD", "UadkStock"),
    ("kZSTD", "nullptr"),
    ("kCustomCompression80", CUSTOM),
    ("kLZ4Compression", "UadkStock"),
    ("kLZ4HCCompression", "{id=UadkStock;level=4}"),
];

fn compressor(format: Format) -> Compressor {
    Compressor::builder().format(format).build().expect("software is always there")
}

fn switch(db: &DB, (kind, manager): (&str, &str)) {
    db.set_options(&[("compression", kind), ("compression_manager", manager)]).expect("changed");
}

/// Overwrites the thread's keys in each round, and reads some of them.
fn work(db: &DB, thread: u32) {
    let keys = thread * KEYS_PER_THREAD..(thread + 1) * KEYS_PER_THREAD;
    for round in 0..ROUNDS {
        for i in keys.clone() {
            db.put(key(i), value(i + round)).expect("written");
        }
        db.flush().expect("flushed");
        for i in keys.clone().step_by(17) {
            assert_eq!(db.get(key(i)), Ok(Some(value(i + round))), "key {i}, round {round}");
        }
    }
}

fn assert_full(db: &DB) {
    let mut n = 0;
    for record in db.iterator(IteratorMode::Start) {
        let (k, v) = record.expect("readable");
        assert_eq!((&*k, &*v), (&key(n)[..], &value(n + ROUNDS - 1)[..]));
        n += 1;
    }
    assert_eq!(n, THREADS * KEYS_PER_THREAD);
}

#[test]
fn compressors_are_switched_by_set_options_while_threads_write() {
    let formats = [Format::RawDeflate, Format::Zstd, Format::Lz4].map(compressor);
    let custom = compressor(Format::Gzip);
    let set = formats.iter().cloned().fold(BlockCompressors::new(), BlockCompressors::with);
    register(set, Schema::Stock).expect("formats of RocksDB");
    register(custom.clone(), Schema::custom(CUSTOM)).expect("a valid name");

    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut options = plain();
    options.set_write_buffer_size(128 << 10);
    options.set_target_file_size_base(128 << 10);
    options.set_compression_options_parallel_threads(2);
    let db = DB::open(&options, dir.path()).expect("opened");
    let finished = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (db, finished) = (&db, &finished);
            scope.spawn(move || {
                // Also when the thread panics, so that the loop below ends.
                let _finished = Finished(finished);
                work(db, thread);
            });
        }
        while finished.load(Ordering::Acquire) < THREADS {
            for setting in SETTINGS {
                switch(&db, setting);
                db.flush().expect("flushed");
                db.compact_range(None::<&[u8]>, None::<&[u8]>);
            }
        }
    });
    // All of them again, now that there is enough data for each.
    for setting in SETTINGS {
        switch(&db, setting);
        compact(&db);
        assert_full(&db);
    }
    for compressor in formats.iter().chain([&custom]) {
        let together = compressor.stats().together();
        assert!(together.compress.blocks > 100, "{}", compressor.stats());
        assert!(together.decompress.blocks > 100, "{}", compressor.stats());
        assert_eq!(together.decompress.errors, 0, "{}", compressor.stats());
    }
    assert_eq!(incidents(), uadk_compress_rocksdb::Incidents::default());
    drop(db);
    // The last setting is of the stock schema.
    assert_full(&DB::open(&Options::default(), dir.path()).expect("opened without the adapter"));
}

/// Counts a thread that ends.
struct Finished<'a>(&'a AtomicU32);

impl Drop for Finished<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}
