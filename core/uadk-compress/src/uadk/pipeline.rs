//! Blocks through one session: up to `depth` in flight, results copied out while others run.

use std::time::Duration;

use uadk_sys::abi;

use super::batch::{Call, is_pending};
use super::pool::{InFlight, Resources};
use super::request::Completion;
use super::session::{Refusal, Session, Submission};
use super::wait::Wait;
use crate::stats::Direction;
use crate::{Block, Error};

/// The driver tells the device of no more room than this.
const MAX_OUTPUT: usize = 8 << 20;
/// Room behind a decompressed block, so that the device does not stop at its last byte for want of
/// some.
const OUTPUT_SLACK: usize = 64;

/// Does a block whose turn it is while the queue is full, or says that it should be offered again.
pub(super) type WhenBusy<'a> = dyn FnMut(usize, &mut Block<'_>) -> bool + 'a;

/// How it ended. Unless it is `Done`, blocks may be left without a result.
pub(super) enum End {
    Done,
    /// The session's context failed with this code.
    Failed(i32),
    /// A deadline passed.
    TimedOut,
}

/// Blocks on their way through a session.
pub(super) struct Pipeline<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) session: &'a mut Session,
    pub(super) resources: &'a mut Resources,
    /// When blocks that are submitted now are said to have been.
    pub(super) now: Duration,
}

