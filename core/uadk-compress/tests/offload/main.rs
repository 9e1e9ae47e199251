//! Whatever the accelerator does, callers get the right bytes and the counters report what
//! happened.

mod batches;
#[path = "../common/mod.rs"]
mod common;

use std::time::Duration;

use common::{
    block, block_with_far_matches, zlib_compress, zlib_decodes_with_window, zlib_decompress,
};
use uadk_compress::clock::ManualClock;
use uadk_compress::fault::{Fault, FaultInjector};
use uadk_compress::offload::Verify;
use uadk_compress::stats::{BreakerState, Stats};
use uadk_compress::{
    BlockCompressor, Error, Format, Level, Offload, OffloadCompressor, Policy, Settings,
    SoftwareCompressor, Window, conformance,
};

const FORMAT: Format = Format::Zlib;
const LEN: usize = 4096;
const MS: Duration = Duration::from_millis(1);

type Engines = OffloadCompressor;

fn software() -> SoftwareCompressor {
    SoftwareCompressor::new(FORMAT, Level::BALANCED).expect("a supported format")
}

/// Creates engines with an accelerator that fails as `schedule` says, on a manual clock.
fn engines(
    policy: Policy,
    schedule: impl Fn(u64) -> Option<Fault> + Send + Sync + 'static,
) -> (Engines, ManualClock) {
    let clock = ManualClock::default();
    let accelerator = FaultInjector::with_clock(software(), schedule, clock.clone());
    let engines = OffloadCompressor::with_clock(accelerator, software(), policy, clock.clone());
    (engines.expect("one format"), clock)
}

/// Compresses a block and checks it with zlib.
fn compress(engines: &Engines, seed: u64) {
    let data = block(seed, LEN);
    let mut compressed = vec![0; engines.max_compressed_len(LEN)];
    let written = engines.compress(&data, &mut compressed).expect("the bound holds");
    assert!(zlib_decompress(FORMAT, &compressed[..written]).expect("valid data") == data);
}

/// Decompresses a block that zlib compressed.
fn decompress(engines: &Engines, seed: u64) {
    let data = block(seed, LEN);
    let theirs = zlib_compress(FORMAT, 6, &data).expect("writes to memory");
    let mut restored = vec![0; LEN];
    assert_eq!(engines.decompress(&theirs, &mut restored), Ok(LEN));
    assert!(restored == data);
}

/// Asserts that one engine processed each of `blocks` blocks, with a reason for each in software.
fn assert_adds_up(stats: &Stats, blocks: u64) {
    assert_eq!(stats.accelerator.blocks() + stats.software.blocks(), blocks, "{stats}");
    assert_eq!(stats.fallbacks.total(), stats.software.blocks(), "{stats}");
}

#[test]
fn a_healthy_accelerator_processes_every_block() {
    let (engines, _) = engines(Policy::default(), |_| None);
    conformance::all(&engines);
    let before = engines.stats();
    compress(&engines, 1);
    decompress(&engines, 2);
    let after = engines.stats();
    assert_eq!(after.accelerator.compress.blocks - before.accelerator.compress.blocks, 1);
    assert_eq!(after.accelerator.decompress.blocks - before.accelerator.decompress.blocks, 1);
    assert_eq!(after.software.blocks(), before.software.blocks());
    assert_eq!(after.breaker.opened, 0);
}

#[test]
fn conforms_whatever_the_accelerator_does() {
    // All but `WrongOutput`, which `verify` finds in compressed blocks, but which is not checked
    // for in decompressed ones.
    let faults = [
        Fault::Busy,
        Fault::Device(-62),
        Fault::Unavailable,
        Fault::Unsupported,
        Fault::WrongLength,
        Fault::OutputFull,
        Fault::Refuse,
        Fault::Panic,
    ];
    let policy = Policy::default().with_hold_off(Duration::ZERO, Duration::ZERO).with_min_block(0);
    let (engines, clock) = engines(policy, move |n| {
        (n % 2 == 0).then(|| faults[n as usize / 2 % faults.len()].clone())
    });
    clock.advance(MS);
    conformance::all(&engines);
    let stats = engines.stats();
    assert!(stats.accelerator.blocks() > 100 && stats.fallbacks.faults() > 100, "{stats}");
}

