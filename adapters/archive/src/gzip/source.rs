//! A buffered file of gzip members.

use std::io::{self, Read, Seek, SeekFrom};

use super::batch::Batch;
use super::member::{
    self, Header, MAGIC, MAX_BLOCK_LEN, MAX_HEADER_LEN, MAX_MEMBER_LEN, TRAILER_LEN,
};
use super::sound::{self, Soundness};
use crate::Error;

/// Bytes read at once. A BGZF member or a header always fits.
const BUFFER_LEN: usize = 256 << 10;

/// Capacity of a pipe on Linux. If a read returns less, the writing end is the slower one.
const PIPE_LEN: usize = 64 << 10;

/// A buffered file that knows its offset.
#[derive(Debug)]
pub(crate) struct Source<R> {
    inner: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// File offset of `start`.
    offset: u64,
    /// Blocks that begin after this offset are not read.
    last_block: u64,
    ended: bool,
    /// Whether the last read returned less than the free space and less than a full pipe.
    waits: bool,
    /// The error that ended reading, returned once the bytes before it are consumed.
    failed: Option<Error>,
    /// Offset of trailing data that is not gzip, once found.
    garbage: Option<u64>,
    /// Number of zeros that end the file, once found.
    zeros: u64,
    /// Whether the file ends after the first byte of a member, following another member.
    lone_byte: bool,
}

/// What comes next in a file.
#[derive(Debug)]
pub(super) enum Next {
    /// A member with a declared size, completely buffered.
    Block { header_len: usize, len: usize },
    /// A member without a declared size.
    Unsized { header_len: usize },
    /// The end of the file, or of the requested blocks.
    End,
}

