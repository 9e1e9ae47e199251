//! Waiting for the device: busily at first, then asleep, never without bound.

use std::time::Duration;

use crate::clock::Clock;

/// Looks in direct succession, ...
const SPINS: u32 = 100;
/// ... then with a yield in between, up to this time since something was found. A block of 8 KiB
/// takes the device 15 us alone and some 60 us among others (published); a nap takes as long.
const BUSY_TIME: Duration = Duration::from_micros(60);
/// The limit on a clock that stands still.
const BUSY_LOOKS: u32 = 2000;
/// The first nap, and what it grows to.
const FIRST_NAP: Duration = Duration::from_micros(20);
const LONGEST_NAP: Duration = Duration::from_micros(320);

/// Time between looks that found nothing.
#[derive(Debug)]
pub(super) struct Wait<'a> {
    clock: &'a dyn Clock,
    since: Duration,
    looks: u32,
    nap: Duration,
}

impl<'a> Wait<'a> {
    pub(super) const fn new(clock: &'a dyn Clock, now: Duration) -> Self {
        Self { clock, since: now, looks: 0, nap: FIRST_NAP }
    }

    /// Something was found: be quick again.
    pub(super) const fn reset(&mut self, now: Duration) {
        *self = Self::new(self.clock, now);
    }

    /// Lets a little time pass. Returns the time after a nap.
    pub(super) fn pause(&mut self) -> Option<Duration> {
        self.looks += 1;
        if self.looks <= SPINS {
            std::hint::spin_loop();
            return None;
        }
        if self.looks <= BUSY_LOOKS && self.clock.now().saturating_sub(self.since) < BUSY_TIME {
            std::thread::yield_now();
            return None;
        }
        self.clock.sleep(self.nap);
        self.nap = (self.nap * 2).min(LONGEST_NAP);
        Some(self.clock.now())
    }
}
