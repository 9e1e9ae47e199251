//! The circuit breaker: keeps blocks away from an accelerator that failed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::nanos;
use crate::stats::BreakerState;
use crate::{Error, fork};

/// No faults: every block may go to the accelerator.
const CLOSED: u64 = 0;
/// One block is out as a trial, to see whether the accelerator works again.
const TRIAL: u64 = u64::MAX;
/// The earliest time that differs from [`CLOSED`].
const DUE_AT_ONCE: u64 = 1;

/// Lets blocks pass until one fails; then none for a hold-off, then one as a trial. If the trial
/// succeeds, all blocks pass again; otherwise the hold-off doubles.
///
/// The whole state is one number, so that a closed breaker costs one load per block: [`CLOSED`],
/// [`TRIAL`], or else open, with the time in nanoseconds at which a trial is due.
#[derive(Debug)]
pub(super) struct Breaker {
    state: AtomicU64,
    /// The hold-off of the current or next opening. Written only by the thread that changed
    /// `state`.
    hold_off: AtomicU64,
    opened: AtomicU64,
    /// The cause of the last opening.
    cause: Mutex<Option<Error>>,
    /// The process that the trial runs in: a forked child lacks the thread that holds the permit.
    trial_in: AtomicU64,
    first_hold_off: u64,
    longest_hold_off: u64,
}

/// Permission to send one block, or one batch, to the accelerator. The holder reports the outcome.
/// Dropping it says nothing about the accelerator's health: it was busy or starting, doesn't
/// support such blocks, or the caller panicked.
#[derive(Debug)]
#[must_use]
pub(super) struct Permit<'a> {
    breaker: &'a Breaker,
    /// The breaker's next state depends on this block.
    trial: bool,
}

impl Breaker {
    pub(super) fn new(first_hold_off: Duration, longest_hold_off: Duration) -> Self {
        let first = nanos(first_hold_off);
        Self {
            state: AtomicU64::new(CLOSED),
            hold_off: AtomicU64::new(first),
            opened: AtomicU64::new(0),
            cause: Mutex::new(None),
            trial_in: AtomicU64::new(0),
            first_hold_off: first,
            longest_hold_off: nanos(longest_hold_off).max(first),
        }
    }

    /// Returns a permit for one of many blocks sent while the breaker is closed.
    pub(super) const fn normal(&self) -> Permit<'_> {
        Permit { breaker: self, trial: false }
    }

    /// Returns a permit if a block may go to the accelerator.
    pub(super) fn admit(&self, now: impl FnOnce() -> Duration) -> Option<Permit<'_>> {
        match self.state.load(Ordering::Acquire) {
            CLOSED => Some(self.normal()),
            TRIAL if self.trial_in.load(Ordering::Relaxed) == fork::generation() => None,
            due if due != TRIAL && nanos(now()) < due => None,
            due => {
                self.trial_in.store(fork::generation(), Ordering::Relaxed);
                let exchanged =
                    self.state.compare_exchange(due, TRIAL, Ordering::AcqRel, Ordering::Relaxed);
                exchanged.ok().map(|_| Permit { breaker: self, trial: true })
            }
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.state.load(Ordering::Acquire) {
            CLOSED => BreakerState::Closed,
            TRIAL => BreakerState::Trial,
            _ => BreakerState::Open,
        }
    }

    /// Returns the current hold-off; while closed, the initial one of the next opening.
    pub(super) fn hold_off(&self) -> Duration {
        Duration::from_nanos(self.hold_off.load(Ordering::Relaxed))
    }

    /// Returns what the accelerator reported when the breaker last opened, if anything.
    pub(super) fn cause(&self) -> Option<Error> {
        // Never waits: in a forked child the lock may be held by a thread that does not exist.
        self.cause.try_lock()?.clone()
    }

    /// Returns how often it has opened, including failed trials.
    pub(super) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }
}