impl<R: Read> Source<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: vec![0; BUFFER_LEN],
            start: 0,
            end: 0,
            offset: 0,
            last_block: u64::MAX,
            ended: false,
            waits: false,
            failed: None,
            garbage: None,
            zeros: 0,
            lone_byte: false,
        }
    }

    pub(crate) fn get_ref(&self) -> &R {
        &self.inner
    }

    pub(crate) fn into_inner(self) -> R {
        self.inner
    }

    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Moves `len` bytes to `to`, followed by `slack` bytes of any value. Usually swaps the buffers
    /// and copies only the buffered bytes after those `len`.
    pub(super) fn take(&mut self, len: usize, slack: usize, to: &mut Vec<u8>) {
        let buffered = &self.buffer[self.start..self.end];
        if self.start == 0 && len + slack <= self.buffer.len() {
            to.resize(self.buffer.len(), 0);
            to[..buffered.len() - len].copy_from_slice(&buffered[len..]);
            std::mem::swap(to, &mut self.buffer);
            self.end -= len;
            self.offset += len as u64;
        } else {
            to.clear();
            to.extend(&buffered[..len]);
            to.resize(len + slack, 0);
            self.consume(len);
        }
    }

    /// Returns whether more bytes may take a while to arrive.
    pub(super) const fn waits(&self) -> bool {
        self.waits
    }

    /// Returns whether a complete block is buffered.
    pub(super) fn has_block(&self) -> bool {
        let buffered = self.buffered();
        let header = member::parse(buffered);
        matches!(header, Some(Ok(Header::Block { len, .. })) if len <= buffered.len())
    }

    /// Makes reading fail with this error after the buffered bytes.
    pub(super) fn fail(&mut self, error: Error) {
        self.failed = Some(error);
    }

    /// Puts back the bytes that were consumed last.
    pub(super) fn unread(&mut self, bytes: &[u8]) {
        let buffered = self.buffered();
        if bytes.len() > self.start {
            let mut buffer = bytes.to_vec();
            buffer.extend(buffered);
            self.end = buffer.len();
            buffer.resize(buffer.len().max(BUFFER_LEN), 0);
            self.buffer = buffer;
            self.start = 0;
        } else {
            self.start -= bytes.len();
            self.buffer[self.start..self.start + bytes.len()].copy_from_slice(bytes);
        }
        self.offset -= bytes.len() as u64;
    }

    /// Returns whether the block or segment that begins here is after the last requested one.
    pub(super) fn is_past_last_block(&self) -> bool {
        self.offset > self.last_block
    }

    /// Ends reading at blocks that begin after this file offset.
    pub(super) fn end_after_block(&mut self, last_block: u64) {
        self.last_block = last_block;
    }

    /// Returns whether a last block was set.
    pub(super) fn is_bounded(&self) -> bool {
        self.last_block != u64::MAX
    }

    /// Returns the buffered bytes.
    pub(crate) fn buffered(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(crate) fn consume(&mut self, n: usize) {
        self.start += n;
        self.offset += n as u64;
    }

    /// Determines what comes next. Buffers its header or, for a block, all of its bytes.
    pub(super) fn peek(&mut self) -> Result<Next, Error> {
        if self.is_past_last_block() {
            return Ok(Next::End);
        }
        if let Some(offset) = self.garbage {
            return Err(Error::NotGzip { offset });
        }
        loop {
            let buffered = &self.buffer[self.start..self.end];
            let len = buffered.len();
            let header = member::parse(buffered);
            let wanted = match header {
                // Tapes and some file systems pad the end with zeros.
                None if buffered.first() == Some(&0) && self.offset > 0 => {
                    return self.skip_zeros();
                }
                None => return Err(Error::NotGzip { offset: self.offset }),
                Some(Err(what)) => return Err(Error::damaged(self.offset, what)),
                Some(Ok(Header::Block { header_len, len: member_len })) if member_len <= len => {
                    return self.check_block(header_len, member_len);
                }
                Some(Ok(Header::Block { len, .. })) => len,
                Some(Ok(Header::Unsized { header_len })) => {
                    return Ok(Next::Unsized { header_len });
                }
                Some(Ok(Header::Incomplete)) if len >= MAX_HEADER_LEN => {
                    return Err(Error::damaged(self.offset, "its header is too long"));
                }
                Some(Ok(Header::Incomplete)) => len + 1,
            };
            if !self.fill(wanted)? {
                if len == 0 {
                    return Ok(Next::End);
                }
                if let Some(Ok(Header::Block { header_len, len })) = header
                    && self.is_plain(header_len, len)
                {
                    return Ok(Next::Unsized { header_len });
                }
                self.lone_byte = len == 1 && self.offset > 0;
                let what = "the last gzip member is incomplete";
                return Err(Error::truncated(self.offset + len as u64, what));
            }
        }
    }

    /// Checks a buffered block. If its length is implausible, it may be a plain member with a
    /// header field that looks like BGZF's, or a block with only its header damaged.
    fn check_block(&mut self, header_len: usize, len: usize) -> Result<Next, Error> {
        let is_short = len < header_len + TRAILER_LEN;
        let buffered = self.buffered();
        let after = &buffered[len..];
        let is_odd = is_short
            || member::read_trailer(&buffered[..len]).1 as usize > MAX_BLOCK_LEN
            || !MAGIC.starts_with(&after[..after.len().min(MAGIC.len())]);
        if is_odd && self.is_plain(header_len, len) {
            return Ok(Next::Unsized { header_len });
        }
        if is_short {
            let what = format!("its BGZF size of {len} bytes is too small for a member");
            return Err(Error::damaged(self.offset, what));
        }
        Ok(Next::Block { header_len, len })
    }

    /// Returns whether the next member is sound but its length differs from the declared one.
    /// Blocks are examined to their end; the first member of the file may be longer than a block.
    fn is_plain(&mut self, header_len: usize, len: usize) -> bool {
        if let Err(error) = self.fill(MAX_MEMBER_LEN) {
            self.failed = Some(error);
        }
        match sound::examine(self.buffered(), header_len) {
            // An empty block may declare more than its own size to hide a member from block
            // readers: archive indexes use this.
            Soundness::Whole(actual) => {
                let (_, data_len) = member::read_trailer(&self.buffered()[..actual]);
                actual != len && (data_len > 0 || self.offset == 0)
            }
            Soundness::Unfinished => self.offset == 0 && self.buffered().len() >= MAX_MEMBER_LEN,
            Soundness::Damaged => false,
        }
    }

    /// Buffers at least `wanted` bytes; returns `false` if the file has fewer.
    pub(crate) fn fill(&mut self, wanted: usize) -> Result<bool, Error> {
        while self.end - self.start < wanted {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if self.ended {
                return Ok(false);
            }
            self.read(wanted, usize::MAX)?;
        }
        Ok(true)
    }

    /// Reads once, and not much more than needed, if fewer than `wanted` bytes are buffered.
    /// Returns `false` if the file has no more. A read error is deferred until the bytes before it
    /// are consumed.
    pub(super) fn fill_once(&mut self, wanted: usize) -> Result<bool, Error> {
        let buffered = self.end - self.start;
        if buffered >= wanted {
            return Ok(true);
        }
        if self.failed.is_none() && !self.ended {
            self.failed = self.read(wanted, (wanted - buffered).max(PIPE_LEN)).err();
        }
        match self.failed.take() {
            Some(error) if buffered > 0 => self.failed = Some(error),
            Some(error) => return Err(error),
            None => {}
        }
        Ok(self.end - self.start > buffered)
    }

    /// Reads once, up to `most` bytes, to get closer to `wanted` buffered bytes.
    fn read(&mut self, wanted: usize, most: usize) -> Result<(), Error> {
        if self.start > 0 && self.buffer.len() - self.start < wanted.max(MAX_MEMBER_LEN) {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted.next_power_of_two(), 0);
        }
        let len = self.read_len(wanted).min(most);
        loop {
            match self.inner.read(&mut self.buffer[self.end..self.end + len]) {
                Ok(0) => self.ended = true,
                Ok(n) => {
                    self.end += n;
                    self.waits = n < len.min(PIPE_LEN);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            }
            return Ok(());
        }
    }

    /// Buffers the first `wanted` bytes, if the file has them, and reads no more than that.
    pub(crate) fn fill_start(&mut self, wanted: usize) -> Result<(), Error> {
        while self.end < wanted && !self.ended {
            match self.inner.read(&mut self.buffer[self.end..wanted]) {
                Ok(0) => self.ended = true,
                Ok(n) => self.end += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Returns how much to read at once: no more than `wanted` or the last block may need.
    fn read_len(&self, wanted: usize) -> usize {
        let free = self.buffer.len() - self.end;
        let buffered = self.end - self.start;
        let position = self.offset + buffered as u64;
        let block = self.last_block.saturating_add(MAX_MEMBER_LEN as u64).saturating_sub(position);
        free.min(usize::try_from(block).unwrap_or(usize::MAX).max(wanted - buffered))
    }

    fn skip_zeros(&mut self) -> Result<Next, Error> {
        let offset = self.offset;
        while self.fill(1)? {
            let buffered = self.buffered();
            if buffered.iter().any(|byte| *byte != 0) {
                self.garbage = Some(offset);
                return Err(Error::NotGzip { offset });
            }
            let len = buffered.len();
            self.consume(len);
        }
        self.zeros = self.offset - offset;
        Ok(Next::End)
    }

    /// Returns the number of zeros that end the file, once found.
    pub(super) const fn zeros(&self) -> u64 {
        self.zeros
    }

    /// Returns whether the file was found to end after the first byte of a member.
    pub(super) const fn has_lone_byte(&self) -> bool {
        self.lone_byte
    }

    /// Moves the next block to a batch; returns `false` if the batch is full.
    pub(super) fn take_block(&mut self, header_len: usize, len: usize, batch: &mut Batch) -> bool {
        if !batch.push_member(&self.buffer[self.start..self.start + len], header_len) {
            return false;
        }
        self.consume(len);
        true
    }
}

impl<R: Read + Seek> Source<R> {
    /// Calls `work` with the file itself, then returns to the current position.
    pub(crate) fn with_inner<T>(&mut self, work: impl FnOnce(&mut R) -> T) -> Result<T, Error> {
        let result = work(&mut self.inner);
        self.start = 0;
        self.end = 0;
        self.ended = false;
        self.failed = None;
        self.inner.seek(SeekFrom::Start(self.offset))?;
        Ok(result)
    }

    /// Continues at another file offset.
    pub(crate) fn seek(&mut self, offset: u64) -> Result<(), Error> {
        self.garbage = None;
        let buffered = (self.end - self.start) as u64;
        if (self.offset..=self.offset + buffered).contains(&offset) {
            self.consume((offset - self.offset) as usize);
            return Ok(());
        }
        self.inner.seek(SeekFrom::Start(offset))?;
        self.start = 0;
        self.end = 0;
        self.offset = offset;
        self.ended = false;
        self.failed = None;
        Ok(())
    }
}
