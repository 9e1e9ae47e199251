//! Completions that come late or never. The manual clock advances when the engine sleeps.

use std::time::Duration;

use uadk_compress::clock::Clock;
use uadk_compress::fault::{self, FaultInjector};
use uadk_compress::stats::BreakerState;
use uadk_compress::{
    Block, BlockCompressor, Error, Format, Level, OffloadCompressor, Policy, SoftwareCompressor,
    UadkConfig,
};
use uadk_sim::{Fault, Machine};

use crate::common::block;
use crate::rig::{LEN, MS, Rig, assert_adds_up};

const DEADLINE: Duration = Duration::from_millis(100);

/// Returns how long a call took on the test's clock.
fn time(rig: &Rig, call: impl FnOnce(&Rig)) -> Duration {
    let before = rig.clock.now();
    call(rig);
    rig.clock.now().saturating_sub(before)
}

#[test]
fn a_lost_completion_takes_its_deadline_before_the_block_goes_to_software() {
    let rig = Rig::new();
    rig.compress(0);
    rig.sim.fault(Fault::Lost { write_late: true }, 1);
    let took = time(&rig, |rig| rig.compress(1));
    assert!(took >= DEADLINE && took < DEADLINE + MS, "{took:?}");
    let stats = rig.stats();
    assert_eq!(stats.fallbacks.timed_out, 1, "{stats}");
    assert_eq!(stats.breaker.opened, 0, "one lost block does not count as a fault: {stats}");
    assert_eq!(rig.lost(), 1);
    let quarantined = rig.quarantined();
    assert!(quarantined >= LEN);

    // The delay keeps blocks away from the device, until its average has decayed.
    rig.compress(2);
    assert_eq!(rig.stats().fallbacks.delayed, 1);
    rig.clock.advance(1000 * MS);
    rig.compress(3);
    assert_eq!(rig.stats().accelerator.compress.blocks, 2, "{}", rig.stats());
    assert_eq!(rig.quarantined(), quarantined, "the buffer is kept");
    assert_eq!(rig.sim.write_late(), 1);
    rig.compress(4);
}

#[test]
fn a_late_write_reaches_no_live_buffer() {
    let rig = Rig::new();
    rig.compress_batch(64);
    rig.decompress_batch(64);
    rig.sim.set_faults(|request| {
        request.number.is_multiple_of(5).then_some(Fault::Lost { write_late: true })
    });
    // The caller's buffers, compared before and after the late writes.
    let (sources, mut outputs) = (block(1, LEN), vec![vec![0x11; 2 * LEN]; 64]);
    let mut blocks: Vec<_> = outputs.iter_mut().map(|dst| Block::new(&sources, dst)).collect();
    rig.engines.compress_batch(&mut blocks);
    let written: Vec<_> = blocks.iter().map(|block| block.result().expect("done")).collect();
    let before = outputs.clone();
    rig.sim.clear_faults();

    // New blocks use new buffers, while the device writes to the old ones.
    let stats = rig.stats();
    assert!(stats.fallbacks.timed_out > 5, "{stats}");
    rig.clock.advance(1000 * MS);
    rig.sim.write_late_after(3);
    assert!(rig.sim.counts().late_writes_pending > 5);
    let done = rig.sim.write_late();
    assert!(done > 5, "{done}");
    rig.compress_batch(64);
    rig.decompress_batch(64);
    assert!(outputs == before, "a late write reached the caller");
    for (output, written) in outputs.iter().zip(written) {
        let restored = crate::common::zlib_decompress(Format::Zlib, &output[..written]);
        assert!(restored.expect("valid data") == sources);
    }
    assert!(rig.stats().accelerator.blocks() >= 4 * 64, "{}", rig.stats());
}

#[test]
fn lost_completions_in_a_batch_take_one_deadline_together() {
    let rig = Rig::new();
    rig.compress(0);
    rig.sim.fault(Fault::Lost { write_late: false }, 10);
    rig.sim.fault(Fault::Lost { write_late: false }, 20);
    let took = time(&rig, |rig| rig.compress_batch(64));
    assert!(took >= DEADLINE && took < DEADLINE + MS, "{took:?}");
    let stats = rig.stats();
    assert_eq!(stats.fallbacks.timed_out, 2, "{stats}");
    assert_eq!(stats.accelerator.compress.blocks, 63, "{stats}");
    assert_eq!(rig.uadk.stats().sessions, 0, "the session is abandoned");
    rig.clock.advance(1000 * MS);
    rig.compress_batch(64);
    assert_eq!(rig.stats().accelerator.compress.blocks, 63 + 64, "{}", rig.stats());
    assert_adds_up(&rig.stats(), 129);
}

#[test]
fn buffers_of_blocks_past_their_deadline_are_freed_once_the_device_is_done() {
    let rig = Rig::new();
    rig.compress(0);
    rig.sim.fault(Fault::Delay(150 * MS), 1);
    rig.compress(1);
    let stats = rig.stats();
    assert_eq!(stats.fallbacks.timed_out, 1, "{stats}");
    assert!(rig.quarantined() > 0);
    rig.clock.advance(1000 * MS);
    // A session on the same context is polled sooner or later.
    rig.sim.clear_faults();
    for round in 0..8 {
        std::thread::scope(|scope| {
            scope.spawn(|| rig.compress(round)).join().expect("no panic");
        });
    }
    assert_eq!(rig.quarantined(), 0, "{}", rig.uadk.stats());
    assert_eq!(rig.stats().accelerator.compress.blocks, 9, "{}", rig.stats());
}

