//! Batches: as few calls to the accelerator as the policy allows.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::accelerator::Accelerator;
use super::{Judgement, OffloadCompressor};
use crate::direction::Direction;
use crate::stats::{Fallback, Outcome};
use crate::{Block, Error};

/// The most blocks in one call to the accelerator: many times the depth of its queue, and few
/// enough to check its delay now and then.
const MAX_RUN: usize = 1024;
/// The most bytes of input in one call, for the same reasons.
const MAX_RUN_BYTES: usize = 16 << 20;

impl OffloadCompressor {
    /// Sends each run of blocks that may go to the accelerator in one call. Processes the others,
    /// and blocks that come back undone, in software.
    pub(super) fn run_batch(&self, direction: Direction, blocks: &mut [Block<'_>]) {
        for block in &mut *blocks {
            block.reset();
        }
        let mut rest = blocks;
        // Set once the accelerator has run out of time: a batch waits for one deadline only.
        let mut out_of_time = false;
        while let Some(first) = rest.first_mut() {
            if out_of_time {
                first.run(|src, dst| self.run_software(Fallback::Busy, direction, src, dst));
                rest = &mut rest[1..];
                continue;
            }
            let done = match self.admit(direction, first.src().len(), first.dst().len()) {
                Ok((accelerator, permit)) if !permit.is_trial() => {
                    let run = self.run_len(direction, rest);
                    out_of_time = self.offload_run(accelerator, direction, &mut rest[..run]);
                    run
                }
                // After a fault, a single block is tried first.
                Ok((accelerator, trial)) => {
                    first.run(|src, dst| {
                        self.run_admitted(accelerator, trial, direction, src, dst, self.tries())
                    });
                    1
                }
                Err(reason) => {
                    first.run(|src, dst| self.run_software(reason, direction, src, dst));
                    1
                }
            };
            rest = &mut rest[done..];
        }
    }

    /// Returns how many of these blocks make one call. The first has been admitted.
    fn run_len(&self, direction: Direction, blocks: &[Block<'_>]) -> usize {
        let policy = &self.shared.policy;
        let mut bytes = 0;
        let fits = |block: &&Block<'_>| {
            bytes += block.src().len();
            bytes <= MAX_RUN_BYTES
                && policy.check(direction, block.src().len(), block.dst().len()).is_ok()
        };
        blocks.iter().take(MAX_RUN).take_while(fits).count().max(1)
    }

    /// Makes one call to the accelerator, and acts on its results. Blocks that find its queue full
    /// are processed in software in the meantime. Returns whether the accelerator ran out of time.
    fn offload_run(
        &self,
        accelerator: &dyn Accelerator,
        direction: Direction,
        run: &mut [Block<'_>],
    ) -> bool {
        let clock = &*self.shared.clock;
        let mut in_software = InSoftware::default();
        let mut when_busy = |number: usize, block: &mut Block<'_>| {
            if !in_software.is_last_offer(number, self.tries()) {
                return false;
            }
            let started = clock.now();
            block.run(|src, dst| self.run_software(Fallback::Busy, direction, src, dst));
            in_software.record(number, clock.now().saturating_sub(started));
            true
        };
        let started = clock.now();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            accelerator.run_batch(direction, run, &mut when_busy)
        }));
        let now = clock.now();
        let total = now.saturating_sub(started).saturating_sub(in_software.time);
        // Blocks that the accelerator did not accept took no time.
        let taken = |block: &&Block<'_>| !matches!(block.answer(), None | Some(Err(Error::Busy)));
        let offloaded = run.iter().filter(taken).count().saturating_sub(in_software.blocks).max(1);
        let time = total / u32::try_from(offloaded).unwrap_or(u32::MAX);
        let timed_out =
            run.iter().any(|block| matches!(block.answer(), Some(Err(Error::TimedOut))));
        if timed_out {
            // The lost block's share of the time is unknown.
            self.shared.delay(direction).record(total, now);
        } else {
            self.shared.delay(direction).record_many(time, offloaded, now);
        }
        // After a deadline there is no second wait.
        let retry = !timed_out && outcome.as_ref().is_ok_and(|&retry| retry);
        let tries_left = if retry { self.tries() - 1 } else { 0 };
        let is_busy = |block: &Block<'_>| matches!(block.answer(), Some(Err(Error::Busy)));
        let out_of_time = timed_out || (!retry && run.iter().any(is_busy));

        // Added to the counters when dropped, even if software panics.
        let mut tally = self.shared.counters.tally(direction);
        for (number, block) in run.iter_mut().enumerate() {
            if in_software.has_done(number) {
                continue;
            }
            if outcome.is_err() {
                self.shared.breaker.normal().fault(now, None);
                block.run(|src, dst| self.run_software(Fallback::Panicked, direction, src, dst));
                continue;
            }
            let Some(result) = block.answer() else {
                // The engine left it out.
                block.run(|src, dst| self.run_software(Fallback::Busy, direction, src, dst));
                continue;
            };
            if tries_left > 0 && matches!(result, Err(Error::Busy)) {
                block.run(|src, dst| self.retry(direction, src, dst, tries_left));
            } else if let Judgement::Sound =
                self.judge(direction, block.src(), block.dst(), result, false)
            {
                tally.add(Outcome { bytes_in: block.src().len(), result, time });
            } else if let Some(result) = block.reset() {
                let permit = self.shared.breaker.normal();
                block.run(|src, dst| self.settle(permit, direction, src, dst, result, time));
            }
        }
        out_of_time
    }

    /// Offers a block of a batch to the accelerator again, on its own.
    fn retry(
        &self,
        direction: Direction,
        src: &[u8],
        dst: &mut [u8],
        tries: u32,
    ) -> Result<usize, Error> {
        match self.admit(direction, src.len(), dst.len()) {
            Ok((accelerator, permit)) => {
                self.run_admitted(accelerator, permit, direction, src, dst, tries)
            }
            Err(reason) => self.run_software(reason, direction, src, dst),
        }
    }
}

/// The blocks of a run that software processed while the accelerator was busy with others.
#[derive(Debug)]
struct InSoftware {
    /// Bitmap of the processed blocks.
    done: [u64; MAX_RUN / 64],
    blocks: usize,
    time: Duration,
    /// The block that was last offered, and how many times.
    offered: (usize, u32),
}

impl Default for InSoftware {
    fn default() -> Self {
        Self { done: [0; MAX_RUN / 64], blocks: 0, time: Duration::ZERO, offered: (usize::MAX, 0) }
    }
}

impl InSoftware {
    /// Counts an offer of a block to a busy accelerator. Returns whether it was the last one.
    fn is_last_offer(&mut self, number: usize, tries: u32) -> bool {
        let before = if self.offered.0 == number { self.offered.1 } else { 0 };
        self.offered = (number, before + 1);
        before + 1 >= tries
    }

    fn record(&mut self, number: usize, time: Duration) {
        self.done[number / 64] |= 1 << (number % 64);
        self.blocks += 1;
        self.time += time;
    }

    const fn has_done(&self, number: usize) -> bool {
        self.done[number / 64] >> (number % 64) & 1 != 0
    }
}
