//! Memory lost to a device is lost for the whole process, so this test has its own.

mod common;
#[path = "uadk/rig.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod rig;

use rig::{LEN, MS, Rig};
use uadk_compress::{BlockCompressor, Error, Format, Policy, UadkCompressor, UadkConfig};
use uadk_sim::{Fault, Machine};

#[test]
fn a_device_that_has_lost_too_much_is_no_longer_used_by_this_engine_or_the_next() {
    let config = UadkConfig::default().with_max_quarantine(100 << 10).with_background(false);
    let rig = Rig::with(Machine::default(), Format::Zlib, &config, Policy::default());
    rig.sim.set_faults(|request| {
        request.number.is_multiple_of(3).then_some(Fault::Lost { write_late: false })
    });
    for seed in 0..100 {
        rig.compress(seed);
        rig.clock.advance(2000 * MS);
    }
    let cause = rig.stats().breaker.cause.expect("the breaker opened").to_string();
    assert!(cause.contains("max_quarantine"), "{cause}");
    let lost = rig.quarantined();
    assert!(lost > 100 << 10 && lost < 150 << 10, "{lost}");

    let Rig { engines, uadk, clock, sim, .. } = rig;
    sim.clear_faults();
    drop((engines, uadk));
    let next = UadkCompressor::with_libwd(&uadk_sim::libwd(), Format::Zlib, &config, clock);
    let next = next.expect("UADK is installed");
    assert_eq!(next.stats().quarantined_bytes, lost);
    let result = next.compress(&[1; LEN], &mut [0; 2 * LEN]);
    assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
}
