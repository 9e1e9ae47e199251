//! Many threads, two column families, and an accelerator that keeps failing; and compressors that
//! are switched meanwhile. This is a separate program, because it checks the incidents of the whole
//! process.

#[path = "../rocksdb/common.rs"]
#[allow(dead_code, reason = "written for another program")]
mod common;
mod switching;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use std::time::Duration;

use rocksdb::{ColumnFamilyDescriptor, DB, Options};
use uadk_compress::clock::ManualClock;
use uadk_compress::fault::{Fault, FaultInjector};
use uadk_compress::offload::Verify;
use uadk_compress::{BlockCompressor, Error, Format, OffloadCompressor, Policy};
use uadk_compress_rocksdb::{Incidents, OptionsExt, Schema, incidents};

use common::{key, plain, software, value};

const THREADS: u32 = 8;
const KEYS_PER_THREAD: u32 = 3000;
const ROUNDS: u32 = 5;

/// Returns the value that round `round` writes to key `i`.
fn round_value(i: u32, round: u32) -> Vec<u8> {
    [&round.to_be_bytes()[..], &value(i)].concat()
}

/// Counts RocksDB's calls of a compressor, and advances the clock with each block.
#[derive(Debug)]
struct Counting<C> {
    inner: C,
    counts: Arc<Counts>,
    clock: ManualClock,
}

#[derive(Debug, Default)]
struct Counts {
    compress: AtomicU64,
    decompress: AtomicU64,
}

impl<C: BlockCompressor> BlockCompressor for Counting<C> {
    fn format(&self) -> Format {
        self.inner.format()
    }
    fn max_compressed_len(&self, len: usize) -> usize {
        self.inner.max_compressed_len(len)
    }
    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.counts.compress.fetch_add(1, Ordering::Relaxed);
        self.clock.advance(Duration::from_micros(200));
        self.inner.compress(src, dst)
    }
    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.counts.decompress.fetch_add(1, Ordering::Relaxed);
        self.clock.advance(Duration::from_micros(200));
        self.inner.decompress(src, dst)
    }
}

#[test]
fn eight_threads_and_faults_every_few_blocks_lose_nothing() {
    let faults = [
        Fault::Busy,
        Fault::Device(-62),
        Fault::Panic,
        Fault::WrongLength,
        Fault::ShortLength,
        Fault::Refuse,
        Fault::Unsupported,
        Fault::Slow(Duration::from_millis(5)),
    ];
    let clock = ManualClock::default();
    let accelerator = FaultInjector::with_clock(
        software(),
        move |n| (n % 5 == 0).then(|| faults[(n / 5) as usize % faults.len()].clone()),
        clock.clone(),
    );
    // Some faults are wrong lengths that only `verify` detects when compressing. Hold-offs last a
    // few blocks, so that the faults continue.
    let policy = Policy::default()
        .with_hold_off(Duration::from_millis(1), Duration::from_millis(4))
        .with_verify(Verify::Compressed);
    let compressor = OffloadCompressor::with_clock(accelerator, software(), policy, clock.clone())
        .expect("engines of one format");

    let counts = Arc::<Counts>::default();
    let family = |schema: Schema| {
        let counting = Counting {
            inner: compressor.clone(),
            counts: Arc::clone(&counts),
            clock: clock.clone(),
        };
        let mut options = plain();
        options.set_write_buffer_size(256 << 10);
        options.set_target_file_size_base(256 << 10);
        options.set_compression_options_parallel_threads(3);
        options.set_block_compressor(counting, schema).expect("a valid schema");
        options
    };
    let dir = tempfile::tempdir().expect("a temporary directory");
    {
        let families = [
            ColumnFamilyDescriptor::new("stock", family(Schema::Stock)),
            ColumnFamilyDescriptor::new("custom", family(Schema::custom("TestThreads"))),
        ];
        let db = DB::open_cf_descriptors(&plain(), dir.path(), families).expect("opened");
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let db = &db;
                scope.spawn(move || work(db, thread));
            }
        });
        for name in ["stock", "custom"] {
            let cf = db.cf_handle(name).expect("exists");
            db.flush_cf(&cf).expect("flushed");
            db.compact_range_cf(&cf, None::<&[u8]>, None::<&[u8]>);
            assert_family(&db, name);
        }
    }
    assert_eq!(incidents(), Incidents::default());

    let stats = compressor.stats();
    let (accelerator, software) = (stats.accelerator, stats.software);
    let calls = |count: &AtomicU64| count.load(Ordering::Relaxed);
    assert_eq!(accelerator.compress.blocks + software.compress.blocks, calls(&counts.compress));
    assert_eq!(
        accelerator.decompress.blocks + software.decompress.blocks,
        calls(&counts.decompress)
    );
    assert_eq!(accelerator.decompress.errors + software.decompress.errors, 0, "{stats}");
    let fallbacks = &stats.fallbacks;
    for (reason, count) in [
        ("device_error", fallbacks.device_error),
        ("panicked", fallbacks.panicked),
        ("wrong_output", fallbacks.wrong_output),
        ("refused", fallbacks.refused),
        ("unsupported", fallbacks.unsupported),
        ("held_off", fallbacks.held_off),
    ] {
        assert!(count > 10, "{reason}: {stats}");
    }
    assert!(accelerator.blocks() > 1000, "{stats}");

    // RocksDB without the adapter reads the stock family.
    let families = ["default", "stock"].map(|n| ColumnFamilyDescriptor::new(n, Options::default()));
    uadk_compress_rocksdb::register(crate::common::software(), Schema::custom("TestThreads"))
        .expect("a valid schema");
    let custom = ColumnFamilyDescriptor::new("custom", Options::default());
    let families = families.into_iter().chain([custom]);
    let db = DB::open_cf_descriptors(&plain(), dir.path(), families)
        .expect("opened without the adapter");
    assert_family(&db, "stock");
    assert_family(&db, "custom");
}

/// Writes, flushes, compacts and reads the thread's own range of keys in both column families.
fn work(db: &DB, thread: u32) {
    let keys = thread * KEYS_PER_THREAD..(thread + 1) * KEYS_PER_THREAD;
    for round in 0..ROUNDS {
        for name in ["stock", "custom"] {
            let cf = db.cf_handle(name).expect("exists");
            for i in keys.clone() {
                db.put_cf(&cf, key(i), round_value(i, round)).expect("written");
            }
            db.flush_cf(&cf).expect("flushed");
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
    let cf = db.cf_handle(name).expect("exists");
    let mut n = 0;
    for record in db.iterator_cf(&cf, rocksdb::IteratorMode::Start) {
        let (k, v) = record.expect("readable");
        assert_eq!((&*k, &*v), (&key(n)[..], &round_value(n, ROUNDS - 1)[..]), "{name}");
        n += 1;
    }
    assert_eq!(n, THREADS * KEYS_PER_THREAD, "{name}");
}
