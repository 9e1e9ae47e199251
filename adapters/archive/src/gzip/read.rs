//! Reading block gzip, and any other gzip.

use std::io::{self, BufRead, Read};

use super::batch::{BATCH_BLOCKS, Batch};
use super::builder::GzOptions;
use super::map::BlockMap;
use super::place::Place;
use super::pool::Pool;
use super::sequential::Sequential;
use super::source::{Next, Source};
use crate::{Error, Result};

/// Decompresses any gzip file: block gzip (BGZF) on several threads, and members that don't say how
/// long they are one after the other on the caller's. Members of both kinds may follow each other.
///
/// It is [`Read`] and [`BufRead`], and [`Seek`](io::Seek) where the file is. Each member's checksum is verified
/// before any byte of a block is given out; of a member without a size, bytes come out before its end,
/// where the checksum is. An error comes when all whole data before it has been read, and says
/// where; after it there is nothing more to read but the same error. After a
/// [`seek`](io::Seek::seek) it goes on.
///
/// Memory: two batches of 2 MiB per thread, of 4 MiB with two to four threads.
#[derive(Debug)]
pub struct GzReader<R> {
    pub(super) source: Source<R>,
    pub(super) pool: Pool,
    pub(super) current: Option<Batch>,
    /// Bytes consumed of the current batch.
    pub(super) consumed: usize,
    /// What reads members without a size, from the first of them on.
    pub(super) sequential: Option<Box<Sequential>>,
    /// Data that was consumed before `current` and `sequential`, or that was sought over.
    pub(super) position: u64,
    pub(super) failed: Option<Error>,
    /// Blocks of the next batch: few at first, so that who reads little waits for little.
    pub(super) ramp: usize,
    end_marker: bool,
    /// Whether the newest member that was framed is a block, and not the end marker.
    open_end: bool,
    pub(super) map: BlockMap,
    /// Where the last block ends that had data in it.
    data_end: u64,
}

/// Blocks of the first batch.
const FIRST_BLOCKS: usize = 1;

impl GzOptions {
    /// A reader of any gzip file.
    ///
    /// # Errors
    ///
    /// As [`writer`](Self::writer).
    pub fn reader<R: Read>(&self, inner: R) -> Result<GzReader<R>> {
        let pool = Pool::new(self.engine()?, Batch::decompress, self.threads);
        Ok(GzReader::with_pool(inner, pool, self.end_marker))
    }
}

impl<R: Read> GzReader<R> {
    /// A reader with the default [`GzOptions`].
    ///
    /// # Errors
    ///
    /// As [`GzOptions::reader`].
    pub fn new(inner: R) -> Result<Self> {
        GzOptions::new().reader(inner)
    }

    fn with_pool(inner: R, pool: Pool, end_marker: bool) -> Self {
        Self {
            source: Source::new(inner),
            pool,
            current: None,
            consumed: 0,
            sequential: None,
            position: 0,
            failed: None,
            ramp: FIRST_BLOCKS,
            end_marker,
            open_end: false,
            map: BlockMap::default(),
            data_end: 0,
        }
    }

    /// What is read from. It has been read further than the data that came out.
    pub fn get_ref(&self) -> &R {
        self.source.get_ref()
    }

    /// What was read from.
    pub fn into_inner(self) -> R {
        self.source.into_inner()
    }

    /// Reads no blocks that begin behind this byte of the file; the data ends with the last one.
    pub(crate) fn end_after_block(&mut self, last_block: Option<u64>) {
        self.source.end_after_block(last_block.unwrap_or(u64::MAX));
    }

    /// Bytes of data read so far.
    pub(crate) fn position(&self) -> u64 {
        match &self.sequential {
            Some(sequential) if self.current.is_none() => self.position + sequential.place().1,
            _ => self.position + self.consumed as u64,
        }
    }

    /// Where the next byte is in the file; `None` in a member without a size, and before anything
    /// has been read.
    pub(crate) fn place(&self) -> Option<Place> {
        let batch = self.current.as_ref()?;
        let behind = batch
            .blocks
            .partition_point(|block| block.data_start + block.data_len <= self.consumed);
        match batch.blocks.get(behind) {
            Some(block) => Some(Place {
                block: batch.file_offset + block.member_start as u64,
                within: (self.consumed - block.data_start) as u32,
            }),
            None => Some(Place { block: batch.file_offset + batch.members_len as u64, within: 0 }),
        }
    }

    /// Where the last block ends, of those read, that had data in it.
    pub(crate) const fn data_end(&self) -> u64 {
        self.data_end
    }

