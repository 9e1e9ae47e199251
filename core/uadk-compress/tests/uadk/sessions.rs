//! Sessions: kept by threads, limited in number, and evicted.

use std::sync::Barrier;
use std::thread::ScopedJoinHandle;

use parking_lot::Mutex;
use uadk_compress::{Format, Policy, UadkConfig};
use uadk_sim::Machine;

use crate::rig::{Rig, compress, compress_batch, decompress, engines};

#[test]
fn a_thread_keeps_one_session_per_direction() {
    let rig = Rig::new();
    for seed in 0..50 {
        rig.compress(seed);
        rig.decompress(seed);
    }
    rig.compress_batch(50);
    let counts = rig.sim.counts();
    assert_eq!((counts.sessions_allocated, counts.sessions_alive), (2, 2));
    assert_eq!(rig.uadk.stats().sessions, 2);
}

#[test]
fn two_hundred_short_lived_threads_leave_no_session_behind() {
    let rig = Rig::new();
    // Otherwise one thread would initialise it, and meanwhile the others' blocks go to software.
    rig.uadk.start().expect("a healthy device");
    for _ in 0..25 {
        std::thread::scope(|scope| {
            let rig = &rig;
            let work = |seed| {
                scope.spawn(move || {
                    rig.compress(seed);
                    rig.decompress(seed);
                })
            };
            join((0..8).map(work).collect());
        });
        assert!(rig.uadk.stats().sessions <= 16);
    }
    assert_eq!(rig.uadk.stats().sessions, 0);
    let counts = rig.sim.counts();
    assert!(counts.sessions_allocated <= 400, "{counts:?}");
    assert_eq!(counts.sessions_alive, 0);
    let stats = rig.stats();
    assert_eq!(stats.accelerator.blocks() + stats.fallbacks.busy, 400, "{stats}");
}

#[test]
fn idle_sessions_of_other_threads_are_evicted_when_there_are_too_many() {
    let config = UadkConfig::default().with_max_sessions(3);
    let rig = Rig::with(Machine::default(), Format::Zlib, &config, Policy::default());
    // Otherwise one thread would initialise it, and meanwhile the others' blocks go to software.
    rig.uadk.start().expect("a healthy device");
    let (all_have, done) = (Barrier::new(9), Barrier::new(9));
    std::thread::scope(|scope| {
        let work = |seed| {
            let (rig, all_have, done) = (&rig, &all_have, &done);
            scope.spawn(move || {
                rig.compress(seed);
                all_have.wait();
                done.wait();
                rig.compress(seed);
            })
        };
        let threads: Vec<_> = (0..8).map(work).collect();
        all_have.wait();
        let before = rig.uadk.stats();
        rig.decompress(1);
        let after = rig.uadk.stats();
        // No assertion before this: a panic would leave the threads waiting.
        done.wait();
        join(threads);
        for stats in [before, after] {
            assert!(stats.sessions <= 3, "{stats}");
        }
    });
    assert_eq!(rig.stats().accelerator.blocks() + rig.stats().fallbacks.busy, 17);
}

#[test]
fn an_engine_dropped_while_other_threads_hold_sessions_leaves_nothing_behind() {
    let Rig { engines, uadk, sim, .. } = Rig::new();
    let (have, dropped) = (Barrier::new(5), Barrier::new(5));
    // One at a time: a block that finds the device busy goes to software and takes no session.
    let turn = Mutex::new(());
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let (turn, have, dropped) = (&turn, &have, &dropped);
            let engines = engines.clone();
            scope.spawn(move || {
                {
                    let _turn = turn.lock();
                    compress(&engines, seed);
                }
                drop(engines);
                have.wait();
                // Its idle session has been taken away before the thread ends.
                dropped.wait();
            });
        }
        have.wait();
        let held = sim.counts();
        drop((engines, uadk));
        let counts = sim.counts();
        // No assertion before this: a panic would leave the threads waiting.
        dropped.wait();
        assert_eq!(held.sessions_alive, 4);
        assert_eq!((counts.sessions_alive, counts.uninits), (0, 1));
    });
    assert_eq!(sim.counts().uninits, 1);
}

#[test]
fn two_engines_of_different_formats_share_the_device() {
    let rig = Rig::new();
    rig.uadk.start().expect("a healthy device");
    let gzip = rig.uadk.with_format(Format::Gzip).expect("a supported format");
    let gzip = engines(&gzip, Policy::default(), &rig.clock);
    std::thread::scope(|scope| {
        let work = |seed| {
            let (rig, gzip) = (&rig, &gzip);
            scope.spawn(move || {
                for _ in 0..10 {
                    rig.compress(seed);
                    compress(gzip, seed);
                    rig.decompress(seed);
                    decompress(gzip, seed);
                    compress_batch(gzip, 20);
                }
            })
        };
        join((0..4).map(work).collect());
    });
    for stats in [rig.stats(), gzip.stats()] {
        assert_eq!(stats.software.blocks(), stats.fallbacks.busy, "{stats}");
        assert!(stats.accelerator.blocks() > 70, "{stats}");
    }
    assert_eq!(rig.sim.counts().inits, 1);
}

/// Waits for threads to end. A scope only waits for their closures, but threads may hold sessions
/// until they end.
fn join(threads: Vec<ScopedJoinHandle<'_, ()>>) {
    for thread in threads {
        thread.join().expect("no panic");
    }
}
