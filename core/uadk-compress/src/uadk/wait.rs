//! Waiting for the device: busily at first, then asleep, never without bound.

use std::time::Duration;

use crate::Clock;

/// Looks that are taken busily, some 10 us: a block takes the device 15 us alone, and about 1 us
/// each in a deep batch.
const BUSY_LOOKS: u32 = 200;
/// A nap, and what it grows to. A thread that naps leaves its core to others.
const FIRST_NAP: Duration = Duration::from_micros(20);
const LONGEST_NAP: Duration = Duration::from_micros(320);

/// Time between looks that found nothing.
#[derive(Debug)]
pub(super) struct Wait<'a> {
    clock: &'a dyn Clock,
    looks: u32,
    nap: Duration,
}

impl<'a> Wait<'a> {
    pub(super) const fn new(clock: &'a dyn Clock) -> Self {
        Self { clock, looks: 0, nap: FIRST_NAP }
    }

    /// Something was found: be quick again.
    pub(super) const fn reset(&mut self) {
        self.looks = 0;
        self.nap = FIRST_NAP;
    }

    /// Lets a little time pass; gives the time if some has.
    pub(super) fn pause(&mut self) -> Option<Duration> {
        if self.looks < BUSY_LOOKS {
            self.looks += 1;
            std::hint::spin_loop();
            return None;
        }
        self.clock.sleep(self.nap);
        self.nap = (self.nap * 2).min(LONGEST_NAP);
        Some(self.clock.now())
    }
}
