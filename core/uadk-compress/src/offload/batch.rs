//! Batches: as few calls of the accelerator as the policy allows.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::{Done, OffloadCompressor};
use crate::stats::{Direction, Fallback};
use crate::{Block, BlockCompressor, Error};

/// Blocks in one call of the accelerator: many times the depth of its queue, and few enough to look
/// at its delay now and then.
const MAX_RUN: usize = 4096;

impl<A: BlockCompressor, S: BlockCompressor> OffloadCompressor<A, S> {
    /// Gives runs of blocks that may go to the accelerator to it in one call each, and does the
    /// others, and what comes back undone, in software.
    pub(super) fn run_batch(&self, direction: Direction, blocks: &mut [Block<'_>]) {
        let mut rest = blocks;
        while let Some(first) = rest.first_mut() {
            let done = match self.admit(direction, first.src, first.dst) {
                Ok((accelerator, permit)) if !permit.is_trial() => {
                    let policy = &self.shared.policy;
                    let run = rest
                        .iter()
                        .take(MAX_RUN)
                        .take_while(|b| policy.check(direction, b.src, b.dst).is_ok())
                        .count();
                    self.offload_run(accelerator, direction, &mut rest[..run]);
                    run
                }
                // After a fault a single block is tried first.
                Ok((accelerator, trial)) => {
                    let Block { src, dst, result } = first;
                    let tries = self.tries();
                    let verdict = self.try_admitted(accelerator, trial, direction, src, dst, tries);
                    *result = self.settle(verdict, direction, src, dst);
                    1
                }
                Err(why) => {
                    first.result = self.run_software(why, direction, first.src, first.dst);
                    1
                }
            };
            rest = &mut rest[done..];
        }
    }

    /// One call of the accelerator's batch, and its answers. What it has no room for software does
    /// meanwhile.
    fn offload_run(&self, accelerator: &A, direction: Direction, run: &mut [Block<'_>]) {
        for block in &mut *run {
            block.result = Err(Block::PENDING);
        }
        let clock = &*self.shared.clock;
        let mut meanwhile = Meanwhile::default();
        let mut when_busy = |number: usize, block: &mut Block<'_>| {
            if !meanwhile.enough(number, self.tries()) {
                return false;
            }
            let started = clock.now();
            block.result = self.run_software(Fallback::Busy, direction, block.src, block.dst);
            meanwhile.did(number, clock.now().saturating_sub(started));
            true
        };
        let started = clock.now();
        let outcome = catch_unwind(AssertUnwindSafe(|| match direction {
            Direction::Compress => accelerator.compress_batch_with(run, &mut when_busy),
            Direction::Decompress => accelerator.decompress_batch_with(run, &mut when_busy),
        }));
        let now = clock.now();
        let whole = now.saturating_sub(started).saturating_sub(meanwhile.time);
        let offloaded = run.len().saturating_sub(meanwhile.blocks).max(1);
        let time = whole / u32::try_from(offloaded).unwrap_or(u32::MAX);
        let timed_out = run.iter().any(|block| block.result == Err(Error::TimedOut));
        if timed_out {
            // Nobody knows what share of it the block had that did not come back.
            self.shared.delay(direction).record(whole, now);
        }
        // After a deadline nothing is waited for once more.
        let tries_left = if timed_out { 0 } else { self.tries() - 1 };

        for (number, block) in run.iter_mut().enumerate() {
            if meanwhile.has_done(number) {
                continue;
            }
            if !timed_out {
                self.shared.delay(direction).record(time, now);
            }
            let result = std::mem::replace(&mut block.result, Err(Block::PENDING));
            let Block { src, dst, .. } = &mut *block;
            let permit = self.shared.breaker.normal();
            let verdict = match (&outcome, result) {
                (Err(_), _) => self.fault(permit, Fallback::Panicked, None),
                (Ok(()), Err(Error::Busy)) => self.try_accelerator(direction, src, dst, tries_left),
                (Ok(()), result) => self.judge(permit, direction, Done { src, dst, result, time }),
            };
            block.result = self.settle(verdict, direction, block.src, block.dst);
        }
    }
}

/// What software did while the accelerator was busy with other blocks of a run.
#[derive(Debug)]
struct Meanwhile {
    done: [u64; MAX_RUN / 64],
    blocks: usize,
    time: Duration,
    /// The block that was last offered, and how often.
    offered: (usize, u32),
}

impl Default for Meanwhile {
    fn default() -> Self {
        Self { done: [0; MAX_RUN / 64], blocks: 0, time: Duration::ZERO, offered: (usize::MAX, 0) }
    }
}

impl Meanwhile {
    /// Counts an offer of a block to a busy accelerator; whether it was the last one.
    fn enough(&mut self, number: usize, tries: u32) -> bool {
        let before = if self.offered.0 == number { self.offered.1 } else { 0 };
        self.offered = (number, before + 1);
        before + 1 >= tries
    }

    fn did(&mut self, number: usize, time: Duration) {
        self.done[number / 64] |= 1 << (number % 64);
        self.blocks += 1;
        self.time += time;
    }

    const fn has_done(&self, number: usize) -> bool {
        self.done[number / 64] >> (number % 64) & 1 != 0
    }
}
