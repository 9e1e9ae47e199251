//! How long a call may take.

use std::time::Duration;

use crate::clock::Clock;

/// The time limits of one call, and the time as last read.
#[derive(Debug)]
pub(super) struct Limits<'a> {
    clock: &'a dyn Clock,
    now: Duration,
    /// When the last block may be submitted, so that it has time to complete.
    submit_until: Duration,
    /// When waiting ends.
    deadline: Duration,
}

impl<'a> Limits<'a> {
    /// A call that begins now.
    pub(super) fn new(clock: &'a dyn Clock, deadline: Duration) -> Self {
        let now = clock.now();
        let submit_until = now.saturating_add(deadline / 2);
        Self { clock, now, submit_until, deadline: now.saturating_add(deadline) }
    }

    pub(super) const fn clock(&self) -> &'a dyn Clock {
        self.clock
    }

    /// The time as last read.
    pub(super) const fn now(&self) -> Duration {
        self.now
    }

    /// Reads the time.
    pub(super) fn update(&mut self) {
        self.now = self.clock.now();
    }

    /// Sets the time that somebody else has read.
    pub(super) const fn set_now(&mut self, now: Duration) {
        self.now = now;
    }

    /// Whether more blocks may be submitted.
    pub(super) fn may_submit(&self) -> bool {
        self.now < self.submit_until
    }

    /// Whether nothing is waited for any more.
    pub(super) fn are_over(&self) -> bool {
        self.now >= self.deadline
    }

    /// Calls `work` and moves both limits by the time that it takes.
    pub(super) fn exclude<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let begin = self.clock.now();
        let result = work();
        self.update();
        let taken = self.now.saturating_sub(begin);
        self.submit_until = self.submit_until.saturating_add(taken);
        self.deadline = self.deadline.saturating_add(taken);
        result
    }
}
