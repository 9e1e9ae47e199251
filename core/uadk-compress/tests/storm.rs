//! Sixteen threads with mixed sizes and directions, and seeded faults of all kinds, for about a
//! minute.

mod common;

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use uadk_compress::clock::Clock;
use uadk_compress::offload::Verify;
use uadk_compress::stats::Stats;
use uadk_compress::{
    Block, BlockCompressor, Compressor, Format, Level, OffloadCompressor, Policy,
    SoftwareCompressor, UadkCompressor, UadkConfig,
};
use uadk_sim::{Machine, Simulator};

use common::{block, zlib_compress, zlib_decompress};

const THREADS: u64 = 16;
/// The second is the last one, unless memory grew.
const ROUNDS: u64 = 4;
const CALLS: u64 = 18_000;
const BUILDS: usize = 300;
const LENS: [usize; 6] = [1, 1024, 4096, 8192, 65_536, 200_000];

/// A clock with a separate time for each thread during a call. The time advances when the thread
/// sleeps, and a little whenever the clock is read. Each call begins at the time of the thread that
/// is furthest ahead.
#[derive(Clone, Debug)]
struct ThreadTime;

static LATEST: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Runs a call and returns how long it took.
fn timed(call: impl FnOnce()) -> Duration {
    let begin = NOW.get().max(Duration::from_nanos(LATEST.load(Ordering::Relaxed)));
    NOW.set(begin);
    call();
    LATEST.fetch_max(NOW.get().as_nanos() as u64, Ordering::Relaxed);
    NOW.get().saturating_sub(begin)
}

impl Clock for ThreadTime {
    fn now(&self) -> Duration {
        NOW.set(NOW.get() + Duration::from_nanos(100));
        NOW.get()
    }
    fn sleep(&self, duration: Duration) {
        NOW.set(NOW.get() + duration);
        // Lets the other threads run, since this one may be waiting for their polls.
        std::thread::yield_now();
    }
}

type Engines = OffloadCompressor;

#[test]
fn sixteen_threads_and_random_faults_cause_no_wrong_byte_and_no_error() {
    let sim = Simulator::acquire(Machine::default());
    sim.script(
        "seed=42; busy=1/40; context=1/3000; reset=1/9000; lost=1/5000:400; late=1/15:7; \
         flip=1/700; status=1/600:67; short=1/900:1; claims=1/900:4000000000; \
         consumed=1/1500:7; empty=1/1500; keeps=1/6000:-5; submit-delay=1/400:900; \
         open-delay=30000",
    )
    .expect("a valid script");
    // Opening takes 30 s on the clock of the thread that waits for it.
    sim.set_sleeper(std::sync::Arc::new(|time| ThreadTime.sleep(time)));
    let config =
        UadkConfig::default().with_hold_off(Duration::ZERO).with_deadline(Duration::from_millis(5));
    // No hold-offs, so that the faults go on.
    let policy = Policy::default()
        .with_hold_off(Duration::ZERO, Duration::ZERO)
        .with_verify(Verify::Compressed)
        .with_max_delay(Duration::from_millis(50));
    let libwd = uadk_sim::libwd();
    let uadk = UadkCompressor::with_libwd(&libwd, Format::Zlib, &config, ThreadTime);
    let uadk = uadk.expect("UADK is installed");
    uadk.start().expect("a device");
    let software =
        SoftwareCompressor::new(Format::Zlib, Level::FASTEST).expect("a supported format");
    let engines = OffloadCompressor::with_clock(uadk.clone(), software, policy, ThreadTime);
    let engines = engines.expect("one format");

    let round = || {
        run(&engines, config.deadline);
        // Late writes make buffers that were given up resident again.
        (resident(), uadk.stats().quarantined_bytes)
    };
    // What allocators keep for threads varies, and grows in some rounds. A leak of 120 bytes per
    // call would exceed the limit in every round.
    let (mut before, mut lost_before) = round();
    let leaks = (1..ROUNDS).all(|_| {
        let (now, lost) = round();
        let grew = now.saturating_sub(before) >= lost - lost_before + (32 << 20);
        (before, lost_before) = (now, lost);
        grew
    });
    assert!(!leaks, "memory grew in every round, to {before} bytes");

    let stats = engines.stats();
    assert_all_faults_counted(&stats);
    // The initialisation after the last fault may be in progress.
    let _ = uadk.start();
    let uadk = uadk.stats();
    assert!(uadk.initialisations > 2 && uadk.lost > 0, "{uadk}");
    assert_eq!(uadk.sessions, 0, "the threads have ended: {uadk}");
    // Buffers of 8 KiB to 256 KiB.
    assert!(uadk.quarantined_bytes <= uadk.lost as usize * (256 << 10), "{uadk}");
    sim.clear_faults();
    let _ = sim.write_late();
    let counts = sim.counts();
    assert_eq!(counts.in_flight, 0);
    assert_eq!(counts.sessions_alive, counts.sessions_lost, "only lost sessions stay alive");
}

