//! Reading any gzip file.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use block_deflate::segment::Joiner;
use uadk_compress::{BlockCompressor, Checked};
use zlib_rs::Inflate;

use super::batch::{self, BATCH_BLOCKS, Batch};
use super::builder::GzOptions;
use super::inflated::Inflated;
use super::job::Job;
use super::map::{HISTORY, Map, Start};
use super::place::Place;
use super::pool::Pool;
use super::run::{Run, Then};
use super::segments::{Segments, new_joiner};
use super::sequential::{Sequential, check_trailer};
use super::source::Source;
use super::warning::GzWarning;
use crate::{Error, Result};

/// Decompresses any gzip file: on several threads for block gzip (BGZF) and for members of
/// independent segments, as written by [`GzWriter`](crate::GzWriter) and `pigz -i`; in order, on
/// the caller's thread, for others. Members of all kinds may follow each other.
///
/// Implements [`Read`] and [`BufRead`], and [`Seek`](io::Seek) if the file does. In block gzip, the
/// checksum of each block is verified before any of its bytes are returned; a block that declares a
/// wrong length but is sound otherwise is read at its actual length. The checksum of other members
/// is at their end, so bytes are returned before it is verified. An error is returned after all
/// intact data before it and contains its offset; further reads return the same error.
/// [`seek`](io::Seek::seek) clears it.
///
/// Memory: two batches of 2 MiB per thread, of 4 MiB with two to four threads.
///
/// ```
/// use std::io::{Cursor, Read, Seek, SeekFrom};
/// use uadk_compress_archive::{GzOptions, GzReader};
///
/// let file = GzOptions::new().compress(&b"remember the milk"[..], Vec::new())?;
///
/// let mut reader = GzReader::new(Cursor::new(file))?;
/// reader.seek(SeekFrom::Start(13))?;
/// let mut text = String::new();
/// reader.read_to_string(&mut text)?;
/// assert_eq!(text, "milk");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[allow(clippy::struct_excessive_bools)] // Independent states.
pub struct GzReader<R> {
    pub(super) source: Source<R>,
    pub(super) pool: Pool<Job>,
    pub(super) current: Option<Job>,
    /// Bytes consumed of the current job.
    pub(super) consumed: usize,
    /// The member that is being inflated as segments, if any.
    pub(super) member: Option<Member>,
    /// Inflates a member, or the rest of one, in order.
    pub(super) sequential: Option<Box<Sequential>>,
    /// The segments listed in an index.
    pub(super) known: Option<Arc<Segments>>,
    /// Bytes of data consumed before `current` and `sequential`, or skipped by seeking.
    pub(super) position: u64,
    pub(super) failed: Option<Error>,
    /// Blocks of the next batch: few at first, so that a short read does not wait for much data.
    pub(super) ramp: usize,
    pub(super) trailing_garbage: bool,
    end_marker: bool,
    /// Whether the last framed member is a block other than the end marker.
    pub(super) open_end: bool,
    pub(super) warnings: Vec<GzWarning>,
    pub(super) map: Map,
    /// The segments read so far, if they are [collected](Self::collect_segments).
    collected: Option<Segments>,
    inflated: Inflated,
    is_one_member: bool,
    /// Minimum length of the next run: a shorter one did not end at the end of a segment.
    pub(super) min_run_len: usize,
    /// There is no marker ahead up to this file offset.
    pub(super) no_marker_before: u64,
    /// The end of the last block that contained data; `None` if not all data was in blocks.
    data_end: Option<u64>,
    /// Whether to stop at the end of the member.
    pub(super) one_member: bool,
    /// For the rest of a run.
    inflate: Option<Box<Inflate>>,
    engine: Engine,
}

impl<R: std::fmt::Debug> std::fmt::Debug for GzReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let source = &self.source;
        f.debug_struct("GzReader")
            .field("source", source)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

/// A member that is inflated as segments.
#[derive(Debug)]
pub(super) struct Member {
    /// The checksum of its data; `None` if not all of it is read.
    joiner: Option<Joiner>,
    /// The last data that was consumed.
    history: Vec<u8>,
    /// Set if the rest is to be inflated in order once all runs are consumed.
    pub(super) then_in_order: Option<InOrder>,
}

/// How the rest of a member is inflated in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct InOrder {
    /// The rest is known to need no history.
    pub(super) torn: bool,
}

/// What follows when all jobs are done.
#[derive(Debug)]
pub(super) enum Next {
    /// A member that is not block gzip, with a header of this length.
    Member { header_len: usize },
    /// The end of the file, or of the requested part.
    End,
    /// More jobs.
    Jobs,
}

/// The engine that inflates blocks.
type Engine = Checked<Arc<dyn BlockCompressor>>;

