//! The circuit breaker: keeps blocks away from an accelerator that failed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::nanos;
use crate::stats::BreakerState;

/// No faults: every block may go.
const CLOSED: u64 = 0;
/// One block is out to try whether the accelerator works again.
const TRIAL: u64 = u64::MAX;

/// Lets blocks pass until one fails; then none for a hold-off, then one to try. If that one
/// succeeds everything passes again, if not the hold-off doubles.
///
/// The whole state is one number, so that a closed breaker costs one load per block: [`CLOSED`],
/// [`TRIAL`], or else open, with the clock's nanosecond at which a trial is due.
#[derive(Debug)]
pub(super) struct Breaker {
    state: AtomicU64,
    /// Of the present or next opening. Written only by who moved `state`, so nobody races.
    hold_off: AtomicU64,
    opened: AtomicU64,
    first_hold_off: u64,
    longest_hold_off: u64,
}

/// Leave to send one block, or one batch, to the accelerator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Permit {
    Normal,
    /// The block on which the breaker's next state depends.
    Trial,
}

impl Breaker {
    pub(super) fn new(first_hold_off: Duration, longest_hold_off: Duration) -> Self {
        let first = nanos(first_hold_off);
        Self {
            state: AtomicU64::new(CLOSED),
            hold_off: AtomicU64::new(first),
            opened: AtomicU64::new(0),
            first_hold_off: first,
            longest_hold_off: nanos(longest_hold_off).max(first),
        }
    }

    /// Whether a block may go to the accelerator. The caller of a permit answers it with one of
    /// [`success`](Self::success), [`fault`](Self::fault) and [`no_verdict`](Self::no_verdict).
    pub(super) fn admit(&self, now: impl FnOnce() -> Duration) -> Option<Permit> {
        match self.state.load(Ordering::Acquire) {
            CLOSED => Some(Permit::Normal),
            TRIAL => None,
            due if nanos(now()) < due => None,
            due => self
                .state
                .compare_exchange(due, TRIAL, Ordering::AcqRel, Ordering::Relaxed)
                .ok()
                .map(|_| Permit::Trial),
        }
    }

    /// The accelerator did the block.
    pub(super) fn success(&self, permit: Permit) {
        if permit == Permit::Trial {
            self.hold_off.store(self.first_hold_off, Ordering::Relaxed);
            self.state.store(CLOSED, Ordering::Release);
            tracing::info!("the accelerator works again: blocks go to it");
        }
    }

    /// The accelerator failed on the block.
    pub(super) fn fault(&self, permit: Permit, now: Duration) {
        let first = self.first_hold_off;
        let hold_off = match permit {
            Permit::Normal => first,
            Permit::Trial => {
                self.hold_off.load(Ordering::Relaxed).saturating_mul(2).min(self.longest_hold_off)
            }
        };
        let due = nanos(now).saturating_add(hold_off).clamp(1, TRIAL - 1);
        if permit == Permit::Trial {
            self.hold_off.store(hold_off, Ordering::Relaxed);
            self.state.store(due, Ordering::Release);
        } else if self
            .state
            .compare_exchange(CLOSED, due, Ordering::AcqRel, Ordering::Relaxed)
            .is_err()
        {
            return; // Another block of the same trouble has opened it already.
        }
        self.opened.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
            hold_off_ms = hold_off / 1_000_000,
            "the accelerator failed: blocks go to software until it has been tried again"
        );
    }

    /// The block said nothing about the accelerator's health: it was busy, or doesn't do such
    /// blocks.
    pub(super) fn no_verdict(&self, permit: Permit, now: Duration) {
        if permit == Permit::Trial {
            self.state.store(nanos(now).clamp(1, TRIAL - 1), Ordering::Release);
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.state.load(Ordering::Acquire) {
            CLOSED => BreakerState::Closed,
            TRIAL => BreakerState::Trial,
            _ => BreakerState::Open,
        }
    }

    /// The hold-off of the present opening, or the one that the next begins with.
    pub(super) fn hold_off(&self) -> Duration {
        Duration::from_nanos(self.hold_off.load(Ordering::Relaxed))
    }

    /// How often it has opened, failed trials included.
    pub(super) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn breaker() -> Breaker {
        Breaker::new(100 * MS, 30_000 * MS)
    }

    #[test]
    fn opens_on_a_fault_and_lets_one_block_try_after_the_hold_off() {
        let breaker = breaker();
        assert_eq!(breaker.admit(|| MS), Some(Permit::Normal));
        breaker.fault(Permit::Normal, MS);
        assert_eq!(breaker.admit(|| 100 * MS), None);
        assert_eq!(breaker.admit(|| 101 * MS), Some(Permit::Trial));
        assert_eq!(breaker.admit(|| 101 * MS), None, "one trial at a time");
        breaker.success(Permit::Trial);
        assert_eq!(breaker.admit(|| 101 * MS), Some(Permit::Normal));
    }

    #[test]
    fn the_hold_off_doubles_with_failed_trials_up_to_its_limit_and_starts_again_after_success() {
        let breaker = breaker();
        let mut now = Duration::ZERO;
        breaker.fault(Permit::Normal, now);
        for expected in [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000] {
            assert_eq!(breaker.hold_off(), expected * MS);
            assert_eq!(breaker.admit(|| now + (expected - 1) * MS), None);
            now += expected * MS;
            assert_eq!(breaker.admit(|| now), Some(Permit::Trial));
            breaker.fault(Permit::Trial, now);
        }
        now += 30_000 * MS;
        assert_eq!(breaker.admit(|| now), Some(Permit::Trial));
        breaker.success(Permit::Trial);
        assert_eq!(breaker.hold_off(), 100 * MS);
        assert_eq!(breaker.opened(), 12);
    }

    #[test]
    fn late_faults_of_the_same_trouble_do_not_prolong_it() {
        let breaker = breaker();
        breaker.fault(Permit::Normal, MS);
        breaker.fault(Permit::Normal, 90 * MS);
        assert_eq!(breaker.opened(), 1);
        assert_eq!(breaker.admit(|| 101 * MS), Some(Permit::Trial));
    }

    #[test]
    fn a_trial_without_a_verdict_leaves_room_for_the_next_one() {
        let breaker = breaker();
        breaker.fault(Permit::Normal, MS);
        assert_eq!(breaker.admit(|| 101 * MS), Some(Permit::Trial));
        breaker.no_verdict(Permit::Trial, 102 * MS);
        assert_eq!(breaker.state(), BreakerState::Open);
        assert_eq!(breaker.admit(|| 102 * MS), Some(Permit::Trial));
    }
}
