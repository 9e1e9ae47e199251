//! Waiting for the device: busily at first, then asleep, never without bound.

use std::time::Duration;

use crate::clock::Clock;

/// The first looks follow one another directly.
const SPINS: u32 = 100;
/// Further looks have a yield in between, up to this time since something was found. A block of 8 KiB
/// takes the device 15 us alone, 70 us among 60 others and 140 us among 120 (published); a nap takes
/// as long, and while the first blocks of a batch are waited for, nothing refills the queue.
const BUSY_TIME: Duration = Duration::from_micros(150);
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

    /// Lets a little time pass. Returns the time, and whether it took a nap.
    pub(super) fn pause(&mut self) -> (Duration, bool) {
        self.looks += 1;
        let now = self.clock.now();
        if self.looks <= SPINS {
            std::hint::spin_loop();
            return (now, false);
        }
        if self.looks <= BUSY_LOOKS && now.saturating_sub(self.since) < BUSY_TIME {
            std::thread::yield_now();
            return (now, false);
        }
        self.clock.sleep(self.nap);
        self.nap = (self.nap * 2).min(LONGEST_NAP);
        (self.clock.now(), true)
    }
}
