//! A file of gzip members, read piece by piece.

use std::io::{self, Read, Seek, SeekFrom};

use super::batch::Batch;
use super::member::{
    self, Header, MAGIC, MAX_BLOCK_LEN, MAX_HEADER_LEN, MAX_MEMBER_LEN, TRAILER_LEN,
};
use super::sound::{self, Soundness};
use crate::Error;

/// Read at once. A member of BGZF, and a header, always fit.
const BUFFER_LEN: usize = 256 << 10;

/// Bytes in a full pipe, on Linux. Where a read returns fewer, the other end is slower than this one.
const PIPE_LEN: usize = 64 << 10;

/// A buffer before a file, which knows where it is.
#[derive(Debug)]
pub(crate) struct Source<R> {
    inner: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the file before `start`.
    offset: u64,
    /// Blocks that begin behind this are left alone.
    last_block: u64,
    ended: bool,
    /// Whether the last read returned less than there was room for and than a full pipe has.
    waits: bool,
    /// What reading ended in, for when the bytes before it are consumed.
    failed: Option<Error>,
    /// Where something begins that is not gzip, once that has been found.
    garbage: Option<u64>,
    /// Zeros that end the file, once they have been found.
    zeros: u64,
    /// Whether the first byte of a member is the last one of the file, behind another member.
    lone_byte: bool,
}

/// What comes next in a file.
#[derive(Debug)]
pub(super) enum Next {
    /// A member that says how long it is, which is in the buffer.
    Block { header_len: usize, len: usize },
    /// A member that does not.
    Unsized { header_len: usize },
    /// The file's end, or the last block that is wanted.
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

    /// Moves `len` bytes to `to`, with `slack` bytes of any value behind them. Mostly that is the buffer
    /// itself, and only what is behind them in it is copied.
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

    /// Whether more bytes may take a while to come.
    pub(super) const fn waits(&self) -> bool {
        self.waits
    }

    /// Whether a block is buffered, all of it.
    pub(super) fn has_block(&self) -> bool {
        let buffered = self.buffered();
        let header = member::parse(buffered);
        matches!(header, Some(Ok(Header::Block { len, .. })) if len <= buffered.len())
    }

    /// Has reading end in this error, behind the bytes that are buffered.
    pub(super) fn fail(&mut self, error: Error) {
        self.failed = Some(error);
    }

    /// Puts bytes back that were consumed last.
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

    /// Whether the block or segment that begins here is not wanted any more.
    pub(super) fn is_behind_last_block(&self) -> bool {
        self.offset > self.last_block
    }

    /// Leaves blocks alone that begin behind this byte of the file.
    pub(super) fn end_after_block(&mut self, last_block: u64) {
        self.last_block = last_block;
    }

    /// Whether there may be blocks that are not wanted.
    pub(super) fn is_bounded(&self) -> bool {
        self.last_block != u64::MAX
    }

    /// What is in the buffer.
    pub(crate) fn buffered(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(crate) fn consume(&mut self, n: usize) {
        self.start += n;
        self.offset += n as u64;
    }

    /// Looks at what comes next, with all of its header, and all of it if it is a block.
    pub(super) fn peek(&mut self) -> Result<Next, Error> {
        if self.is_behind_last_block() {
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
                // Zeros up to the end are what tapes and some file systems leave.
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
                    return Err(Error::damaged(self.offset, "its header has no end"));
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
                let what = "the last gzip member is not all there";
                return Err(Error::truncated(self.offset + len as u64, what));
            }
        }
    }