/// Runs one round of all threads.
fn run(engines: &Engines, deadline: Duration) {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || work(engines, thread, deadline)))
            .collect();
        // Building and dropping compressors never waits for the initialisations, of which the
        // faults cause many.
        for _ in 0..BUILDS {
            let took = timed(|| {
                let builder = Compressor::builder().format(Format::Zlib);
                drop(builder.build_on(&uadk_sim::libwd()).expect("nothing is required"));
            });
            assert!(took < Duration::from_millis(50), "building and dropping took {took:?}");
            std::thread::yield_now();
        }
        // Joined, so that their sessions are freed.
        for thread in threads {
            thread.join().expect("no panic");
        }
    });
}

/// Returns the resident memory of this process in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: usize = statm.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a number");
    pages * 4096
}

/// Asserts that the faults happened and were classified correctly.
fn assert_all_faults_counted(stats: &Stats) {
    let fallbacks = &stats.fallbacks;
    for (reason, count) in [
        ("busy", fallbacks.busy),
        ("device_error", fallbacks.device_error),
        ("timed_out", fallbacks.timed_out),
        ("wrong_output", fallbacks.wrong_output),
        ("refused", fallbacks.refused),
        ("held_off", fallbacks.held_off),
        ("too_small", fallbacks.too_small),
    ] {
        assert!(count > 0, "{reason}: {stats}");
    }
    // The number depends on how long threads with a session are kept from running.
    assert!(stats.accelerator.blocks() > 20_000, "{stats}");
    let errors = stats.accelerator.decompress.errors + stats.software.decompress.errors;
    assert_eq!(errors + stats.software.compress.errors, 0, "{stats}");
    assert_eq!(fallbacks.total(), stats.software.blocks(), "{stats}");
}

fn work(engines: &Engines, thread: u64, deadline: Duration) {
    let blocks: Vec<_> = LENS.iter().map(|&len| block(thread * 100 + len as u64, len)).collect();
    let theirs: Vec<_> = blocks
        .iter()
        .map(|block| zlib_compress(Format::Zlib, 1, block).expect("writes to memory"))
        .collect();
    let capacity = engines.max_compressed_len(LENS[LENS.len() - 1]);
    let mut outputs = vec![vec![0; capacity]; 24];
    for call in 0..CALLS {
        let first = (call * 7 + thread) as usize % LENS.len();
        let many = if call % 5 == 0 { 24 } else { 1 };
        let compress = (call + thread).is_multiple_of(2);
        let sources = if compress { &blocks } else { &theirs };
        // Large blocks only one at a time: the test is of the device, not of zlib.
        let pick = |i: usize| if many > 1 { (first + i) % 4 } else { (first + i) % LENS.len() };
        let mut batch: Vec<_> = outputs[..many]
            .iter_mut()
            .enumerate()
            .map(|(i, dst)| {
                let capacity = if compress { capacity } else { blocks[pick(i)].len() };
                Block::new(&sources[pick(i)], &mut dst[..capacity])
            })
            .collect();
        let took = timed(|| match (compress, many) {
            (true, 1) => batch[0].run(|src, dst| engines.compress(src, dst)),
            (false, 1) => batch[0].run(|src, dst| engines.decompress(src, dst)),
            (true, _) => engines.compress_batch(&mut batch),
            (false, _) => engines.decompress_batch(&mut batch),
        });
        assert!(took < deadline + 2 * Duration::from_millis(1), "call {call} took {took:?}");
        let written: Vec<_> =
            batch.iter().map(|block| block.result().expect("no error surfaces")).collect();
        for (i, written) in written.into_iter().enumerate() {
            let output = &outputs[i][..written];
            let data = &blocks[pick(i)];
            if compress {
                let restored = zlib_decompress(Format::Zlib, output).expect("valid data");
                assert!(restored == *data, "wrong bytes in call {call}");
            } else {
                assert!(output == data, "wrong bytes in call {call}");
            }
        }
    }
}
