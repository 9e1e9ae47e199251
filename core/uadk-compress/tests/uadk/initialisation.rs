//! Initialising the device, losing it, and getting it back.

use std::time::Duration;

use uadk_compress::stats::BreakerState;
use uadk_compress::{
    BlockCompressor, Error, Format, Policy, UadkCompressor, UadkConfig, conformance,
};
use uadk_sim::{Machine, Simulator};

use crate::rig::{MS, Rig, assert_adds_up};

#[test]
fn a_healthy_device_processes_every_block() {
    for machine in [Machine::default(), Machine::without_raw_deflate()] {
        for format in [Format::RawDeflate, Format::Zlib, Format::Gzip] {
            let policy = Policy::default().with_min_block(0);
            let sim = Simulator::acquire(machine.clone());
            let libwd = uadk_sim::libwd_of("2.8");
            let rig = Rig::on_libwd(sim, &libwd, format, &UadkConfig::default(), policy);
            conformance::all(&rig.engines);
            let before = rig.stats();
            rig.compress(1);
            rig.compress_batch(100);
            rig.decompress(2);
            rig.decompress_batch(100);
            let after = rig.stats();
            let compressed = after.accelerator.compress.blocks - before.accelerator.compress.blocks;
            assert_eq!(compressed, 101, "{after}");
            let decompressed =
                after.accelerator.decompress.blocks - before.accelerator.decompress.blocks;
            // Raw deflate would have to be decompressed as zlib, whose trailer is unknown.
            let offered = machine.algorithms.contains(&format.name());
            assert_eq!(decompressed, if offered { 101 } else { 0 }, "{after}");
            assert_eq!(after.breaker.opened, 0, "{after}");
        }
    }
}

#[test]
fn without_a_device_an_engine_can_not_be_started_and_says_why() {
    let rig = Rig::with(
        Machine::without_device(),
        Format::Zlib,
        &UadkConfig::default(),
        Policy::default(),
    );
    let error = rig.uadk.start().unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert!(error.to_string().contains("no UACCE device"), "{error}");
    assert_eq!(rig.uadk.stats().outage, Some(error));
}

#[test]
fn a_format_that_no_device_has_is_unsupported() {
    let machine = Machine { algorithms: vec!["zlib"], ..Machine::default() };
    let rig = Rig::with(machine, Format::Zlib, &UadkConfig::default(), Policy::default());
    rig.uadk.start().expect("the device offers zlib");
    let gzip = rig.uadk.with_format(Format::Gzip).expect("another device might offer it");
    assert!(matches!(gzip.start(), Err(Error::Unsupported(_))));
    assert!(matches!(gzip.compress(&[1; 4096], &mut [0; 9000]), Err(Error::Unsupported(_))));
    let raw = rig.uadk.with_format(Format::RawDeflate).expect("via zlib");
    raw.start().expect("via zlib");
    assert!(raw.compress(&[1; 4096], &mut [0; 9000]).is_ok());
    let snappy = rig.uadk.with_format(Format::Custom("snappy"));
    assert!(matches!(snappy, Err(Error::Unsupported(_))));
}

#[test]
fn a_device_without_permission_is_used_once_permitted() {
    let machine = Machine { permission: false, ..Machine::default() };
    let rig = Rig::with(machine, Format::Zlib, &UadkConfig::default(), Policy::default());
    rig.compress(1);
    let stats = rig.stats();
    assert_eq!(stats.fallbacks.unavailable, 1, "{stats}");
    let cause = stats.breaker.cause.expect("the breaker opened").to_string();
    assert!(cause.contains("write permission"), "{cause}");
    rig.sim.permit(true);
    rig.clock.advance(100 * MS);
    rig.compress(2);
    rig.decompress(3);
    let stats = rig.stats();
    assert_eq!(stats.accelerator.blocks(), 2, "{stats}");
    assert_adds_up(&stats, 3);
}

#[test]
fn queues_that_were_all_taken_are_used_once_they_are_free_again() {
    let sim = Simulator::acquire(Machine::default());
    sim.take_all_queues();
    let rig = Rig::on(sim, Format::Zlib, &UadkConfig::default(), Policy::default());
    assert!(matches!(rig.uadk.start(), Err(Error::Unavailable(_))));
    rig.compress(1);
    assert_eq!(rig.stats().fallbacks.unavailable, 1);
    // They are still taken. Without intervention the driver would stay disabled from now on.
    rig.clock.advance(100 * MS);
    rig.compress(2);
    assert_eq!(rig.stats().fallbacks.unavailable, 2);
    rig.sim.release_queues();
    rig.clock.advance(200 * MS);
    rig.compress(3);
    let stats = rig.stats();
    assert_eq!(stats.accelerator.compress.blocks, 1, "{stats}");
    assert_eq!(stats.breaker.state, BreakerState::Closed);
    assert_adds_up(&stats, 3);
}

