//! Framing: finds blocks and segments to inflate ahead, and submits them to the workers.

use std::io::Read;

use super::batch::{self, BATCH_BLOCKS, Batch};
use super::job::Job;
use super::read::{GzReader, InOrder, Next};
use super::run::{Framed, MAX_RUN_LEN, RUN_LEN, Run, Search};
use super::segment::SYNC_MARKER;
use super::source::Next as Piece;
use super::warning::GzWarning;
use crate::{Error, Result};

/// Bytes to search initially in the first run: a short read should not wait for much data.
const FIRST_LEN: usize = 16 << 10;

/// The result of looking for a job.
enum Found {
    /// A job was submitted; more can be.
    Job,
    /// A job was done on this thread, which is enough for now.
    Enough,
    /// No more jobs can be submitted before this is handled.
    None(Next),
}

impl<R: Read> GzReader<R> {
    /// Keeps the threads busy. Nothing is framed after an error, or in a member (or part of a
    /// member) that must be inflated in order.
    pub(super) fn submit_jobs(&mut self) -> Next {
        while self.failed.is_none() && self.pool.has_capacity() {
            // Return available data first: the other end may wait for a reply to it.
            if self.source.waits() && !self.pool.is_empty() {
                return Next::Jobs;
            }
            let found = if self.member.is_some() { self.frame_run() } else { self.frame_blocks() };
            match found {
                Ok(Found::Job) => {}
                Ok(Found::Enough) => return Next::Jobs,
                Ok(Found::None(next)) => return next,
                Err(error) => self.failed = Some(error),
            }
        }
        Next::Jobs
    }

    /// Submits a job. The first ones are done on this thread, in case the caller reads little.
    fn submit(&mut self, job: Job) -> Found {
        let here = self.ramp <= BATCH_BLOCKS && self.pool.is_empty();
        self.pool.submit(job, here);
        if !here {
            return Found::Job;
        }
        self.ramp *= if self.member.is_some() { BATCH_BLOCKS } else { 2 };
        Found::Enough
    }

    fn frame_blocks(&mut self) -> Result<Found> {
        let mut batch = match self.pool.spare(|job| matches!(job, Job::Blocks(_))) {
            Some(Job::Blocks(batch)) => batch,
            _ => Batch::new(batch::blocks_of_batch(self.pool.threads())),
        };
        batch.clear();
        batch.file_offset = self.source.offset();
        let mut then = None;
        while then.is_none() && (self.ramp > BATCH_BLOCKS || batch.blocks.len() < self.ramp) {
            if !batch.blocks.is_empty() && self.source.waits() && !self.source.has_block() {
                break;
            }
            match self.source.peek() {
                Ok(Piece::Block { header_len, len }) => {
                    if !self.source.take_block(header_len, len, &mut batch) {
                        break;
                    }
                    self.open_end = batch.blocks.last().is_none_or(|last| !last.is_end_marker());
                }
                Ok(Piece::Unsized { header_len }) => {
                    then = Some(Ok(Next::Member { header_len }));
                }
                Ok(Piece::End) => then = Some(Ok(Next::End)),
                Err(Error::NotGzip { offset }) if offset > 0 && self.trailing_garbage => {
                    let warning = GzWarning::TrailingGarbage { offset };
                    if !self.warnings.contains(&warning) {
                        self.warnings.push(warning);
                    }
                    then = Some(Ok(Next::End));
                }
                Err(error) => then = Some(Err(error)),
            }
        }
        let found = if batch.blocks.is_empty() {
            self.pool.recycle(Job::Blocks(batch));
            Found::Job
        } else {
            self.submit(Job::Blocks(batch))
        };
        match then {
            None => Ok(found),
            Some(then) => then.map(Found::None),
        }
    }

    fn frame_run(&mut self) -> Result<Found> {
        let Some(member) = &mut self.member else { return Ok(Found::None(Next::Jobs)) };
        if member.then_in_order.is_some() {
            return Ok(Found::None(Next::Jobs));
        }
        if self.source.is_past_last_block() {
            return Ok(Found::None(Next::End));
        }
        let mut run = match self.pool.spare(|job| matches!(job, Job::Run(_))) {
            Some(Job::Run(run)) => run,
            _ => Box::default(),
        };
        run.clear(self.source.offset());
        let torn = match self.fill_run(&mut run)? {
            Filled::Run => {
                self.min_run_len = 0;
                return Ok(self.submit(Job::Run(run)));
            }
            Filled::Nothing => true,
            Filled::NoMarker => false,
        };
        self.pool.recycle(Job::Run(run));
        if let Some(member) = &mut self.member {
            member.then_in_order = Some(InOrder { torn });
        }
        Ok(Found::None(Next::Jobs))
    }

    fn fill_run(&mut self, run: &mut Run) -> Result<Filled> {
        let short = self.ramp == 1 && self.pool.is_empty();
        let source = &mut self.source;
        while let Some(segment) =
            self.known.as_ref().and_then(|known| known.at_file(source.offset()))
            && !run.is_long()
            && (!short || run.is_empty())
            && !source.is_past_last_block()
        {
            let len = segment.len as usize;
            match source.fill(len) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if run.is_empty() => return Err(error),
                Err(error) => {
                    source.fail(error);
                    break;
                }
            }
            run.push_known(&source.buffered()[..len], segment);
            source.consume(len);
        }
        if !run.is_empty() {
            return Ok(Filled::Run);
        }
        let min_len = self.min_run_len;
        if min_len > MAX_RUN_LEN / 4 * 3 {
            return Ok(Filled::NoMarker);
        }
        let mut wanted = if short { FIRST_LEN } else { RUN_LEN };
        let mut searched = self.no_marker_before.saturating_sub(source.offset()) as usize;
        let mut seen = 0;
        loop {
            // Issue one read at a time, and only after searching the available bytes: the other end
            // of a pipe may wait for a reply to them.
            let is_new = source.buffered().len() > seen;
            let ended = !is_new && !source.fill_once(wanted)?;
            let bytes = source.buffered();
            seen = bytes.len();
            let waits = source.waits();
            // A marker may begin in the last bytes.
            let no_marker = bytes.len().saturating_sub(SYNC_MARKER.len() - 1);
            match run.frame(bytes, Search { ended, short, waits, min_len, searched }) {
                Framed::Run(0) => return Ok(Filled::Nothing),
                Framed::Run(len) => {
                    run.take(source, len);
                    return Ok(Filled::Run);
                }
                Framed::NoMarker => {
                    if min_len == 0 {
                        let before = source.offset() + no_marker as u64;
                        self.no_marker_before = before.max(self.no_marker_before);
                    }
                    return Ok(Filled::NoMarker);
                }
                Framed::Needs(len) => {
                    wanted = len.max(bytes.len() + 1);
                    if waits && min_len == 0 {
                        searched = searched.max(no_marker);
                    }
                }
            }
        }
    }
}

/// The result of filling a run.
enum Filled {
    Run,
    /// The file has ended.
    Nothing,
    NoMarker,
}
