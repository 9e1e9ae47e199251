//! Runs blocks through one session: up to `depth` in flight, results copied out while others run.

use uadk_sys::abi;

use super::config::UadkConfig;
use super::encoders::{self, Found};
use super::framing::{Framing, OUTPUT_SLACK, Output};
use super::limits::Limits;
use super::request::Completion;
use super::session::{InFlight, Session, Submission};
use super::wait::Wait;
use super::when_busy::WhenBusy;
use crate::direction::Direction;
use crate::{Block, Error, Format, Level, SoftwareCompressor, verify};

/// The driver never offers the device a larger destination than this.
const MAX_OUTPUT: usize = 8 << 20;
/// Completions almost always come in order. So [`Pipeline::harvest`] stops after `MAX_PENDING`
/// blocks that are not done, except once every `THOROUGH_INTERVAL` polls (a power of two).
const THOROUGH_INTERVAL: u32 = 4;
const MAX_PENDING: usize = 2;
/// Blocks whose sequences are encoded between two polls. Their sequences are still in the cache.
const MAX_ENCODED: usize = 4;

/// How a run ended. Unless it is `Done`, blocks may be left without a result.
pub(super) enum End {
    Done,
    /// The time for submitting blocks has run out.
    OutOfTime,
    /// The session's context failed with this code.
    Failed(i32),
    /// The deadline passed.
    TimedOut,
}

/// Why no more blocks are submitted for now.
enum Filled {
    /// As many blocks are in flight as allowed, or there are no more blocks.
    Enough,
    /// The queue is full.
    Busy,
    /// No more blocks are submitted in this run.
    Stopped(End),
}

/// Runs the blocks of one call through a session.
pub(super) struct Pipeline<'a, 'c> {
    pub(super) config: &'a UadkConfig,
    pub(super) direction: Direction,
    /// See [`Call`](super::call::Call).
    pub(super) stores_matches: bool,
    pub(super) session: &'a mut Session,
    pub(super) limits: &'a mut Limits<'c>,
}

