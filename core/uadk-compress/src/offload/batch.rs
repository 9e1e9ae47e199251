//! Batches: as few calls of the accelerator as the policy allows.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Done, OffloadCompressor};
use crate::stats::{Direction, Fallback};
use crate::{Block, BlockCompressor, Error};

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
                        .take_while(|b| policy.check_size(direction, b.src, b.dst).is_ok())
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

    /// One call of the accelerator's batch, and its answers.
    fn offload_run(&self, accelerator: &A, direction: Direction, run: &mut [Block<'_>]) {
        for block in &mut *run {
            block.result = Err(Block::PENDING);
        }
        let started = self.shared.clock.now();
        let outcome = catch_unwind(AssertUnwindSafe(|| match direction {
            Direction::Compress => accelerator.compress_batch(run),
            Direction::Decompress => accelerator.decompress_batch(run),
        }));
        let now = self.shared.clock.now();
        let time = now.saturating_sub(started) / u32::try_from(run.len()).unwrap_or(u32::MAX);
        let tries_left = self.tries() - 1;

        for block in run {
            self.shared.delay(direction).record(time, now);
            let result = std::mem::replace(&mut block.result, Err(Block::PENDING));
            let Block { src, dst, .. } = &mut *block;
            let permit = self.shared.breaker.normal();
            let verdict = match (&outcome, result) {
                (Err(_), _) => self.fault(permit, Fallback::Panicked),
                (Ok(()), Err(Error::Busy)) => self.try_accelerator(direction, src, dst, tries_left),
                (Ok(()), result) => self.judge(permit, direction, Done { src, dst, result, time }),
            };
            block.result = self.settle(verdict, direction, block.src, block.dst);
        }
    }
}
