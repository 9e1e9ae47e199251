//! Batches: as few calls of the accelerator as the policy allows.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Done, OffloadCompressor, Permit, Verdict};
use crate::stats::{Direction, Fallback};
use crate::{Block, BlockCompressor, Error};

impl<A: BlockCompressor, S: BlockCompressor> OffloadCompressor<A, S> {
    /// Gives runs of blocks that may go to the accelerator to it in one call each, and does the
    /// others, and what comes back undone, in software.
    pub(super) fn run_batch(&self, direction: Direction, blocks: &mut [Block<'_>]) {
        let mut rest = blocks;
        while let Some(first) = rest.first_mut() {
            let done = match self.admit(direction, first.src, first.dst) {
                Ok((accelerator, Permit::Normal)) => {
                    let policy = &self.shared.policy;
                    let run = rest
                        .iter()
                        .take_while(|b| policy.check_size(direction, b.src, b.dst).is_ok())
                        .count();
                    self.offload_run(accelerator, direction, &mut rest[..run]);
                    run
                }
                Ok((accelerator, permit @ Permit::Trial)) => {
                    // After a fault a single block is tried first.
                    let tries = self.shared.policy.busy_tries;
                    let Block { src, dst, .. } = first;
                    let verdict =
                        self.try_accelerator(accelerator, permit, direction, src, dst, tries);
                    self.settle(verdict, direction, first);
                    1
                }
                Err(why) => {
                    self.settle(Verdict::Fallback(why), direction, first);
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
        let time = self.shared.clock.now().saturating_sub(started);
        let time = time / u32::try_from(run.len()).unwrap_or(u32::MAX);
        let tries_left = self.shared.policy.busy_tries.saturating_sub(1);

        for block in run {
            let result = std::mem::replace(&mut block.result, Err(Block::PENDING));
            let Block { src, dst, .. } = &mut *block;
            let verdict = match (&outcome, result) {
                (Err(_), _) => self.fault(Permit::Normal, Fallback::Panicked),
                (Ok(()), Err(Error::Busy)) => {
                    let permit = Permit::Normal;
                    self.try_accelerator(accelerator, permit, direction, src, dst, tries_left)
                }
                (Ok(()), result) => {
                    self.judge(Permit::Normal, direction, Done { src, dst, result, time })
                }
            };
            self.settle(verdict, direction, block);
        }
    }

    fn settle(&self, verdict: Verdict, direction: Direction, block: &mut Block<'_>) {
        block.result = match verdict {
            Verdict::Answer(answer) => answer,
            Verdict::Fallback(why) => self.run_software(why, direction, block.src, block.dst),
            Verdict::Refused(permit) => self.second_opinion(permit, block.src, block.dst),
        };
    }
}