    /// Gives up what is on its way; what comes next is at the source's place.
    pub(super) fn reset(&mut self, position: u64) {
        self.pool.discard_all();
        if let Some(batch) = self.current.take() {
            self.pool.recycle(batch);
        }
        self.sequential = None;
        self.consumed = 0;
        self.position = position;
        self.failed = None;
        self.ramp = FIRST_BLOCKS;
        self.open_end = false;
    }

    /// Keeps the threads busy. Nothing is framed behind an error or a member without a size; of the
    /// latter, returns the length of the header.
    fn submit_batches(&mut self) -> Option<usize> {
        while self.failed.is_none() && self.pool.has_room() {
            let mut batch = self.pool.batch();
            batch.file_offset = self.source.offset();
            let mut then = None;
            while then.is_none() && (self.ramp > BATCH_BLOCKS || batch.blocks.len() < self.ramp) {
                match self.source.peek() {
                    Ok(Next::Block { header_len, len }) => {
                        if !self.source.take_block(header_len, len, &mut batch) {
                            break;
                        }
                        self.open_end =
                            batch.blocks.last().is_none_or(|last| !last.is_end_marker());
                    }
                    Ok(Next::Unsized { header_len }) => then = Some(Ok(Some(header_len))),
                    Ok(Next::End) => then = Some(Ok(None)),
                    Err(error) => then = Some(Err(error)),
                }
            }
            let mut here = false;
            if batch.blocks.is_empty() {
                self.pool.recycle(batch);
            } else {
                // Threads are for those who read on.
                here = self.ramp <= BATCH_BLOCKS && self.pool.is_empty();
                self.ramp *= if here { 2 } else { 1 };
                self.pool.submit(batch, here);
            }
            match then {
                None if here => return None,
                None => {}
                Some(Ok(then)) => return then,
                Some(Err(error)) => self.failed = Some(error),
            }
        }
        None
    }

    /// Makes data ready, if there is any left.
    fn advance(&mut self) -> Result<()> {
        loop {
            if let Some(sequential) = &mut self.sequential
                && self.current.is_none()
            {
                if !sequential.data().is_empty() {
                    return Ok(());
                }
                if sequential.is_active() {
                    match sequential.fill(&mut self.source) {
                        Ok(()) if !sequential.data().is_empty() => return Ok(()),
                        Ok(()) => {}
                        Err(error) => self.failed = Some(error),
                    }
                }
                self.position += sequential.place().1;
                self.sequential = None;
            }
            if let Some(batch) = &self.current
                && self.consumed < batch.data_len
            {
                return Ok(());
            }
            let unsized_next = self.submit_batches();
            if let Some(done) = self.pool.take() {
                let mut batch = match done {
                    Ok(batch) => batch,
                    Err(error) => {
                        self.failed = Some(error);
                        self.pool.discard_all();
                        continue;
                    }
                };
                if let Some(error) = batch.error.take() {
                    self.failed = Some(error);
                    // What was framed behind it is not wanted any more.
                    self.pool.discard_all();
                }
                self.leave_batch();
                if let Some(last) = batch.blocks.iter().rfind(|block| block.data_len > 0) {
                    self.data_end =
                        batch.file_offset + (last.member_start + last.member_len) as u64;
                }
                self.current = Some(batch);
                continue;
            }
            if let Some(error) = &self.failed {
                return Err(error.clone());
            }
            let Some(header_len) = unsized_next else {
                return self.check_end();
            };
            self.leave_batch();
            self.open_end = false;
            let mut sequential = Sequential::new();
            sequential.begin(&mut self.source, header_len);
            self.sequential = Some(sequential);
        }
    }

    /// Whether the file may end here.
    fn check_end(&mut self) -> Result<()> {
        let what = if self.source.is_bounded() {
            return Ok(());
        } else if self.source.offset() == 0 {
            "it is empty"
        } else if self.open_end && self.end_marker {
            "the end marker of block gzip is missing"
        } else {
            return Ok(());
        };
        let error = Error::truncated(self.source.offset(), what);
        self.failed = Some(error.clone());
        Err(error)
    }

    fn leave_batch(&mut self) {
        if let Some(batch) = self.current.take() {
            self.position += self.consumed as u64;
            self.consumed = 0;
            self.pool.recycle(batch);
        }
    }
}

impl<R: Read> BufRead for GzReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.advance()?;
        Ok(match (&self.current, &self.sequential) {
            (Some(batch), _) => &batch.data()[self.consumed..],
            (None, Some(sequential)) => sequential.data(),
            (None, None) => &[],
        })
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
