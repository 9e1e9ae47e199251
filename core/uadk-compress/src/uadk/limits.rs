//! How long a call may take.

use std::time::Duration;

use crate::clock::Clock;

/// The time limits of one call, and the time as last read.
#[derive(Debug)]
pub(super) struct Limits<'a> {
    clock: &'a dyn Clock,
    now: Duration,
    /// Blocks may be submitted until this time, which leaves them time to complete.
    submit_until: Duration,
    /// When the call stops waiting.
    deadline: Duration,
}

impl<'a> Limits<'a> {
    /// Creates the limits of a call that begins now.
    pub(super) fn new(clock: &'a dyn Clock, deadline: Duration) -> Self {
        let now = clock.now();
        let submit_until = now.saturating_add(deadline / 2);
        Self { clock, now, submit_until, deadline: now.saturating_add(deadline) }
    }

    pub(super) const fn clock(&self) -> &'a dyn Clock {
        self.clock
    }

    /// Returns the time as last read.
    pub(super) const fn now(&self) -> Duration {
        self.now
    }

    /// Reads the clock.
    pub(super) fn update(&mut self) {
        self.now = self.clock.now();
    }

    /// Sets the time to a value that was just read from the clock.
    pub(super) const fn set_now(&mut self, now: Duration) {
        self.now = now;
    }

    /// Returns whether more blocks may be submitted.
    pub(super) fn may_submit(&self) -> bool {
        self.now < self.submit_until
    }

    /// Returns whether the deadline has passed.
    pub(super) fn have_expired(&self) -> bool {
        self.now >= self.deadline
    }

    /// Calls `work` and extends both limits by the time it takes.
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
