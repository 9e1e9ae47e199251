//! Seeking: from block to block by their sizes, or to segments that are known.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use super::map::Start;
use super::member;
use super::place::Place;
use super::read::GzReader;
use super::source::Next;
use crate::{Error, Result};

impl<R: Read + Seek> GzReader<R> {
    /// Goes to a block that begins at a byte of the file, and so many bytes into its data; `position`
    /// is what that place is in the data of the whole file.
    pub(crate) fn seek_to(&mut self, place: Place, position: u64) -> Result<()> {
        self.reset(position.saturating_sub(u64::from(place.within)));
        self.source.seek(place.block)?;
        // No deflate stream begins as a gzip header does: its first block would be of a type that
        // does not exist.
        if place.block > 0 && self.source.fill(1)? && self.source.buffered()[0] != 0x1f {
            self.enter_member();
        }
        self.skip(u64::from(place.within))
    }

    /// Uses the file itself, and goes on where it was.
    pub(crate) fn with_inner<T>(&mut self, work: impl FnOnce(&mut R) -> T) -> Result<T> {
        self.source.with_inner(work)
    }

    /// Reads so many bytes and throws them away.
    pub(crate) fn skip(&mut self, bytes: u64) -> Result<()> {
        let mut left = bytes;
        while left > 0 {
            let n = self.fill_buf()?.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if n == 0 {
                let what = format!("it ends {left} bytes before a place that is looked for");
                return Err(Error::truncated(self.source.offset(), what));
            }
            self.consume(n);
            left -= n as u64;
        }
        Ok(())
    }

    /// Where to begin in order to read a byte of the data.
    fn find_start(&mut self, data: u64) -> Result<Start> {
        if let Some(segment) = self.known.as_ref().and_then(|known| known.at_data(data)) {
            return Ok(Start { file: segment.file, data: segment.data, in_member: true });
        }
        while !self.map.covers(data) {
            self.see_next()?;
        }
        Ok(self.map.find(data))
    }

    /// Sees one more member. The reader's place is lost.
    fn see_next(&mut self) -> Result<()> {
        let start = self.map.frontier;
        self.reset(start.data);
        self.source.seek(start.file)?;
        let len = match self.source.peek() {
            Ok(Next::Block { len, .. }) => {
                let data_len = member::read_trailer(&self.source.buffered()[..len]).1;
                self.source.consume(len);
                u64::from(data_len)
            }
            Ok(Next::Unsized { header_len }) => self.pass_member(header_len)?,
            Ok(Next::End) => {
                self.map.complete = true;
                return Ok(());
            }
            Err(Error::NotGzip { offset }) if offset > 0 && self.trailing_garbage => {
                self.map.complete = true;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if len > 0 {
            self.map.see(start);
        }
        let (file, data) = (self.source.offset(), start.data + len);
        self.map.frontier = Start { file, data, in_member: false };
        Ok(())
    }

    /// Reads over a member, and returns the length of its data.
    fn pass_member(&mut self, header_len: usize) -> Result<u64> {
        let start = self.position();
        self.begin_member(header_len);
        self.one_member = true;
        let passed = loop {
            match self.fill_buf().map(<[u8]>::len) {
                Ok(0) => break Ok(self.position() - start),
                Ok(n) => self.consume(n),
                Err(error) => break Err(error.into()),
            }
        };
        self.one_member = false;
        passed
    }

    fn data_len(&mut self) -> Result<u64> {
        while !self.map.complete {
            self.see_next()?;
        }
        Ok(self.map.frontier.data)
    }
}

/// Seeking reads the headers of the blocks up to the place, the first time; members without a size
/// are inflated for it. Behind the end there is nothing to read.
impl<R: Read + Seek> Seek for GzReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let here = self.position();
        let target = match to {
            SeekFrom::Start(target) => Some(target),
            SeekFrom::Current(by) => here.checked_add_signed(by),
            SeekFrom::End(by) => self.data_len()?.checked_add_signed(by),
        };
        let target = target.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "a place before the beginning")
        })?;
        let start = self.find_start(target)?;
        let end = self.map.frontier.data;
        self.reset(start.data);
        if self.map.complete && target >= end {
            self.source.seek(self.map.frontier.file)?;
            self.position = target;
            return Ok(target);
        }
        self.source.seek(start.file)?;
        if start.in_member {
            self.enter_member();
        }
        self.skip(target - start.data)?;
        Ok(target)
    }

    fn stream_position(&mut self) -> io::Result<u64> {
        Ok(self.position())
    }
}