#[test]
fn a_busy_accelerator_is_tried_three_times() {
    let (twice, _) = engines(Policy::default(), |n| (n < 2).then_some(Fault::Busy));
    compress(&twice, 1);
    assert_eq!(twice.stats().accelerator.compress.blocks, 1);
    assert_eq!(twice.stats().fallbacks.busy, 0);

    let (thrice, _) = engines(Policy::default(), |n| (n < 3).then_some(Fault::Busy));
    compress(&thrice, 1);
    assert_eq!(thrice.stats().fallbacks.busy, 1);
    assert_eq!(thrice.stats().software.compress.blocks, 1);
    assert_eq!(thrice.stats().breaker.opened, 0, "busy is not a fault");
    decompress(&thrice, 2);
    assert_eq!(thrice.stats().accelerator.decompress.blocks, 1);
    assert_adds_up(&thrice.stats(), 2);
}

#[test]
fn the_breaker_opens_holds_off_tries_one_block_and_closes() {
    let (engines, clock) = engines(Policy::default(), |n| {
        // Request 1 fails, and so does the first trial, request 2.
        (n == 1 || n == 2).then_some(Fault::Device(-62))
    });
    compress(&engines, 0);
    compress(&engines, 1);
    let stats = engines.stats();
    assert_eq!(stats.fallbacks.device_error, 1);
    assert_eq!((stats.breaker.state, stats.breaker.opened), (BreakerState::Open, 1));
    assert_eq!(stats.breaker.hold_off, 100 * MS);

    clock.advance(99 * MS);
    compress(&engines, 2);
    decompress(&engines, 3);
    assert_eq!(engines.stats().fallbacks.held_off, 2);

    clock.advance(MS);
    compress(&engines, 4);
    let stats = engines.stats();
    assert_eq!(stats.fallbacks.device_error, 2, "the trial failed");
    assert_eq!(stats.breaker.hold_off, 200 * MS);

    clock.advance(199 * MS);
    compress(&engines, 5);
    assert_eq!(engines.stats().fallbacks.held_off, 3);

    clock.advance(MS);
    compress(&engines, 6);
    compress(&engines, 7);
    let stats = engines.stats();
    assert_eq!(stats.breaker.state, BreakerState::Closed);
    assert_eq!(stats.breaker.hold_off, 100 * MS, "the hold-off starts over after success");
    assert_eq!(stats.accelerator.compress.blocks, 3);
    assert_eq!(stats.fallbacks.faults(), 2);
    assert_adds_up(&stats, 8);
}

#[test]
fn each_fault_sends_one_block_to_software_and_is_counted_by_its_kind() {
    type Count = fn(&Stats) -> u64;
    let cases: [(Fault, Count, bool); 8] = [
        (Fault::Device(-5), |s| s.fallbacks.device_error, true),
        (Fault::Unavailable, |s| s.fallbacks.unavailable, true),
        (Fault::WrongLength, |s| s.fallbacks.wrong_output, true),
        (Fault::WrongOutput, |s| s.fallbacks.wrong_output, true),
        (Fault::ShortLength, |s| s.fallbacks.wrong_output, true),
        (Fault::OutputFull, |s| s.fallbacks.refused, false),
        (Fault::Panic, |s| s.fallbacks.panicked, true),
        (Fault::Unsupported, |s| s.fallbacks.unsupported, false),
    ];
    for (fault, count, opens) in cases {
        let policy = Policy::default().with_verify(Verify::Compressed);
        let injected = fault.clone();
        let (engines, _) = engines(policy, move |n| (n == 0).then(|| injected.clone()));
        compress(&engines, 1);
        let stats = engines.stats();
        assert_eq!(count(&stats), 1, "{fault:?}: {stats}");
        assert_eq!(stats.breaker.opened, u64::from(opens), "{fault:?}");
        assert_eq!(stats.software.compress.blocks, 1, "{fault:?}");
        assert_adds_up(&stats, 1);
    }
}