#[test]
fn a_device_that_completes_nothing_is_initialised_again() {
    let rig = Rig::new();
    rig.compress(0);
    rig.sim.set_faults(|_| Some(Fault::Lost { write_late: false }));
    // First the existing session times out, then a fresh one.
    for seed in 0..2 {
        rig.compress(seed);
        rig.clock.advance(1000 * MS);
    }
    let reason = Error::Unavailable("the device completes nothing".into());
    assert_eq!(rig.uadk.stats().outage, Some(reason.clone()));
    let stats = rig.stats();
    assert_eq!(
        (stats.breaker.opened, stats.breaker.cause),
        (1, Some(reason)),
        "a fault of the device"
    );
    rig.sim.clear_faults();
    for seed in 0..3 {
        rig.compress(seed);
        rig.clock.advance(1000 * MS);
    }
    let stats = rig.stats();
    assert!(stats.accelerator.compress.blocks >= 3, "{stats}");
    assert_eq!(stats.breaker.state, BreakerState::Closed, "{stats}");
    assert_eq!(rig.uadk.stats().initialisations, 2);
}

#[test]
fn every_call_ends_with_its_deadline_whatever_goes_wrong() {
    // Alternating: the context fails, the next one never answers, and so on.
    let rig = Rig::new();
    rig.compress_batch(64);
    rig.sim.set_faults(|request| match request.number % 4 {
        0 => Some(Fault::Lost { write_late: true }),
        1 => Some(Fault::Context(-62)),
        2 => Some(Fault::Late { polls: 30 }),
        _ => None,
    });
    for seed in 0..200 {
        let took =
            time(
                &rig,
                |rig| if seed % 3 == 0 { rig.compress_batch(20) } else { rig.decompress(seed) },
            );
        assert!(took < DEADLINE + MS, "call {seed} took {took:?}");
        rig.clock.advance(10 * MS);
    }
}

#[test]
fn a_slow_device_is_not_used_until_it_has_recovered() {
    let rig = Rig::new();
    rig.compress(0);
    rig.sim.set_faults(|_| Some(Fault::Delay(20 * MS)));
    rig.compress(1);
    rig.compress(2);
    let stats = rig.stats();
    assert!(stats.delay.compress > 2 * MS, "{stats}");
    rig.compress(3);
    assert!(rig.stats().fallbacks.delayed > 0, "{}", rig.stats());
    rig.sim.clear_faults();
    rig.clock.advance(500 * MS);
    rig.compress(4);
    let stats = rig.stats();
    assert_eq!(stats.fallbacks.timed_out, 0, "{stats}");
    assert_eq!(stats.breaker.opened, 0, "{stats}");
}

#[test]
fn the_deadline_can_be_configured() {
    let config = UadkConfig::default().with_deadline(7 * MS);
    let rig = Rig::with(Machine::default(), Format::Zlib, &config, Policy::default());
    rig.compress(0);
    rig.sim.fault(Fault::Lost { write_late: false }, 1);
    let took = time(&rig, |rig| rig.compress(1));
    assert!(took >= 7 * MS && took < 8 * MS, "{took:?}");
}

#[test]
fn blocks_that_complete_while_software_works_are_not_given_up() {
    let rig = Rig::new();
    rig.compress(0);
    rig.sim.full_queue(8);
    // Not done at the first poll, but at the next.
    rig.sim.set_faults(|_| Some(Fault::Late { polls: 1 }));
    // In software a block takes longer than the deadline.
    let software = SoftwareCompressor::new(Format::Zlib, Level::FAST).expect("a supported format");
    let slow = |_| Some(fault::Fault::Slow(2 * DEADLINE));
    let software = FaultInjector::with_clock(software, slow, rig.clock.clone());
    let policy = Policy::default().with_busy_tries(1).with_max_delay(Duration::MAX);
    let engines =
        OffloadCompressor::with_clock(rig.uadk.clone(), software, policy, rig.clock.clone());
    let engines = engines.expect("one format");
    crate::rig::compress_batch(&engines, 40);
    let stats = engines.stats();
    assert!(stats.accelerator.blocks() >= 16, "{stats}");
    assert_eq!(stats.fallbacks.busy, stats.software.blocks(), "{stats}");
    assert_eq!(rig.lost(), 0);
}

#[test]
fn a_deadline_may_be_arbitrarily_long() {
    let config = UadkConfig::default().with_deadline(Duration::MAX).with_hold_off(Duration::MAX);
    let rig = Rig::with(Machine::default(), Format::Zlib, &config, Policy::default());
    rig.compress_batch(64);
    rig.sim.reset_device();
    rig.compress(1);
    let stats = rig.stats();
    assert_eq!(
        (stats.accelerator.compress.blocks, stats.fallbacks.device_error),
        (64, 1),
        "{stats}"
    );
}