impl Pipeline<'_, '_> {
    /// Processes all blocks that have no result yet.
    pub(super) fn run(&mut self, blocks: &mut [Block<'_>], when_busy: &mut WhenBusy<'_>) -> End {
        let mut wait = Wait::new(self.limits.clock(), self.limits.now());
        let mut next = 0;
        let mut polls = 0_u32;
        let mut napped = false;
        // Why no more blocks are submitted. Those in flight are still waited for.
        let mut stopped = None;
        loop {
            let mut full = false;
            if stopped.is_none() {
                match self.fill(blocks, &mut next) {
                    Filled::Enough => {}
                    Filled::Busy => full = true,
                    Filled::Stopped(end) => stopped = Some(end),
                }
            }
            let in_flight = self.session.in_flight.len();
            if in_flight == 0 && (stopped.is_some() || next == blocks.len()) {
                return stopped.unwrap_or(End::Done);
            }
            // Encoding takes longer than a poll, so the queue is refilled after a few blocks.
            let expect = match self.session.framing().output {
                Output::Sequences(_) => in_flight.min(MAX_ENCODED),
                Output::Deflate { .. } | Output::Lz4 => in_flight,
            };
            self.session.poll(expect, napped);
            polls += 1;
            let thorough = napped || polls.is_multiple_of(THOROUGH_INTERVAL);
            napped = false;
            if self.harvest(blocks, thorough) {
                self.limits.update();
                wait.reset(self.limits.now());
                polls = 0;
                continue;
            }
            if let Some(code) = self.session.failure() {
                // The blocks that the context has will not be completed.
                self.give_up(|_| {});
                stopped = Some(End::Failed(code));
                continue;
            }
            // The time was read before the poll, so everything completed by then has been found.
            if self.limits.have_expired() {
                let harvested = self.harvest(blocks, true);
                let mut late = false;
                self.give_up(|block| {
                    blocks[block].set_result(Err(Error::TimedOut));
                    late = true;
                });
                if late || !harvested {
                    stopped = Some(if late { End::TimedOut } else { End::OutOfTime });
                }
            } else if full {
                let done = self.limits.exclude(|| when_busy(next, &mut blocks[next]));
                next += usize::from(done);
            } else {
                let (now, slept) = wait.pause();
                napped = slept;
                self.limits.set_now(now);
            }
        }
    }

    /// Submits blocks, starting at `next`.
    fn fill(&mut self, blocks: &mut [Block<'_>], next: &mut usize) -> Filled {
        let depth = self.config.depth.max(1);
        while let Some(block) = blocks.get_mut(*next) {
            if self.session.in_flight.len() >= depth {
                break;
            }
            if !block.is_done() {
                match self.output_capacity(block.src(), block.dst().len()) {
                    Ok(_) if !self.limits.may_submit() => return Filled::Stopped(End::OutOfTime),
                    Ok(capacity) => {
                        let filled = self.submit(*next, block, capacity);
                        self.limits.update();
                        if let Some(filled) = filled {
                            return filled;
                        }
                    }
                    Err(reason) => block.set_result(Err(reason)),
                }
            }
            *next += 1;
        }
        Filled::Enough
    }

    /// Returns the output capacity that the device needs for a block, or why the block must not go
    /// to the device.
    fn output_capacity(&self, src: &[u8], dst_len: usize) -> Result<usize, Error> {
        let unsupported = |reason: &'static str| Err(Error::Unsupported(reason.into()));
        if src.is_empty() {
            return unsupported("empty blocks");
        }
        let framing = self.session.framing();
        if src.len() > framing.max_input() {
            return unsupported(if framing.max_input() == abi::MAX_LZ77_ZSTD_INPUT {
                "blocks of more than 128 KiB"
            } else {
                "blocks of more than 8 MiB"
            });
        }
        match self.direction {
            Direction::Compress => Ok(framing.capacity(src.len())),
            Direction::Decompress if dst_len + OUTPUT_SLACK > MAX_OUTPUT => {
                unsupported("more than 8 MiB from one block")
            }
            Direction::Decompress => {
                framing.check_header(src)?;
                Ok(dst_len + OUTPUT_SLACK)
            }
        }
    }

    /// Submits one block. If no more blocks can be submitted, returns why.
    fn submit(&mut self, number: usize, block: &mut Block<'_>, capacity: usize) -> Option<Filled> {
        let session = &mut *self.session;
        let src = block.src();
        let staged = if self.config.stage_sources { src.len() } else { 0 };
        let Some(mut request) = session.arena.take(capacity + staged, self.config.staging) else {
            // A block in flight frees its buffer when it completes.
            let waits = !session.in_flight.is_empty();
            return Some(if waits { Filled::Enough } else { Filled::Busy });
        };
        let source = if staged > 0 { request.stage(capacity, src) } else { Some(src.as_ptr()) };
        // Nothing may panic between the submission and `push_back`.
        session.in_flight.reserve(1);
        let source = source.unwrap_or(src.as_ptr());
        match session.submit(source, src.len() as u32, request, capacity as u32) {
            Submission::Accepted(request) => {
                session.in_flight.push_back(InFlight { block: number, capacity, request });
                None
            }
            Submission::Busy(request) => {
                session.arena.put(request);
                Some(Filled::Busy)
            }
            Submission::Dead(request, code) => {
                session.arena.put(request);
                Some(Filled::Stopped(End::Failed(code)))
            }
            Submission::Uncertain(request, code) => {
                session.lose(request);
                if code == abi::EINVAL {
                    block.set_result(Err(Error::Unsupported("refused by UADK".into())));
                    None
                } else {
                    Some(Filled::Stopped(End::Failed(code)))
                }
            }
        }
    }

    /// Sets the results of completed blocks; finds all of them if `thorough`. Returns whether there
    /// were any.
    fn harvest(&mut self, blocks: &mut [Block<'_>], thorough: bool) -> bool {
        let session = &mut *self.session;
        let framing = session.framing();
        let mut any = false;
        let mut i = 0;
        while let Some(in_flight) = session.in_flight.get(i) {
            let Some(completion) = in_flight.request.completion() else {
                i += 1;
                if !thorough && i == MAX_PENDING {
                    break;
                }
                continue;
            };
            any = true;
            let done =
                if i == 0 { session.in_flight.pop_front() } else { session.in_flight.remove(i) };
            let Some(InFlight { block, capacity, request }) = done else { break };
            session.record_completion(completion.context);
            // SAFETY: it has been completed.
            let output = unsafe { request.buffer().written(capacity) };
            let (direction, verify_lz4) = (self.direction, self.config.verify_lz4);
            let stores_matches = self.stores_matches;
            blocks[block].run(|src, dst| {
                check_status(direction, completion, src)?;
                if let Output::Sequences(format) = framing.output {
                    // SAFETY: it has been completed.
                    let counts = unsafe { request.counts() };
                    let found = Found { alg_type: framing.alg_type, output, counts };
                    let result = if stores_matches {
                        encoders::store(src, found, dst)
                    } else {
                        encoders::encode(format, src, found, dst)
                    };
                    return result.map_err(|error| match error {
                        Error::Corrupt => IMPOSSIBLE,
                        error => error,
                    });
                }
                let len = result(framing, direction, completion, src, output, dst)?;
                if framing.output == Output::Lz4 && verify_lz4 {
                    let software = SoftwareCompressor::new(Format::Lz4, Level::FAST)?;
                    if !verify::compresses(&software, &dst[..len], src) {
                        return Err(IMPOSSIBLE);
                    }
                }
                Ok(len)
            });
            session.arena.put(request);
        }
        if any {
            session.contexts().record_success();
        }
        any
    }

    /// Leaves the blocks in flight to the device, and calls `visit` with their indices.
    fn give_up(&mut self, mut visit: impl FnMut(usize)) {
        let mut i = 0;
        while let Some(in_flight) = self.session.in_flight.get(i) {
            // If another thread's poll has just completed it, it is harvested later.
            if !in_flight.request.abandon() {
                i += 1;
                continue;
            }
            if let Some(InFlight { block, request, .. }) = self.session.in_flight.remove(i) {
                self.session.lose(request);
                visit(block);
            }
        }
    }
}

/// The result of a completion that is impossible, which is a fault of the device.
const IMPOSSIBLE: Error = Error::Device { code: abi::WD_OUT_EPARA.cast_signed() };

/// Returns the error that the device reports.
fn check_status(direction: Direction, completion: Completion, src: &[u8]) -> Result<(), Error> {
    match completion.status {
        0 | abi::WD_STREAM_END => Ok(()),
        // Corrupt, or larger than the destination. Software finds out which.
        abi::WD_IN_EPARA | abi::WD_EAGAIN if direction == Direction::Decompress => {
            Err(Error::Corrupt)
        }
        // The output exceeds what the driver offers the device, which is not a fault.
        abi::WD_IN_EPARA if src.len() + src.len() / 8 > MAX_OUTPUT => {
            Err(Error::Unsupported("more than 8 MiB of output".into()))
        }
        status => Err(Error::Device { code: status.cast_signed() }),
    }
}

/// Returns the result of a completed block, and copies the output, which is at the beginning of
/// `output`, to `dst`.
fn result(
    framing: Framing,
    direction: Direction,
    completion: Completion,
    src: &[u8],
    output: &[u8],
    dst: &mut [u8],
) -> Result<usize, Error> {
    let output = output.get(..completion.produced).ok_or(IMPOSSIBLE)?;
    let output = match direction {
        Direction::Compress => {
            if completion.consumed != src.len() {
                return Err(IMPOSSIBLE);
            }
            framing.unwrap(src, output).ok_or(IMPOSSIBLE)?
        }
        Direction::Decompress => {
            let most = Format::RawDeflate.max_decompressed_len(completion.consumed);
            if completion.consumed > src.len() || most.is_some_and(|most| output.len() > most) {
                return Err(IMPOSSIBLE);
            }
            if !framing.check_trailer(src, completion.consumed, output) {
                return Err(Error::Corrupt);
            }
            output
        }
    };
    let dst = dst.get_mut(..output.len()).ok_or(Error::OutputFull)?;
    dst.copy_from_slice(output);
    Ok(output.len())
}