#[test]
fn a_device_that_was_isolated_after_a_reset_is_used_once_it_no_longer_is() {
    let rig = Rig::new();
    rig.compress(0);
    rig.sim.isolate(true);
    rig.sim.reset_device();
    for seed in 0..10 {
        rig.compress(seed);
        rig.clock.advance(100 * MS);
    }
    let stats = rig.stats();
    assert_eq!(stats.accelerator.blocks(), 1, "{stats}");
    assert!(stats.fallbacks.unavailable > 1, "{stats}");
    rig.sim.isolate(false);
    rig.clock.advance(30_000 * MS);
    rig.compress(2);
    assert_eq!(rig.stats().accelerator.compress.blocks, 2, "{}", rig.stats());
}

#[test]
fn another_librarys_initialisation_is_used_and_not_undone() {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(sim.initialise_as_other(), 0);
    let rig = Rig::on(sim, Format::Zlib, &UadkConfig::default(), Policy::default());
    rig.compress_batch(100);
    rig.decompress_batch(100);
    assert_eq!(rig.stats().accelerator.blocks(), 200);
    assert_eq!(
        rig.uadk.stats().contexts,
        4,
        "two per direction, among those for synchronous calls"
    );
    let Rig { engines, uadk, sim, .. } = rig;
    drop((engines, uadk));
    let counts = sim.counts();
    assert_eq!((counts.inits, counts.uninits, counts.sessions_alive), (1, 0, 0));
    sim.uninitialise_as_other();
}

#[test]
fn the_device_is_initialised_after_another_library_undid_its_initialisation() {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(sim.initialise_as_other(), 0);
    let rig = Rig::on(sim, Format::Zlib, &UadkConfig::default(), Policy::default());
    rig.uadk.start().expect("already initialised");
    rig.sim.uninitialise_as_other();
    rig.compress(1);
    assert_eq!(rig.stats().fallbacks.unavailable, 1, "{}", rig.stats());
    rig.clock.advance(100 * MS);
    rig.compress(2);
    assert_eq!(rig.stats().accelerator.compress.blocks, 1);
    assert_eq!(rig.sim.counts().inits, 2);
}

#[test]
fn a_device_that_was_reset_is_initialised_again() {
    let rig = Rig::new();
    rig.compress_batch(64);
    rig.decompress(1);
    rig.sim.reset_device();
    rig.compress_batch(64);
    let stats = rig.stats();
    assert_eq!(stats.fallbacks.device_error, 64, "{stats}");
    assert_eq!(stats.breaker.cause, Some(Error::Device { code: -62 }));
    assert_eq!(rig.uadk.stats().outage, Some(Error::Device { code: -62 }));
    assert_eq!(rig.uadk.stats().sessions, 0, "idle sessions of both directions are freed");

    rig.clock.advance(100 * MS);
    rig.compress_batch(64);
    rig.decompress_batch(64);
    let stats = rig.stats();
    assert_eq!(stats.breaker.state, BreakerState::Closed, "{stats}");
    assert_eq!(stats.accelerator.blocks(), 64 + 1 + 128);
    assert_eq!(rig.uadk.stats().initialisations, 2);
    let counts = rig.sim.counts();
    assert_eq!((counts.inits, counts.uninits), (2, 1));
    assert_adds_up(&stats, 64 + 1 + 64 + 128);
}

#[test]
fn a_device_that_was_reset_with_blocks_in_flight_is_initialised_again() {
    let rig = Rig::new();
    rig.compress_batch(64);
    rig.sim.fault(uadk_sim::Fault::Reset, 40);
    rig.compress_batch(64);
    let stats = rig.stats();
    assert_eq!(stats.breaker.opened, 1, "{stats}");
    assert!(rig.lost() > 0);
    rig.clock.advance(100 * MS);
    rig.compress_batch(64);
    let stats = rig.stats();
    assert_eq!(stats.accelerator.blocks() + stats.fallbacks.device_error, 192, "{stats}");
    assert!(rig.quarantined() > 0, "the device may still write there");
}

#[test]
fn an_unplugged_device_only_costs_speed_until_it_is_back() {
    let rig = Rig::new();
    rig.compress(1);
    rig.sim.unplug();
    for seed in 0..20 {
        rig.compress(seed);
        rig.decompress(seed);
        rig.clock.advance(50 * MS);
    }
    let stats = rig.stats();
    assert_eq!(stats.accelerator.blocks(), 1, "{stats}");
    assert!(stats.fallbacks.held_off > 20, "{stats}");
    rig.sim.plug_in();
    rig.clock.advance(30_000 * MS);
    rig.compress(2);
    assert_eq!(rig.stats().accelerator.blocks(), 2, "{}", rig.stats());
}