impl Permit<'_> {
    pub(super) const fn is_trial(&self) -> bool {
        self.trial
    }

    /// Reports that the accelerator processed the block.
    pub(super) fn success(mut self) {
        if std::mem::take(&mut self.trial) {
            self.breaker.hold_off.store(self.breaker.first_hold_off, Ordering::Relaxed);
            self.breaker.state.store(CLOSED, Ordering::Release);
            tracing::info!("the accelerator works again: sending blocks to it");
        }
    }

    /// Reports that the accelerator failed on the block; `cause` is what it reported, if anything.
    pub(super) fn fault(mut self, now: Duration, cause: Option<Error>) {
        let breaker = self.breaker;
        let trial = std::mem::take(&mut self.trial);
        let hold_off = if trial {
            let doubled = breaker.hold_off.load(Ordering::Relaxed).saturating_mul(2);
            doubled.min(breaker.longest_hold_off)
        } else {
            breaker.first_hold_off
        };
        let due = nanos(now).saturating_add(hold_off).clamp(DUE_AT_ONCE, TRIAL - 1);
        if trial {
            breaker.hold_off.store(hold_off, Ordering::Relaxed);
            breaker.state.store(due, Ordering::Release);
        } else if breaker
            .state
            .compare_exchange(CLOSED, due, Ordering::AcqRel, Ordering::Relaxed)
            .is_err()
        {
            return; // Another block has already opened it for the same failure.
        }
        breaker.opened.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
            hold_off_ms = hold_off / 1_000_000,
            cause = cause.as_ref().map(tracing::field::display),
            "the accelerator failed: blocks go to software until a trial succeeds"
        );
        if let Some(mut last) = breaker.cause.try_lock() {
            *last = cause;
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.trial {
            self.breaker.state.store(DUE_AT_ONCE, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn breaker() -> Breaker {
        Breaker::new(100 * MS, 30_000 * MS)
    }

    fn admit(breaker: &Breaker, now: Duration) -> Permit<'_> {
        breaker.admit(|| now).expect("the block is admitted")
    }

    #[test]
    fn opens_on_a_fault_and_lets_one_block_try_after_the_hold_off() {
        let breaker = breaker();
        admit(&breaker, MS).fault(MS, None);
        assert!(breaker.admit(|| 100 * MS).is_none());
        let trial = admit(&breaker, 101 * MS);
        assert!(trial.is_trial());
        assert!(breaker.admit(|| 101 * MS).is_none(), "one trial at a time");
        trial.success();
        assert!(!admit(&breaker, 101 * MS).is_trial());
    }

    #[test]
    fn the_hold_off_doubles_with_failed_trials_up_to_its_limit_and_resets_after_success() {
        let breaker = breaker();
        let mut now = Duration::ZERO;
        admit(&breaker, now).fault(now, None);
        for expected in [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000] {
            assert_eq!(breaker.hold_off(), expected * MS);
            assert!(breaker.admit(|| now + (expected - 1) * MS).is_none());
            now += expected * MS;
            admit(&breaker, now).fault(now, None);
        }
        now += 30_000 * MS;
        admit(&breaker, now).success();
        assert_eq!(breaker.hold_off(), 100 * MS);
        assert_eq!(breaker.opened(), 12);
    }

    #[test]
    fn late_faults_from_the_same_failure_do_not_prolong_the_hold_off() {
        let breaker = breaker();
        let (first, late) = (admit(&breaker, MS), admit(&breaker, MS));
        first.fault(MS, None);
        late.fault(90 * MS, None);
        assert_eq!(breaker.opened(), 1);
        assert!(admit(&breaker, 101 * MS).is_trial());
    }

    #[test]
    fn after_a_trial_without_an_outcome_the_next_block_tries() {
        let breaker = breaker();
        admit(&breaker, MS).fault(MS, None);
        drop(admit(&breaker, 101 * MS));
        assert_eq!(breaker.state(), BreakerState::Open);
        assert!(admit(&breaker, 101 * MS).is_trial());
    }

    #[test]
    fn a_panic_during_a_trial_is_not_an_outcome() {
        let breaker = breaker();
        admit(&breaker, MS).fault(MS, None);
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _trial = admit(&breaker, 101 * MS);
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(unwound.is_err());
        assert!(admit(&breaker, 101 * MS).is_trial());
    }
}
