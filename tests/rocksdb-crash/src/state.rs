//! What the parent knows between rounds.

use crate::error::Result;
use crate::expected::{Expected, InFlight};
use crate::round::Round;
use crate::summary::Summary;

/// What the parent knows between rounds.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) expected: Expected,
    /// Whether a writer has opened the database.
    pub(crate) exists: bool,
    pub(crate) summary: Summary,
}

impl State {
    /// Notes which operations in flight a child has found done.
    pub(crate) fn resolve(&mut self, seed: u64, done: &[bool]) -> Result<()> {
        if done.len() != self.expected.in_flight.len() {
            return Err("the child reports on another number of operations in flight".into());
        }
        self.exists = true;
        let all_done = done.iter().filter(|done| **done).count();
        self.summary.done += all_done;
        self.summary.not_done += done.len() - all_done;
        self.expected.resolve(seed, done);
        Ok(())
    }

    /// Applies the operations that each thread of a killed writer acknowledged, and notes the next
    /// ones as in flight.
    pub(crate) fn acknowledge(&mut self, round: &Round, acknowledged: &[u32]) {
        for (thread, number) in (0..).zip(acknowledged.iter().copied()) {
            for operation in round.operations(thread).take(number as usize) {
                self.expected.apply(&operation);
            }
            let Round { number: round, threads, .. } = *round;
            self.expected.in_flight.push(InFlight { round, thread, threads, number });
            self.summary.acknowledged += u64::from(number);
        }
    }
}
