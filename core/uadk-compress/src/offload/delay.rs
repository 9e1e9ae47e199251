//! A moving average of the accelerator's delay.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::nanos;

/// Weight of a new measurement, as a power of two: 1/8.
const WEIGHT_SHIFT: u32 = 3;

/// Without measurements the average halves in this time, so that an accelerator that was too slow
/// is tried again.
const HALF_LIFE: Duration = Duration::from_millis(100);

/// Moving average of one direction's delay.
///
/// When two threads record at once, one measurement may be lost, which an average tolerates.
#[derive(Debug, Default)]
pub(super) struct MovingAverage {
    nanos: AtomicU64,
    updated: AtomicU64,
}

impl MovingAverage {
    /// Adds a measurement made at `now`.
    pub(super) fn record(&self, delay: Duration, now: Duration) {
        self.record_many(delay, 1, now);
    }

    /// Adds the same measurement several times, once for each block of a batch.
    pub(super) fn record_many(&self, delay: Duration, times: usize, now: Duration) {
        let mut average = nanos(self.at(now));
        let share = nanos(delay) >> WEIGHT_SHIFT;
        // After this many, the previous average counts for less than 1 %.
        for _ in 0..times.min(6 << WEIGHT_SHIFT) {
            average = average - (average >> WEIGHT_SHIFT) + share;
        }
        self.nanos.store(average, Ordering::Relaxed);
        self.updated.store(nanos(now), Ordering::Relaxed);
    }

    /// Returns the average, decayed to `now`.
    pub(super) fn at(&self, now: Duration) -> Duration {
        let idle = nanos(now).saturating_sub(self.updated.load(Ordering::Relaxed));
        let halvings = idle / nanos(HALF_LIFE);
        let average = self.nanos.load(Ordering::Relaxed);
        Duration::from_nanos(average >> halvings.min(63))
    }

    /// Returns whether the average is above `limit`. Calls `now` only if the undecayed average is.
    pub(super) fn exceeds(&self, limit: Duration, now: impl FnOnce() -> Duration) -> bool {
        self.nanos.load(Ordering::Relaxed) > nanos(limit) && self.at(now()) > limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn one_slow_block_is_tolerated_but_several_are_not() {
        let average = MovingAverage::default();
        average.record(10 * MS, MS);
        assert!(!average.exceeds(2 * MS, || MS));
        average.record(10 * MS, 2 * MS);
        assert!(average.exceeds(2 * MS, || 2 * MS));
    }

    #[test]
    fn it_decays_while_nothing_is_measured() {
        let average = MovingAverage::default();
        for _ in 0..100 {
            average.record(8 * MS, MS);
        }
        assert!(average.exceeds(2 * MS, || 200 * MS));
        assert!(!average.exceeds(2 * MS, || 302 * MS));
    }
}