/// Blocks of the first batch.
const FIRST_BLOCKS: usize = 1;

impl GzOptions {
    /// Creates a reader of any gzip file.
    ///
    /// # Errors
    ///
    /// See [`writer`](Self::writer).
    pub fn reader<R: Read>(&self, inner: R) -> Result<GzReader<R>> {
        let engine = self.engine()?;
        Ok(self.reader_with(engine, Source::new(inner)))
    }

    /// Creates a reader of a file whose beginning has been buffered.
    pub(crate) fn reader_of<R: Read>(&self, source: Source<R>) -> Result<Box<GzReader<R>>> {
        let engine = self.engine()?;
        Ok(self.boxed_reader_with(engine, source))
    }

    /// In a stack frame of its own, because a reader is large and creating an engine needs stack
    /// too.
    #[inline(never)]
    fn boxed_reader_with<R: Read>(&self, engine: Engine, source: Source<R>) -> Box<GzReader<R>> {
        Box::new(self.reader_with(engine, source))
    }

    fn reader_with<R: Read>(&self, engine: Engine, source: Source<R>) -> GzReader<R> {
        let worker = engine.clone();
        let work = move |inflate: &mut Option<_>, job: &mut Job| job.work(inflate, &worker);
        let make = |threads| Job::Blocks(Batch::new(batch::blocks_of_batch(threads)));
        GzReader {
            source,
            pool: Pool::new(self.threads, make, || None, work),
            current: None,
            consumed: 0,
            member: None,
            sequential: None,
            known: None,
            position: 0,
            failed: None,
            ramp: FIRST_BLOCKS,
            trailing_garbage: self.trailing_garbage,
            end_marker: self.end_marker,
            open_end: false,
            warnings: Vec::new(),
            map: Map::default(),
            collected: None,
            inflated: Inflated::default(),
            is_one_member: false,
            min_run_len: 0,
            no_marker_before: 0,
            data_end: Some(0),
            one_member: false,
            inflate: None,
            engine,
        }
    }
}

impl<R: Read> GzReader<R> {
    /// Creates a reader with the default [`GzOptions`].
    ///
    /// # Errors
    ///
    /// See [`GzOptions::reader`].
    pub fn new(inner: R) -> Result<Self> {
        GzOptions::new().reader(inner)
    }

    /// Returns the underlying reader. It is ahead of the data returned so far.
    pub fn get_ref(&self) -> &R {
        self.source.get_ref()
    }

    /// Returns the underlying reader.
    pub fn into_inner(self) -> R {
        self.source.into_inner()
    }

    /// Returns warnings about oddities that did not prevent reading. The list is complete once all
    /// data has been read.
    #[must_use]
    pub fn warnings(&self) -> &[GzWarning] {
        &self.warnings
    }

    /// Returns statistics of the data inflated so far without an engine: data that is not in blocks
    /// of known length is always inflated in software.
    #[must_use]
    pub const fn inflated(&self) -> Inflated {
        self.inflated
    }

    /// Returns the number of zeros at the end of the file, after the data, as tapes leave them.
    /// They are neither data nor garbage. Valid once all data has been read.
    #[must_use]
    pub const fn trailing_zeros(&self) -> u64 {
        self.source.zeros()
    }

    /// Returns whether reading ended in [`Error::Truncated`] because of a single byte at the end of
    /// the file, which may be the first byte of a member or anything else.
    #[must_use]
    pub const fn has_lone_byte(&self) -> bool {
        self.source.has_lone_byte()
    }

    /// Returns whether all data was read and an end marker is missing.
    pub(crate) fn lacks_end_marker(&self) -> bool {
        self.warnings.contains(&GzWarning::NoEndMarker)
    }

    /// Sets the segments of the file's one member. Each is verified before any of its bytes are
    /// returned.
    pub(crate) fn set_known_segments(&mut self, segments: Option<Arc<Segments>>) {
        self.known = segments;
    }

    /// Returns whether the file begins with a member that is not block gzip.
    pub(crate) const fn is_one_member(&self) -> bool {
        self.is_one_member
    }

    /// Starts collecting the segments that are read, which takes memory for each.
    pub(crate) fn collect_segments(&mut self) {
        self.collected = Some(Segments::default());
    }

    /// Returns the consecutive segments read since the beginning of the file.
    pub(crate) fn take_segments(&mut self) -> Segments {
        self.collected.take().unwrap_or_default()
    }

    /// Returns whether reading can start at an offset in the data where a segment or member begins:
    /// what follows must not refer to earlier data. Valid once everything has been read.
    pub(crate) fn can_begin_at(&self, data: u64) -> bool {
        self.map.is_far_before_barrier(data)
    }