impl Pipeline<'_> {
    /// Does all blocks that have no result yet.
    pub(super) fn run(&mut self, blocks: &mut [Block<'_>], when_busy: &mut WhenBusy<'_>) -> End {
        let clock = &*self.call.runtime.clock;
        let mut wait = Wait::new(clock, self.now);
        let mut next = 0;
        let mut napped = false;
        // Why no more are submitted: what is in flight is waited for all the same.
        let mut stopped = None;
        loop {
            let mut full = false;
            if stopped.is_none() {
                match self.fill(blocks, &mut next) {
                    Ok(()) => {}
                    Err(Refusal::Failed(code)) => stopped = Some(End::Failed(code)),
                    Err(Refusal::Busy) => full = true,
                }
            }
            if self.resources.in_flight.is_empty() && (stopped.is_some() || next == blocks.len()) {
                return stopped.unwrap_or(End::Done);
            }
            self.session.poll(self.resources.in_flight.len(), napped);
            napped = false;
            if self.harvest(blocks) {
                self.now = clock.now();
                wait.reset(self.now);
                continue;
            }
            if let Some(code) = self.session.failure() {
                // What it has will not be completed.
                self.lose(|_| true, |_| {});
                stopped = Some(End::Failed(code));
                continue;
            }
            // The time is from before the poll: what was completed by then has been found.
            if self.give_up_late(blocks) {
                stopped = Some(End::TimedOut);
            } else if full {
                if when_busy(next, &mut blocks[next]) {
                    next += 1;
                }
                self.now = clock.now();
            } else if let Some(now) = wait.pause() {
                napped = true;
                self.now = now;
            }
        }
    }

    /// Submits blocks from `next` on, until the depth is reached or there are no more.
    fn fill(&mut self, blocks: &mut [Block<'_>], next: &mut usize) -> Result<(), Refusal> {
        while let Some(block) = blocks.get_mut(*next) {
            if self.resources.in_flight.len() >= self.call.config.depth.max(1) {
                break;
            }
            if is_pending(block) {
                match self.room_for(block) {
                    Ok(room) => match self.submit(*next, block.src, room)? {
                        Submission::Accepted => {}
                        Submission::Unsupported => {
                            block.result = Err(Error::Unsupported("the library refused it".into()));
                        }
                        // When something in flight is done there will be room for its output.
                        Submission::NoBuffer if !self.resources.in_flight.is_empty() => break,
                        Submission::NoBuffer => return Err(Refusal::Busy),
                    },
                    Err(why) => block.result = Err(why),
                }
            }
            *next += 1;
        }
        Ok(())
    }

    /// Output room that the device needs for a block, or why it should not be given it.
    fn room_for(&self, block: &Block<'_>) -> Result<usize, Error> {
        let unsupported = |why: &'static str| Err(Error::Unsupported(why.into()));
        let Block { src, dst, .. } = block;
        if src.is_empty() {
            return unsupported("blocks of no bytes");
        }
        if src.len() > abi::MAX_INPUT {
            return unsupported("blocks of more than 8 MiB");
        }
        match self.call.direction {
            // The driver wants an eighth more, and headers are not part of that.
            Direction::Compress => Ok(src.len() + src.len() / 8 + OUTPUT_SLACK),
            Direction::Decompress if dst.len() + OUTPUT_SLACK > MAX_OUTPUT => {
                unsupported("more than 8 MiB from one block")
            }
            Direction::Decompress => {
                self.call.framing.check_header(src)?;
                Ok(dst.len() + OUTPUT_SLACK)
            }
        }
    }

    fn submit(&mut self, block: usize, src: &[u8], room: usize) -> Result<Submission, Refusal> {
        let Resources { arena, in_flight } = &mut *self.resources;
        let Some(request) = arena.take(room, self.call.config.staging) else {
            return Ok(Submission::NoBuffer);
        };
        // From the submission on until it is in the list nothing may panic.
        in_flight.reserve(1);
        let deadline = self.now.saturating_add(self.call.config.deadline);
        let submission = self.session.submit(src, &request, room);
        if submission == Ok(Submission::Accepted) {
            in_flight.push(InFlight { block, request, deadline });
        } else {
            arena.put(request);
        }
        submission
    }

    /// Answers the blocks that have been completed; whether there were any.
    fn harvest(&mut self, blocks: &mut [Block<'_>]) -> bool {
        let Resources { arena, in_flight } = &mut *self.resources;
        let before = in_flight.len();
        let mut i = 0;
        while let Some(InFlight { block, request, .. }) = in_flight.get(i) {
            let Some(completion) = request.completion() else {
                i += 1;
                continue;
            };
            self.session.done(completion.context);
            self.session.contexts().works();
            let block = &mut blocks[*block];
            // SAFETY: it has been completed.
            let output = unsafe { request.buffer().written(completion.produced) };
            block.result = self.call.answer(completion, block.src, output, block.dst);
            arena.put(in_flight.swap_remove(i).request);
        }
        in_flight.len() < before
    }

    /// Gives up the blocks whose deadline has passed; whether there were any.
    fn give_up_late(&mut self, blocks: &mut [Block<'_>]) -> bool {
        let now = self.now;
        let mut any = false;
        let late = |block: &InFlight| block.deadline <= now;
        self.lose(late, |block| {
            blocks[block].result = Err(Error::TimedOut);
            any = true;
        });
        any
    }

    /// Leaves blocks in flight to the device, and tells their numbers.
    fn lose(&mut self, which: impl Fn(&InFlight) -> bool, mut tell: impl FnMut(usize)) {
        let Resources { arena, in_flight } = &mut *self.resources;
        let mut i = 0;
        while let Some(block) = in_flight.get(i) {
            // A completion that another thread's poll brings at this moment is answered later.
            if !which(block) || !block.request.abandon() {
                i += 1;
                continue;
            }
            let InFlight { block, request, .. } = in_flight.swap_remove(i);
            tell(block);
            arena.lost(&request);
            self.session.lose(request);
        }
    }
}

impl Call<'_> {
    /// What a completion says about its block, and the output in its place.
    fn answer(
        &self,
        completion: Completion,
        src: &[u8],
        output: &[u8],
        dst: &mut [u8],
    ) -> Result<usize, Error> {
        match completion.status {
            0 | abi::WD_STREAM_END => {}
            // Corrupt, or longer than the room. Software finds out which.
            abi::WD_IN_EPARA | abi::WD_EAGAIN if self.direction == Direction::Decompress => {
                return Err(Error::Corrupt);
            }
            // It did not shrink to what the driver lets it have, which is no fault.
            abi::WD_IN_EPARA if src.len() + src.len() / 8 > MAX_OUTPUT => {
                return Err(Error::Unsupported("more than 8 MiB of output".into()));
            }
            status => return Err(Error::Device { code: status.cast_signed() }),
        }
        let claim = Error::Device { code: abi::WD_OUT_EPARA.cast_signed() };
        if completion.produced > output.len() {
            return Err(claim);
        }
        if self.direction == Direction::Decompress
            && !self.framing.check_trailer(src, completion.consumed, output)
        {
            return Err(Error::Corrupt);
        }
        let output = self.framing.unwrap(output).ok_or(claim)?;
        let dst = dst.get_mut(..output.len()).ok_or(Error::OutputFull)?;
        dst.copy_from_slice(output);
        Ok(output.len())
    }
}