    /// Looks at a block that is buffered. One whose length makes no sense may be a plain member, with
    /// other things in its header that look like BGZF's, or a block whose header alone is damaged.
    fn check_block(&mut self, header_len: usize, len: usize) -> Result<Next, Error> {
        let is_short = len < header_len + TRAILER_LEN;
        let buffered = self.buffered();
        let behind = &buffered[len..];
        let is_odd = is_short
            || member::read_trailer(&buffered[..len]).1 as usize > MAX_BLOCK_LEN
            || !MAGIC.starts_with(&behind[..behind.len().min(MAGIC.len())]);
        if is_odd && self.is_plain(header_len, len) {
            return Ok(Next::Unsized { header_len });
        }
        if is_short {
            let what = format!("it says that it has {len} bytes, which is less than a member has");
            return Err(Error::damaged(self.offset, what));
        }
        Ok(Next::Block { header_len, len })
    }

    /// Whether the member that comes next is sound, and of another length than it says. That of a block is
    /// found out before any of its data is returned; what the file begins with may be longer than one.
    fn is_plain(&mut self, header_len: usize, len: usize) -> bool {
        if let Err(error) = self.fill(MAX_MEMBER_LEN) {
            self.failed = Some(error);
        }
        match sound::examine(self.buffered(), header_len) {
            // An empty block may say that it is longer, and have a member in it that readers of blocks pass
            // over: indexes of archives are there.
            Soundness::Whole(is) => {
                let (_, data_len) = member::read_trailer(&self.buffered()[..is]);
                is != len && (data_len > 0 || self.offset == 0)
            }
            Soundness::Unfinished => self.offset == 0 && self.buffered().len() >= MAX_MEMBER_LEN,
            Soundness::Damaged => false,
        }
    }

    /// Has at least `wanted` bytes in the buffer; false if the file has fewer.
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

    /// Reads once where there are fewer bytes than `wanted`, and not much more; false if the file has no more.
    /// Where reading fails, that is said when the bytes before are consumed.
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

    /// Reads once, `most` bytes, in order to have `wanted` ones.
    fn read(&mut self, wanted: usize, most: usize) -> Result<(), Error> {
        if self.start > 0 && self.buffer.len() - self.start < wanted.max(MAX_MEMBER_LEN) {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted.next_power_of_two(), 0);
        }
        let room = self.room(wanted).min(most);
        loop {
            match self.inner.read(&mut self.buffer[self.end..self.end + room]) {
                Ok(0) => self.ended = true,
                Ok(n) => {
                    self.end += n;
                    self.waits = n < room.min(PIPE_LEN);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            }
            return Ok(());
        }
    }

    /// Has at least so many bytes in the buffer, if the file has them, and reads no more than them.
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

    /// How much to read at once: no more than what is wanted, or what the last block may need.
    fn room(&self, wanted: usize) -> usize {
        let room = self.buffer.len() - self.end;
        let buffered = self.end - self.start;
        let position = self.offset + buffered as u64;
        let block = self.last_block.saturating_add(MAX_MEMBER_LEN as u64).saturating_sub(position);
        room.min(usize::try_from(block).unwrap_or(usize::MAX).max(wanted - buffered))
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

    /// How many zeros end the file, once they have been found.
    pub(super) const fn zeros(&self) -> u64 {
        self.zeros
    }

    /// Whether the first byte of a member is the last one of the file, once that has been found.
    pub(super) const fn has_lone_byte(&self) -> bool {
        self.lone_byte
    }

    /// Moves the next block to a batch; false if there is no room.
    pub(super) fn take_block(&mut self, header_len: usize, len: usize, batch: &mut Batch) -> bool {
        if !batch.push_member(&self.buffer[self.start..self.start + len], header_len) {
            return false;
        }
        self.consume(len);
        true
    }
}

impl<R: Read + Seek> Source<R> {
    /// Uses the file itself, and goes on where it was.
    pub(crate) fn with_inner<T>(&mut self, work: impl FnOnce(&mut R) -> T) -> Result<T, Error> {
        let result = work(&mut self.inner);
        self.start = 0;
        self.end = 0;
        self.ended = false;
        self.failed = None;
        self.inner.seek(SeekFrom::Start(self.offset))?;
        Ok(result)
    }

    /// Goes on at another byte of the file.
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
