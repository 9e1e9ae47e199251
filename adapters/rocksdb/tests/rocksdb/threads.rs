//! Many threads, two column families, and an accelerator that keeps failing.

use std::time::Duration;

use rocksdb::{ColumnFamilyDescriptor, DB, Options};
use uadk_compress::fault::{Fault, FaultInjector};
use uadk_compress::{ManualClock, OffloadCompressor, Policy};
use uadk_compress_rocksdb::{OptionsExt, Schema, incidents};

use crate::common::{key, plain, software, value};

const THREADS: u32 = 8;
const KEYS_PER_THREAD: u32 = 3000;
const ROUNDS: u32 = 3;

/// What round `round` writes to key `i`.
fn round_value(i: u32, round: u32) -> Vec<u8> {
    [&round.to_be_bytes()[..], &value(i)].concat()
}

#[test]
fn eight_threads_and_faults_every_few_blocks_lose_nothing() {
    let faults = [
        Fault::Busy,
        Fault::Device(-62),
        Fault::Panic,
        Fault::WrongLength,
        Fault::Refuse,
        Fault::Unsupported,
        Fault::Slow(Duration::from_millis(30)),
    ];
    let clock = ManualClock::default();
    let accelerator = FaultInjector::with_clock(
        software(),
        move |n| (n % 5 == 0).then(|| faults[(n / 5) as usize % faults.len()].clone()),
        clock.clone(),
    );
    let policy = Policy {
        first_hold_off: Duration::from_millis(1),
        longest_hold_off: Duration::from_millis(4),
        ..Policy::default()
    };
    let compressor =
        OffloadCompressor::with_clock(accelerator, software(), policy, clock.clone()).expect("fit");

    let family = |schema: Schema| {
        let mut options = plain();
        options.set_write_buffer_size(256 << 10);
        options.set_target_file_size_base(256 << 10);
        options.set_compression_options_parallel_threads(3);
        options.set_block_compressor(compressor.clone(), schema).expect("fits");
        options
    };
    let dir = tempfile::tempdir().expect("a folder");
    let before = incidents();
    {
        let families = [
            ColumnFamilyDescriptor::new("stock", family(Schema::Stock)),
            ColumnFamilyDescriptor::new("custom", family(Schema::custom("TestThreads"))),
        ];
        let db = DB::open_cf_descriptors(&plain(), dir.path(), families).expect("opened");
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (db, clock) = (&db, &clock);
                scope.spawn(move || work(db, clock, thread));
            }
        });
        for name in ["stock", "custom"] {
            let cf = db.cf_handle(name).expect("there");
            db.flush_cf(&cf).expect("flushed");
            db.compact_range_cf(&cf, None::<&[u8]>, None::<&[u8]>);
            assert_family(&db, name);
        }
    }
    let after = incidents();
    assert_eq!(after.failed_reads, before.failed_reads);
    assert_eq!(after.corrupt_blocks, before.corrupt_blocks);
    let stats = compressor.stats();
    assert_eq!(stats.fallbacks.total(), stats.software.blocks(), "{stats}");
    assert!(stats.accelerator.blocks() > 100 && stats.fallbacks.faults() > 10, "{stats}");
    assert!(stats.fallbacks.busy == 0 && stats.fallbacks.unsupported > 0, "{stats}");
    assert_eq!(
        stats.accelerator.decompress.errors + stats.software.decompress.errors,
        0,
        "{stats}"
    );

    // And all of it is in RocksDB's own format.
    let families = ["default", "stock"].map(|n| ColumnFamilyDescriptor::new(n, Options::default()));
    uadk_compress_rocksdb::register(software(), Schema::custom("TestThreads")).expect("fits");
    let custom = ColumnFamilyDescriptor::new("custom", Options::default());
    let families = families.into_iter().chain([custom]);
    let db = DB::open_cf_descriptors(&plain(), dir.path(), families).expect("opened without us");
    assert_family(&db, "stock");
    assert_family(&db, "custom");
}

/// Writes, flushes, compacts and reads a range of keys of its own in both column families.
fn work(db: &DB, clock: &ManualClock, thread: u32) {
    let keys = thread * KEYS_PER_THREAD..(thread + 1) * KEYS_PER_THREAD;
    for round in 0..ROUNDS {
        for name in ["stock", "custom"] {
            let cf = db.cf_handle(name).expect("there");
            for i in keys.clone() {
                db.put_cf(&cf, key(i), round_value(i, round)).expect("written");
            }
            db.flush_cf(&cf).expect("flushed");
            // Time passes, so that breakers close and slow spells end.
            clock.advance(Duration::from_millis(100));
            if thread.is_multiple_of(4) {
                db.compact_range_cf(&cf, None::<&[u8]>, None::<&[u8]>);
            }
            for i in keys.clone().step_by(17) {
                let found = db.get_cf(&cf, key(i)).expect("readable");
                assert_eq!(found, Some(round_value(i, round)), "{name}, key {i}, round {round}");
            }
        }
    }
}

fn assert_family(db: &DB, name: &str) {
    let cf = db.cf_handle(name).expect("there");
    let mut n = 0;
    for record in db.iterator_cf(&cf, rocksdb::IteratorMode::Start) {
        let (k, v) = record.expect("readable");
        assert_eq!((&*k, &*v), (&key(n)[..], &round_value(n, ROUNDS - 1)[..]), "{name}");
        n += 1;
    }
    assert_eq!(n, THREADS * KEYS_PER_THREAD, "{name}");
}
