//! Waiting for the device: spins first, then yields, then sleeps; never without bound.

use std::time::Duration;

use crate::clock::Clock;

/// The first polls follow one another directly.
const SPINS: u32 = 100;
/// Further polls yield in between, until this long after the last completion. The device takes
/// 15 us for an 8 KiB block alone, 70 us among 60 others and 140 us among 120 (published figures).
/// A nap takes as long, and nothing refills the queue while the first blocks of a batch are
/// awaited.
const BUSY_TIME: Duration = Duration::from_micros(150);
/// Ends busy waiting if the clock stands still.
const MAX_BUSY_POLLS: u32 = 2000;
/// The first nap; each further one is twice as long, up to the longest.
const FIRST_NAP: Duration = Duration::from_micros(20);
const LONGEST_NAP: Duration = Duration::from_micros(320);

/// Paces polls that find nothing.
#[derive(Debug)]
pub(super) struct Wait<'a> {
    clock: &'a dyn Clock,
    since: Duration,
    polls: u32,
    nap: Duration,
}

impl<'a> Wait<'a> {
    pub(super) const fn new(clock: &'a dyn Clock, now: Duration) -> Self {
        Self { clock, since: now, polls: 0, nap: FIRST_NAP }
    }

    /// Starts spinning again, after a completion was found.
    pub(super) const fn reset(&mut self, now: Duration) {
        *self = Self::new(self.clock, now);
    }

    /// Lets a little time pass. Returns the time, and whether it slept.
    pub(super) fn pause(&mut self) -> (Duration, bool) {
        self.polls += 1;
        let now = self.clock.now();
        if self.polls <= SPINS {
            std::hint::spin_loop();
            return (now, false);
        }
        if self.polls <= MAX_BUSY_POLLS && now.saturating_sub(self.since) < BUSY_TIME {
            std::thread::yield_now();
            return (now, false);
        }
        self.clock.sleep(self.nap);
        self.nap = (self.nap * 2).min(LONGEST_NAP);
        (self.clock.now(), true)
    }
}