#[test]
fn without_verify_wrong_output_is_not_noticed() {
    let (engines, _) = engines(Policy::default(), |_| Some(Fault::WrongOutput));
    let data = block(1, LEN);
    let mut compressed = vec![0; engines.max_compressed_len(LEN)];
    let written =
        engines.compress(&data, &mut compressed).expect("wrong output is not checked for");
    assert!(zlib_decompress(FORMAT, &compressed[..written]).is_err());
}

#[test]
fn a_slow_accelerator_is_not_used_until_it_has_recovered() {
    let (engines, clock) = engines(Policy::default(), |n| (n < 2).then_some(Fault::Slow(10 * MS)));
    compress(&engines, 0);
    compress(&engines, 1);
    assert_eq!(engines.stats().accelerator.compress.blocks, 2, "slow results are still used");
    assert!(engines.stats().delay.compress > 2 * MS);

    compress(&engines, 2);
    assert_eq!(engines.stats().fallbacks.delayed, 1);
    decompress(&engines, 3);
    assert_eq!(engines.stats().accelerator.decompress.blocks, 1, "only one direction is slow");

    clock.advance(100 * MS);
    compress(&engines, 4);
    let stats = engines.stats();
    assert_eq!(stats.accelerator.compress.blocks, 3);
    assert_eq!(stats.breaker.opened, 0, "slow is not a fault");
    assert_adds_up(&stats, 5);
}

#[test]
fn software_decides_whether_a_refused_block_is_corrupt() {
    let (engines, clock) = engines(Policy::default(), |n| (n == 0).then_some(Fault::Refuse));
    decompress(&engines, 1);
    let stats = engines.stats();
    assert_eq!(stats.fallbacks.refused, 1);
    assert_eq!(stats.breaker.opened, 1, "the device was wrong");

    clock.advance(100 * MS);
    let mut restored = [0; LEN];
    assert_eq!(engines.decompress(&[0xff; 100], &mut restored), Err(Error::Corrupt));
    let stats = engines.stats();
    assert_eq!(stats.fallbacks.refused, 2);
    assert_eq!(stats.breaker.state, BreakerState::Closed, "the device was right: a good trial");
    assert_eq!(stats.software.decompress.errors, 1);
    assert_adds_up(&stats, 2);
}

#[test]
fn decompressing_too_little_is_a_fault() {
    let (engines, _) = engines(Policy::default(), |n| (n == 0).then_some(Fault::ShortLength));
    decompress(&engines, 1);
    let stats = engines.stats();
    assert_eq!(stats.fallbacks.refused, 1);
    assert_eq!(stats.breaker.opened, 1);
}

#[test]
fn a_destination_larger_than_needed_is_not_a_fault() {
    // Raw deflate has no checksum that proves that the output is whole, so software is asked.
    for (format, asked) in [(Format::Zlib, 0), (Format::Gzip, 0), (Format::RawDeflate, 1)] {
        let software =
            SoftwareCompressor::new(format, Level::BALANCED).expect("a supported format");
        let engines = OffloadCompressor::new(software.clone(), software, Policy::default())
            .expect("one format");
        let theirs = zlib_compress(format, 6, &block(1, LEN)).expect("writes to memory");
        assert_eq!(engines.decompress(&theirs, &mut [0; 2 * LEN]), Ok(LEN));
        assert_eq!(engines.stats().fallbacks.refused, asked, "{format}");
        assert_eq!(engines.stats().breaker.opened, 0, "{format}");
    }
}