#[test]
fn the_device_is_released_with_the_last_engine_and_taken_again_by_the_next() {
    let Rig { engines, uadk, clock, sim, .. } = Rig::new();
    uadk.start().expect("a healthy device");
    let gzip = uadk.with_format(Format::Gzip).expect("a supported format");
    drop((engines, uadk));
    assert_eq!(sim.counts().uninits, 0, "gzip still uses it");
    crate::rig::compress(&gzip, 1);
    drop(gzip);
    let counts = sim.counts();
    assert_eq!((counts.uninits, counts.sessions_alive), (1, 0));
    let config = UadkConfig::default().with_background(false);
    let again = UadkCompressor::with_libwd(&uadk_sim::libwd(), Format::Zlib, &config, clock);
    let again = again.expect("UADK is installed");
    crate::rig::compress(&again, 2);
    assert_eq!(again.format(), Format::Zlib);
}

#[test]
fn a_failed_device_is_released_with_the_last_engine_too() {
    let Rig { engines, uadk, sim, .. } = Rig::new();
    crate::rig::compress(&engines, 1);
    sim.reset_device();
    crate::rig::compress(&engines, 2);
    assert_eq!(sim.counts().uninits, 0, "it stays initialised until it is tried again");
    drop((engines, uadk));
    assert_eq!(sim.counts().uninits, 1);
}

#[test]
fn only_the_configured_numa_node_is_used() {
    let machine = Machine { numa_nodes: vec![0, 1], ..Machine::default() };
    let everywhere = UadkConfig::default();
    let rig = Rig::with(machine.clone(), Format::Zlib, &everywhere, Policy::default());
    rig.compress(1);
    assert_eq!(rig.uadk.stats().contexts, 16);
    drop(rig);
    let one = UadkConfig::default().with_numa_node(Some(1)).with_contexts(3);
    let rig = Rig::with(machine, Format::Zlib, &one, Policy::default());
    rig.compress(1);
    rig.decompress(1);
    assert_eq!(rig.uadk.stats().contexts, 6);
    assert_eq!(rig.stats().accelerator.blocks(), 2);
}

#[test]
fn sessions_of_an_initialisation_that_another_library_undid_are_not_used() {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(sim.initialise_as_other(), 0);
    let rig = Rig::on(sim, Format::Zlib, &UadkConfig::default(), Policy::default());
    rig.compress_batch(10);
    rig.decompress(1);
    rig.sim.uninitialise_as_other();
    rig.compress(2);
    rig.decompress_batch(2);
    let stats = rig.stats();
    assert_eq!((stats.fallbacks.unavailable, stats.fallbacks.held_off), (1, 2), "{stats}");
    rig.clock.advance(100 * MS);
    rig.compress(3);
    rig.decompress(3);
    assert_eq!(rig.stats().accelerator.blocks(), 13, "{}", rig.stats());
    assert_eq!(rig.sim.counts().inits, 2);
}

#[test]
fn engines_created_separately_on_the_same_library_share_its_initialisation() {
    let rig = Rig::new();
    rig.compress(1);
    let second = UadkCompressor::with_libwd(
        &uadk_sim::libwd(),
        Format::Gzip,
        &UadkConfig::default().with_background(false),
        rig.clock.clone(),
    )
    .expect("UADK is installed");
    crate::rig::compress(&second, 1);
    let Rig { engines, uadk, sim, .. } = rig;
    drop((engines, uadk));
    crate::rig::compress(&second, 2);
    let counts = sim.counts();
    assert_eq!((counts.inits, counts.uninits), (1, 0));
    drop(second);
    assert_eq!(sim.counts().uninits, 1);
}

#[test]
fn a_direction_without_contexts_does_not_affect_the_other() {
    // Happens with the environment variable WD_COMP_CTX_NUM or another library's initialisation.
    let rig = Rig::new();
    rig.compress(1);
    let no_decompression = Policy::default().with_hold_off(100 * MS, Duration::from_secs(30));
    let engines = crate::rig::engines(&rig.uadk, no_decompression, &rig.clock);
    rig.sim.refuse_sessions(Some(uadk_sim::Direction::Decompress));
    for seed in 0..5 {
        crate::rig::decompress(&engines, seed);
        crate::rig::compress(&engines, seed);
    }
    let stats = engines.stats();
    assert_eq!((stats.fallbacks.unsupported, stats.breaker.opened), (5, 0), "{stats}");
    assert_eq!(stats.accelerator.compress.blocks, 5, "{stats}");
}

#[test]
fn sessions_from_before_another_library_initialised_again_are_not_used() {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(sim.initialise_as_other(), 0);
    let rig = Rig::on(sim, Format::Zlib, &UadkConfig::default(), Policy::default());
    rig.compress(0);
    rig.sim.uninitialise_as_other();
    assert_eq!(rig.sim.initialise_as_other(), 0);
    rig.compress(1);
    rig.compress_batch(10);
    assert_eq!(rig.stats().accelerator.blocks(), 12, "{}", rig.stats());
}