    /// Ends the data before the first block or segment that begins after this file offset.
    pub(crate) fn end_after_block(&mut self, last_block: Option<u64>) {
        self.source.end_after_block(last_block.unwrap_or(u64::MAX));
    }

    /// Returns the bytes of data read so far.
    pub(crate) fn position(&self) -> u64 {
        match &self.sequential {
            Some(sequential) if self.current.is_none() => self.position + sequential.consumed(),
            _ => self.position + self.consumed as u64,
        }
    }

    /// Returns the place of the next byte in the file; `None` if reading can't start there, or
    /// before anything has been read.
    pub(crate) fn place(&self) -> Option<Place> {
        match (&self.current, &self.sequential, &self.member) {
            (Some(Job::Blocks(batch)), ..) => Some(batch.place(self.consumed)),
            (Some(Job::Run(run)), ..) => run.place(self.consumed),
            (None, Some(sequential), Some(Member { then_in_order: Some(order), .. })) => {
                let within = u32::try_from(sequential.consumed()).ok()?;
                order.torn.then(|| Place { block: sequential.start_offset(), within })
            }
            _ => None,
        }
    }

    /// Returns the end of the last block read that contained data; `None` if there was data outside
    /// of blocks.
    pub(crate) const fn data_end(&self) -> Option<u64> {
        self.data_end
    }

    /// Discards everything in flight. Reading continues at the source's position, which is
    /// `position` in the data.
    pub(super) fn reset(&mut self, position: u64) {
        self.pool.discard_all();
        if let Some(job) = self.current.take() {
            self.pool.recycle(job);
        }
        self.sequential = None;
        self.member = None;
        self.consumed = 0;
        self.position = position;
        self.failed = None;
        self.ramp = FIRST_BLOCKS;
        self.open_end = false;
        self.min_run_len = 0;
    }

    /// Begins the member whose header comes next.
    pub(super) fn begin_member(&mut self, header_len: usize) {
        self.open_end = false;
        self.is_one_member |= self.source.offset() == 0;
        self.source.consume(header_len);
        self.ramp = FIRST_BLOCKS;
        let joiner = Some(new_joiner());
        self.member = Some(Member { joiner, history: Vec::new(), then_in_order: None });
    }

    /// Continues inside a member that is not read from its beginning.
    pub(super) fn enter_member(&mut self) {
        self.member = Some(Member { joiner: None, history: Vec::new(), then_in_order: None });
    }

    /// Makes data available, if there is any left.
    fn advance(&mut self) -> Result<()> {
        loop {
            if self.one_member && self.member.is_none() && self.current.is_none() {
                return self.failed.clone().map_or(Ok(()), Err);
            }
            if self.current.is_none() && self.sequential.is_some() {
                if self.advance_in_order() {
                    return Ok(());
                }
                continue;
            }
            if let Some(job) = &self.current {
                if self.consumed < job.data().len() {
                    return Ok(());
                }
                self.leave_job();
                continue;
            }
            let next = self.submit_jobs();
            if let Some(done) = self.pool.take() {
                match done {
                    Ok(job) => self.enter_job(job),
                    Err(error) => {
                        self.failed = Some(error);
                        self.pool.discard_all();
                    }
                }
                continue;
            }
            if let Some(error) = &self.failed {
                return Err(error.clone());
            }
            match next {
                Next::Jobs => {
                    if let Some(member) = &mut self.member
                        && member.then_in_order.is_some()
                    {
                        let history = std::mem::take(&mut member.history);
                        let refers_back = member.then_in_order.is_some_and(|order| !order.torn);
                        if refers_back && !history.is_empty() {
                            self.map.add_barrier(self.position);
                        }
                        let joiner = member.joiner.take();
                        let offset = self.source.offset();
                        self.sequential = Some(Sequential::new(offset, joiner, &history));
                    }
                }
                Next::Member { header_len } => self.begin_member(header_len),
                Next::End => return self.check_end(),
            }
        }
    }

    /// Makes data available that is inflated in order; returns `false` if there is no more.
    fn advance_in_order(&mut self) -> bool {
        let Some(sequential) = &mut self.sequential else { return false };
        if sequential.data().is_empty() && sequential.is_active() {
            self.failed = sequential.fill(&mut self.source).err();
        }
        if !sequential.data().is_empty() {
            self.data_end = None;
            return true;
        }
        if !sequential.is_active() {
            self.position += sequential.consumed();
            self.inflated.add(sequential.inflated());
            self.sequential = None;
            self.member = None;
        }
        false
    }

    /// Makes a finished job the current one.
    fn enter_job(&mut self, mut job: Job) {
        match &mut job {
            Job::Blocks(batch) => {
                if let Some(error) = batch.error.take() {
                    self.failed = Some(error);
                    // The jobs after it are no longer needed.
                    self.pool.discard_all();
                }
                if let Some(end) = &mut self.data_end
                    && !batch.data().is_empty()
                {
                    *end = batch.file_offset + batch.data_end() as u64;
                }
            }
            Job::Run(run) => self.enter_run(run),
        }
        self.current = Some(job);
    }

