//! Devices that are slow to open or not present yet, and idle sessions.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use uadk_compress::clock::{Clock, ManualClock};
use uadk_compress::{BlockCompressor, Error, Format, Policy, UadkCompressor, UadkConfig};
use uadk_sim::{Machine, Simulator};

use crate::rig::{LEN, MS, Rig, assert_adds_up};

#[test]
fn a_hold_off_begins_at_the_end_of_the_failed_attempt() {
    let sim = Simulator::acquire(Machine { busy_node: true, ..Machine::default() });
    let slow = Duration::from_secs(20);
    sim.slow_open(slow);
    let rig = Rig::on(sim, Format::Zlib, &UadkConfig::default(), Policy::default());
    let clock = rig.clock.clone();
    rig.sim.set_sleeper(Arc::new(move |time| clock.advance(time)));
    let attempt = |expected: Duration| {
        let begin = rig.clock.now();
        let result = rig.uadk.compress(&[1; LEN], &mut [0; 2 * LEN]);
        assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
        assert_eq!(rig.clock.now(), begin + expected);
    };
    attempt(slow);
    attempt(Duration::ZERO);
    rig.clock.advance(99 * MS);
    attempt(Duration::ZERO);
    rig.clock.advance(MS);
    attempt(slow);
    rig.sim.busy_node(false);
    rig.sim.slow_open(Duration::ZERO);
    rig.clock.advance(100 * MS);
    assert!(rig.uadk.compress(&[1; LEN], &mut [0; 2 * LEN]).is_ok());
}

#[test]
fn a_device_that_is_absent_at_first_is_used_when_it_appears() {
    let rig = Rig::with(
        Machine::without_device(),
        Format::Zlib,
        &UadkConfig::default(),
        Policy::default(),
    );
    for seed in 0..20 {
        rig.compress(seed);
        rig.decompress(seed);
        rig.clock.advance(100 * MS);
    }
    let stats = rig.stats();
    assert!(stats.fallbacks.unavailable > 1 && stats.fallbacks.held_off > 20, "{stats}");
    let cause = stats.breaker.cause.as_ref().expect("the breaker opened").to_string();
    assert!(cause.contains("no UACCE device"), "{cause}");
    rig.sim.plug_in();
    rig.clock.advance(Policy::default().longest_hold_off);
    rig.compress(1);
    rig.decompress(2);
    let stats = rig.stats();
    assert_eq!(stats.accelerator.blocks(), 2, "{stats}");
    assert_adds_up(&stats, 42);
}

#[test]
fn without_a_free_context_the_library_is_not_asked_for_one() {
    let sim = Simulator::acquire(Machine::default());
    sim.take_all_queues();
    let rig = Rig::on(sim, Format::Zlib, &UadkConfig::default(), Policy::default());
    let error = rig.uadk.start().unwrap_err();
    assert!(error.to_string().contains("free context"), "{error}");
    rig.sim.release_queues();
    // Three: one per direction, and one left for others.
    rig.sim.claim_contexts(Some(3));
    rig.clock.advance(100 * MS);
    rig.uadk.start().expect("enough are free");
    assert_eq!(rig.uadk.stats().contexts, 2);
}

#[test]
fn sessions_that_have_been_idle_for_long_are_freed_while_others_work() {
    let rig = Rig::new();
    rig.compress(1);
    let ((end, ended), (done, idle)) = (channel::<()>(), channel());
    let rig = &rig;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            rig.compress(2);
            rig.decompress(2);
            done.send(()).expect("a receiver");
            // The thread stays alive and idle.
            let _ = ended.recv();
        });
        idle.recv().expect("a sender");
        assert_eq!(rig.uadk.stats().sessions, 3);
        rig.clock.advance(UadkConfig::default().idle / 2);
        rig.compress(3);
        rig.clock.advance(UadkConfig::default().idle / 2 + MS);
        rig.compress(4);
        assert_eq!(rig.uadk.stats().sessions, 1, "{}", rig.uadk.stats());
        drop(end);
    });
    assert_eq!(rig.sim.counts().sessions_alive, 1);
}

#[test]
fn after_a_dropped_engine_the_next_one_uses_a_device_that_was_reset() {
    let rig = Rig::new();
    rig.compress(1);
    rig.sim.reset_device();
    rig.compress(2);
    let Rig { engines, uadk, sim, .. } = rig;
    let again = uadk.clone();
    drop((engines, uadk, again));
    let clock = ManualClock::default();
    let config = UadkConfig::default().with_background(false);
    let next = UadkCompressor::with_libwd(&uadk_sim::libwd(), Format::Zlib, &config, clock);
    crate::rig::compress(&next.expect("UADK is installed"), 3);
    assert_eq!((sim.counts().inits, sim.counts().uninits), (2, 2));
}