#[test]
fn an_accelerator_that_is_slow_to_refuse_is_not_used_either() {
    #[derive(Debug)]
    struct SlowlyBusy(ManualClock);
    impl BlockCompressor for SlowlyBusy {
        fn format(&self) -> Format {
            FORMAT
        }
        fn max_compressed_len(&self, len: usize) -> usize {
            software().max_compressed_len(len)
        }
        fn compress(&self, _: &[u8], _: &mut [u8]) -> Result<usize, Error> {
            self.0.advance(10 * MS);
            Err(Error::Busy)
        }
        fn decompress(&self, _: &[u8], _: &mut [u8]) -> Result<usize, Error> {
            Err(Error::Busy)
        }
    }
    let clock = ManualClock::default();
    let slow = SlowlyBusy(clock.clone());
    let policy = Policy::default();
    let engines =
        OffloadCompressor::with_clock(slow, software(), policy, clock).expect("one format");
    for _ in 0..2 {
        let mut compressed = vec![0; engines.max_compressed_len(LEN)];
        engines.compress(&block(1, LEN), &mut compressed).expect("the bound holds");
    }
    assert_eq!(engines.stats().fallbacks.busy, 1);
    assert_eq!(engines.stats().fallbacks.delayed, 1);
}

#[test]
fn a_destination_that_is_too_small_is_not_a_fault() {
    let (engines, _) = engines(Policy::default(), |_| None);
    assert_eq!(engines.compress(&block(1, LEN), &mut [0; 10]), Err(Error::OutputFull));
    let stats = engines.stats();
    assert_eq!(stats.accelerator.compress.output_full, 1);
    assert_eq!(stats.breaker.opened, 0);

    let theirs = zlib_compress(FORMAT, 6, &block(1, LEN)).expect("writes to memory");
    assert_eq!(engines.decompress(&theirs, &mut [0; LEN - 1]), Err(Error::OutputFull));
    assert_eq!(engines.stats().breaker.opened, 0);
    assert_adds_up(&engines.stats(), 2);
}

#[test]
fn small_and_large_blocks_go_to_software() {
    let policy = Policy::default().with_min_block(1000).with_max_block(LEN);
    let (engines, _) = engines(policy, |_| None);
    for len in [0, 1, 999, 1000, LEN, LEN + 1] {
        let data = block(1, len);
        let mut compressed = vec![0; engines.max_compressed_len(len)];
        let written = engines.compress(&data, &mut compressed).expect("the bound holds");
        assert!(zlib_decompress(FORMAT, &compressed[..written]).expect("valid data") == data);
    }
    let stats = engines.stats();
    assert_eq!(stats.fallbacks.too_small, 3);
    assert_eq!(stats.fallbacks.too_large, 1);
    assert_eq!(stats.accelerator.compress.blocks, 2);
}

#[test]
fn offload_can_be_switched_while_running() {
    let (engines, _) = engines(Policy::default(), |_| None);
    compress(&engines, 1);
    engines.clone().set_offload(Offload::Off).expect("always possible");
    compress(&engines, 2);
    engines.set_offload(Offload::Require).expect("an accelerator");
    compress(&engines, 3);
    let stats = engines.stats();
    assert_eq!(stats.accelerator.compress.blocks, 2);
    assert_eq!(stats.fallbacks.switched_off, 1);
    assert_eq!(stats.offload, Offload::Require);
}

#[test]
fn an_engine_with_another_level_shares_counters_and_breaker() {
    let (engines, _) = engines(Policy::default(), |n| (n == 0).then_some(Fault::Device(-1)));
    let best = engines.reconfigured(&Settings::new().with_level(Level::BEST));
    let best = best.expect("software has levels");
    let mut compressed = vec![0; best.max_compressed_len(LEN)];
    best.compress(&block(1, LEN), &mut compressed).expect("the bound holds");
    assert_eq!(engines.stats().fallbacks.device_error, 1);
    compress(&engines, 2);
    assert_eq!(engines.stats().fallbacks.held_off, 1);
}