    fn enter_run(&mut self, run: &Run) {
        let Some(member) = &mut self.member else { return };
        for done in &run.done {
            if let Some(joiner) = &mut member.joiner {
                joiner.add(done.crc, done.data_len as u64);
            }
            let segment = done.segment(run.file_offset, self.position);
            if let Some(collected) = &mut self.collected
                && !done.is_last
            {
                collected.push_next(segment);
            }
            self.map.add(Start { file: segment.file, data: segment.data, in_member: true });
        }
        if !run.is_known() {
            self.inflated.add(run.inflated());
        }
        if !run.data().is_empty() {
            self.data_end = None;
        }
        self.map.cover(self.position, self.position + run.data().len() as u64);
        let data = run.data();
        if data.len() >= HISTORY {
            member.history.clear();
        }
        member.history.extend(&data[data.len().saturating_sub(HISTORY)..]);
        let excess = member.history.len().saturating_sub(HISTORY);
        member.history.drain(..excess);
    }

    /// Leaves the current job, whose data is all consumed.
    fn leave_job(&mut self) {
        let Some(mut job) = self.current.take() else { return };
        self.position += self.consumed as u64;
        self.consumed = 0;
        if let Job::Run(run) = &mut job {
            match run.then() {
                Then::Next => {}
                Then::More => {
                    run.inflate(&mut self.inflate, &self.engine);
                    self.enter_run(run);
                    self.current = Some(job);
                    return;
                }
                Then::Damaged(error) => {
                    self.pool.discard_all();
                    self.failed = Some(error);
                }
                Then::Longer { at } => {
                    self.min_run_len = run.compressed_from(at).len() + 1;
                    self.put_back(run, at);
                    // Similar data may follow, which makes reading ahead useless.
                    self.ramp = BATCH_BLOCKS;
                }
                Then::InOrder { at, torn } => {
                    self.put_back(run, at);
                    if let Some(member) = &mut self.member {
                        member.then_in_order = Some(InOrder { torn });
                    }
                }
                Then::Trailer { at } => {
                    self.put_back(run, at);
                    let member = self.member.take();
                    let joiner = member.as_ref().and_then(|member| member.joiner.as_ref());
                    if self.failed.is_none() {
                        let offset = run.file_offset;
                        self.failed = check_trailer(&mut self.source, joiner, offset).err();
                    }
                }
            }
        }
        self.pool.recycle(job);
    }

    /// Puts back everything read from offset `at` of the run onwards.
    fn put_back(&mut self, run: &Run, at: usize) {
        let mut bytes = run.compressed_from(at).to_vec();
        let mut panicked = None;
        while let Some(done) = self.pool.take() {
            match done {
                Ok(job) => {
                    if let Job::Run(run) = &job {
                        bytes.extend(run.compressed_from(0));
                    }
                    self.pool.recycle(job);
                }
                // Its bytes are lost.
                Err(error) => panicked = Some(error),
            }
        }
        self.source.unread(&bytes);
        // An I/O error may occur only once, so keep it; other errors will occur again.
        if let Some(error @ Error::Io(_)) = std::mem::replace(&mut self.failed, panicked) {
            self.source.fail(error);
        }
        if let Some(member) = &mut self.member {
            member.then_in_order = None;
        }
    }

    /// Checks whether the file may end here.
    fn check_end(&mut self) -> Result<()> {
        let what = if self.source.is_bounded() {
            return Ok(());
        } else if self.source.offset() == 0 {
            "it is empty"
        } else if self.open_end {
            if !self.lacks_end_marker() {
                self.warnings.push(GzWarning::NoEndMarker);
            }
            if !self.end_marker {
                return Ok(());
            }
            "the end marker of block gzip is missing"
        } else {
            return Ok(());
        };
        let error = Error::truncated(self.source.offset(), what);
        self.failed = Some(error.clone());
        Err(error)
    }

    fn ready(&self) -> &[u8] {
        match (&self.current, &self.sequential) {
            (Some(job), _) => &job.data()[self.consumed..],
            (None, Some(sequential)) => sequential.data(),
            (None, None) => &[],
        }
    }
}

impl<R: Read> BufRead for GzReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.advance()?;
        Ok(self.ready())
    }

    fn consume(&mut self, n: usize) {
        match (&self.current, &mut self.sequential) {
            (Some(_), _) => self.consumed += n,
            (None, Some(sequential)) => sequential.consume(n),
            (None, None) => {}
        }
    }
}

impl<R: Read> Read for GzReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}
