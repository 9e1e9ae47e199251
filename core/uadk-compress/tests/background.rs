//! Callers do not wait for a device that is slow to open. Compressors initialise it in a background
//! thread here, as they do outside tests.

mod common;
#[path = "uadk/rig.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod rig;

use std::sync::mpsc::channel;
use std::time::Duration;

use rig::MS;
use uadk_compress::{Compressor, Error, Format, Offload, Policy, UadkConfig};
use uadk_sim::{Fault, Machine, Simulator};

/// Far longer than anything here takes; a test that waits for the device would wait forever.
const WATCHDOG: Duration = Duration::from_secs(60);

/// Runs `work`, and fails if it does not end.
fn without_waiting<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(WATCHDOG).expect("does not wait for the device")
}

fn auto() -> Compressor {
    let builder = Compressor::builder().format(Format::Zlib);
    builder.build_on(&uadk_sim::libwd()).expect("nothing is required")
}

#[test]
fn building_using_and_dropping_a_compressor_does_not_wait_for_initialisation() {
    let sim = Simulator::acquire(Machine::default());
    let hold = sim.hold_open();
    without_waiting(|| {
        let compressors = [auto(), auto(), auto()];
        for compressor in &compressors {
            rig::compress(compressor, 1);
            rig::decompress_batch(compressor, 3);
            let stats = compressor.stats();
            assert_eq!((stats.fallbacks.starting, stats.breaker.opened), (4, 0), "{stats}");
            assert_eq!(stats.uadk.as_ref().and_then(|u| u.outage.clone()), Some(Error::Starting));
            assert!(stats.to_string().contains("being initialised"), "{stats}");
            compressor.set_offload(Offload::Off).expect("always possible");
            compressor.set_offload(Offload::Auto).expect("always possible");
        }
    });
    // Once initialised, the device is released, since it has no users left.
    drop(hold);
    wait_until(|| sim.counts().uninits == 1);
    assert_eq!(sim.counts().sessions_alive, 0);
}

#[test]
fn blocks_go_to_the_device_as_soon_as_it_is_initialised() {
    let sim = Simulator::acquire(Machine::default());
    let hold = sim.hold_open();
    let compressor = auto();
    rig::compress(&compressor, 1);
    drop(hold);
    wait_until(|| compressor.stats().uadk.is_some_and(|uadk| uadk.initialisations == 1));
    rig::compress(&compressor, 2);
    let stats = compressor.stats();
    assert_eq!((stats.accelerator.blocks(), stats.fallbacks.starting), (1, 1), "{stats}");
    drop(compressor);
    wait_until(|| sim.counts().uninits == 1);
}

#[test]
fn earlier_initialisations_are_counted_during_another_one() {
    let sim = Simulator::acquire(Machine::default());
    let compressor = Compressor::builder()
        .format(Format::Zlib)
        .uadk(UadkConfig::default().with_hold_off(Duration::ZERO))
        .policy(Policy::default().with_hold_off(Duration::ZERO, Duration::ZERO))
        .build_on(&uadk_sim::libwd())
        .expect("nothing is required");
    let stats = || compressor.stats().uadk.expect("a UADK engine");
    wait_until(|| stats().initialisations == 1);
    rig::compress(&compressor, 1);
    let hold = sim.hold_open();
    sim.fault(Fault::Reset, 1);
    wait_until(|| {
        rig::compress(&compressor, 2);
        stats().outage == Some(Error::Starting)
    });
    assert_eq!(stats().initialisations, 1, "{}", stats());
    drop(hold);
    wait_until(|| stats().initialisations == 2);
    drop(compressor);
    wait_until(|| sim.counts().uninits == 2);
}

#[test]
fn require_waits_up_to_its_limit() {
    let sim = Simulator::acquire(Machine::default());
    let hold = sim.hold_open();
    let required = |limit| {
        let builder = Compressor::builder().format(Format::Zlib).offload(Offload::Require);
        let config = UadkConfig::default().with_start_limit(limit);
        builder.uadk(config).build_on(&uadk_sim::libwd())
    };
    assert_eq!(required(10 * MS).map(|_| ()), Err(Error::Starting));
    let waiting = std::thread::spawn(move || required(WATCHDOG));
    drop(hold);
    let compressor = waiting.join().expect("no panic").expect("initialised in time");
    rig::compress(&compressor, 1);
    assert_eq!(compressor.stats().accelerator.blocks(), 1, "{}", compressor.stats());
    drop(compressor);
    wait_until(|| sim.counts().uninits == 1);
}

/// Waits until another thread makes `condition` true.
fn wait_until(mut condition: impl FnMut() -> bool) {
    let begin = std::time::Instant::now();
    while !condition() {
        assert!(begin.elapsed() < WATCHDOG, "timed out waiting for the condition");
        std::thread::sleep(Duration::from_millis(1));
    }
}