#[test]
fn another_window_applies_to_both_engines_which_share_counters() {
    let data = block_with_far_matches(65_536);
    let is_within = |engine: &dyn BlockCompressor| {
        zlib_decodes_with_window(14, FORMAT, &common::compress(engine, &data), &data)
    };
    let software = || SoftwareCompressor::new(FORMAT, Level::FASTEST).expect("a supported format");
    let both =
        OffloadCompressor::new(software(), software(), Policy::default()).expect("one format");
    let settings = Settings::new().with_window(Window::Kib16);
    let limited = both.reconfigured(&settings).expect("both have windows");
    assert!(is_within(&limited) && !is_within(&both));
    both.set_offload(Offload::Off).expect("always possible");
    assert!(is_within(&limited) && !is_within(&both));
    assert_eq!(both.stats().accelerator.compress.blocks, 2);
    assert_eq!(both.stats().software.compress.blocks, 2);

    // An engine that does not support the setting stays as it is.
    let without = || WithoutSettings(software());
    let one = OffloadCompressor::new(without(), software(), Policy::default()).expect("one format");
    let limited = one.reconfigured(&settings).expect("software has windows");
    assert!(!is_within(&limited));
    one.set_offload(Offload::Off).expect("always possible");
    assert!(is_within(&limited));
    let one = OffloadCompressor::new(software(), without(), Policy::default()).expect("one format");
    assert!(is_within(&one.reconfigured(&settings).expect("the accelerator has windows")));
    let none = OffloadCompressor::new(without(), without(), Policy::default()).expect("one format");
    assert!(none.reconfigured(&settings).is_none());
}

/// An engine that can't be reconfigured.
#[derive(Debug)]
struct WithoutSettings(SoftwareCompressor);

impl BlockCompressor for WithoutSettings {
    fn format(&self) -> Format {
        self.0.format()
    }
    fn max_compressed_len(&self, len: usize) -> usize {
        self.0.max_compressed_len(len)
    }
    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.0.compress(src, dst)
    }
    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.0.decompress(src, dst)
    }
}

#[test]
fn engines_of_different_formats_can_not_be_combined() {
    let raw =
        SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED).expect("a supported format");
    let error = OffloadCompressor::new(raw, software(), Policy::default()).unwrap_err();
    assert!(error.to_string().contains("zlib"), "{error}");
}

#[test]
fn verify_requires_the_stream_to_end_where_the_accelerator_says() {
    #[derive(Debug)]
    struct Verbose(SoftwareCompressor);
    impl BlockCompressor for Verbose {
        fn format(&self) -> Format {
            self.0.format()
        }
        fn max_compressed_len(&self, len: usize) -> usize {
            self.0.max_compressed_len(len) + 3
        }
        fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
            self.0.compress(src, dst).map(|written| written + 3)
        }
        fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
            self.0.decompress(src, dst)
        }
    }
    for format in [Format::Zlib, Format::Gzip] {
        let software =
            SoftwareCompressor::new(format, Level::BALANCED).expect("a supported format");
        let policy = Policy::default().with_verify(Verify::Compressed);
        let engines = OffloadCompressor::new(Verbose(software.clone()), software, policy)
            .expect("one format");
        let mut compressed = vec![0; engines.max_compressed_len(LEN)];
        engines.compress(&block(1, LEN), &mut compressed).expect("the bound holds");
        assert_eq!(engines.stats().fallbacks.wrong_output, 1, "{format}");
    }
}

#[test]
fn no_block_is_lost_with_many_threads_and_faults() {
    const THREADS: u64 = 8;
    const BLOCKS: u64 = 200;
    let faults = [Fault::Busy, Fault::Device(-62), Fault::Panic, Fault::WrongLength];
    let policy = Policy::default().with_hold_off(MS, 4 * MS);
    let (engines, clock) =
        engines(policy, move |n| (n % 5 == 0).then(|| faults[(n / 5 % 4) as usize].clone()));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (engines, clock) = (&engines, &clock);
            scope.spawn(move || {
                for i in 0..BLOCKS {
                    compress(engines, thread * BLOCKS + i);
                    decompress(engines, thread * BLOCKS + i);
                    clock.advance(MS / 4);
                }
            });
        }
    });
    let stats = engines.stats();
    assert_adds_up(&stats, 2 * THREADS * BLOCKS);
    assert!(stats.accelerator.blocks() > 0 && stats.fallbacks.faults() > 0, "{stats}");
}
