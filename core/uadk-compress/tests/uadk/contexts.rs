//! Failing contexts and full queues.

use uadk_compress::fault::{self, FaultInjector};
use uadk_compress::stats::BreakerState;
use uadk_compress::{
    Error, Format, Level, OffloadCompressor, Policy, SoftwareCompressor, UadkConfig,
};
use uadk_sim::{Fault, Machine};

use crate::rig::{MS, Rig, assert_adds_up};

#[test]
fn a_context_that_fails_within_a_batch_is_replaced_by_another() {
    let rig = Rig::new();
    rig.compress(0);
    rig.sim.fault(Fault::Context(-62), 30);
    rig.compress_batch(100);
    let stats = rig.stats();
    assert_eq!(stats.accelerator.compress.blocks, 101, "retried on another context: {stats}");
    assert_eq!(stats.breaker.opened, 0, "{stats}");
    let uadk = rig.uadk.stats();
    assert_eq!((uadk.contexts, uadk.failed_contexts, uadk.initialisations), (8, 1, 1), "{uadk}");
    rig.compress_batch(100);
    rig.decompress_batch(100);
    assert_adds_up(&rig.stats(), 301);
    assert_eq!(rig.stats().software.blocks(), 0);
}

#[test]
fn an_idle_session_whose_context_has_failed_is_replaced() {
    let rig = Rig::new();
    rig.compress(0);
    let counts = rig.sim.counts();
    let used = counts.by_context.iter().position(|context| context.submitted > 0);
    rig.sim.fail_context(used.expect("a used context") as u32);
    rig.compress(1);
    let stats = rig.stats();
    assert_eq!(stats.accelerator.compress.blocks, 2, "{stats}");
    assert_eq!(rig.uadk.stats().failed_contexts, 1);
}

#[test]
fn a_direction_with_no_context_left_is_a_fault_of_the_device() {
    let rig = Rig::new();
    rig.decompress(0);
    // The contexts for compression come first.
    (0..4).for_each(|index| rig.sim.fail_context(index));
    rig.compress(1);
    let stats = rig.stats();
    assert_eq!(stats.fallbacks.device_error, 1, "{stats}");
    assert_eq!(stats.breaker.cause, Some(Error::Device { code: -62 }));
    rig.clock.advance(100 * MS);
    rig.compress(2);
    rig.decompress(3);
    let stats = rig.stats();
    assert_eq!(stats.accelerator.blocks(), 3, "{stats}");
    assert_eq!(stats.breaker.state, BreakerState::Closed);
    assert_eq!(rig.uadk.stats().initialisations, 2);
}

#[test]
fn a_full_queue_is_tried_three_times_before_the_block_goes_to_software() {
    let rig = Rig::new();
    rig.compress(0);
    rig.sim.full_queue(0);
    let before = rig.sim.counts().busy;
    rig.compress(1);
    assert_eq!(rig.sim.counts().busy - before, 3);
    let stats = rig.stats();
    assert_eq!(stats.fallbacks.busy, 1, "{stats}");
    assert_eq!(stats.breaker.opened, 0, "{stats}");
    rig.sim.full_queue(1023);
    rig.compress(2);
    assert_eq!(rig.stats().accelerator.compress.blocks, 2);
}

#[test]
fn while_the_queue_is_full_the_caller_compresses_instead_of_waiting() {
    let rig = Rig::new();
    rig.compress(0);
    rig.sim.full_queue(8);
    // Each block stays in the queue for many polls.
    rig.sim.set_faults(|_| Some(Fault::Late { polls: 40 }));
    rig.compress_batch(200);
    let stats = rig.stats();
    assert!(stats.fallbacks.busy > 8, "{stats}");
    assert!(stats.accelerator.compress.blocks > 16, "{stats}");
    assert_adds_up(&stats, 201);
    assert_eq!(stats.breaker.opened, 0, "{stats}");
}

#[test]
fn a_batch_keeps_as_many_blocks_in_flight_as_configured() {
    for depth in [1, 7, 64] {
        let config = UadkConfig::default().with_depth(depth);
        let rig = Rig::with(Machine::default(), Format::Zlib, &config, Policy::default());
        rig.compress(0);
        // One block more than the depth would find the queue full.
        rig.sim.full_queue(depth);
        rig.compress_batch(300);
        assert_eq!(rig.stats().accelerator.compress.blocks, 301, "{}", rig.stats());
        assert_eq!(rig.sim.counts().busy, 0);
    }
}

#[test]
fn a_batch_whose_buffers_do_not_fit_keeps_fewer_blocks_in_flight() {
    for staging in [0, 64 << 10] {
        let config = UadkConfig::default().with_staging(staging);
        let rig = Rig::with(Machine::default(), Format::Zlib, &config, Policy::default());
        rig.compress_batch(64);
        rig.decompress_batch(64);
        let stats = rig.stats();
        assert_eq!(stats.accelerator.blocks(), 128, "{stats}");
    }
}

#[test]
fn errors_of_single_submissions_do_not_reach_the_caller() {
    for code in [-5, -12, -22, -11, -16] {
        let rig = Rig::new();
        rig.compress(0);
        rig.sim.fault(Fault::Return(code), 20);
        rig.compress_batch(64);
        let stats = rig.stats();
        assert_adds_up(&stats, 65);
        assert!(stats.software.blocks() <= 1, "{code}: {stats}");
        assert_eq!(stats.breaker.opened, 0, "{code}: {stats}");
    }
}

#[test]
fn a_panic_while_the_queue_is_full_leaves_the_device_usable() {
    let rig = Rig::new();
    rig.compress(0);
    rig.sim.full_queue(8);
    rig.sim.set_faults(|_| Some(Fault::Late { polls: 40 }));
    // Software processes a block while the queue is full, and panics on the first one.
    let software = SoftwareCompressor::new(Format::Zlib, Level::FAST).expect("a supported format");
    let software = FaultInjector::new(software, |n| (n == 0).then_some(fault::Fault::Panic));
    let engines = OffloadCompressor::with_clock(
        rig.uadk.clone(),
        software,
        Policy::default(),
        rig.clock.clone(),
    );
    let engines = engines.expect("one format");
    crate::rig::compress_batch(&engines, 20);
    let stats = engines.stats();
    assert_eq!((stats.fallbacks.panicked, stats.breaker.opened), (20, 1), "{stats}");

    rig.sim.clear_faults();
    rig.sim.full_queue(1023);
    rig.compress_batch(64);
    let stats = rig.stats();
    assert_eq!(stats.accelerator.compress.blocks, 65, "{stats}");
    assert_eq!(rig.lost(), 8);
}
