//! Seeking: from block to block by their sizes, or to known segments.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use super::map::Start;
use super::member;
use super::place::Place;
use super::read::GzReader;
use super::source::Next;
use crate::{Error, Result};

impl<R: Read + Seek> GzReader<R> {
    /// Seeks to `place`; `position` is the corresponding offset in the data of the whole file.
    pub(crate) fn seek_to(&mut self, place: Place, position: u64) -> Result<()> {
        self.reset(position.saturating_sub(u64::from(place.within)));
        self.source.seek(place.block)?;
        // No deflate stream begins like a gzip header: its first block would have the reserved
        // type.
        if place.block > 0 && self.source.fill(1)? && self.source.buffered()[0] != 0x1f {
            self.enter_member();
        }
        self.skip(u64::from(place.within))
    }

    /// Calls `work` with the file itself, then returns to the current position.
    pub(crate) fn with_inner<T>(&mut self, work: impl FnOnce(&mut R) -> T) -> Result<T> {
        self.source.with_inner(work)
    }

    /// Reads and discards this many bytes.
    pub(crate) fn skip(&mut self, bytes: u64) -> Result<()> {
        let mut left = bytes;
        while left > 0 {
            let n = self.fill_buf()?.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if n == 0 {
                let what = format!("the data ends {left} bytes before the requested position");
                return Err(Error::truncated(self.source.offset(), what));
            }
            self.consume(n);
            left -= n as u64;
        }
        Ok(())
    }

    /// Returns where to start reading to reach a byte of the data.
    fn find_start(&mut self, data: u64) -> Result<Start> {
        if let Some(segment) = self.known.as_ref().and_then(|known| known.at_data(data)) {
            return Ok(Start { file: segment.file, data: segment.data, in_member: true });
        }
        while !self.map.covers(data) {
            self.map_next()?;
        }
        Ok(self.map.find(data))
    }

    /// Adds the next member to the map. The reader's position is lost.
    fn map_next(&mut self) -> Result<()> {
        let start = self.map.frontier;
        self.reset(start.data);
        self.source.seek(start.file)?;
        let len = match self.source.peek() {
            Ok(Next::Block { len, .. }) => {
                let data_len = member::read_trailer(&self.source.buffered()[..len]).1;
                self.source.consume(len);
                u64::from(data_len)
            }
            Ok(Next::Unsized { header_len }) => self.skip_member(header_len)?,
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
            self.map.add(start);
        }
        let (file, data) = (self.source.offset(), start.data + len);
        self.map.frontier = Start { file, data, in_member: false };
        Ok(())
    }

    /// Skips a member by inflating it, and returns the length of its data.
    fn skip_member(&mut self, header_len: usize) -> Result<u64> {
        let start = self.position();
        self.begin_member(header_len);
        self.one_member = true;
        let skipped = loop {
            match self.fill_buf().map(<[u8]>::len) {
                Ok(0) => break Ok(self.position() - start),
                Ok(n) => self.consume(n),
                Err(error) => break Err(error.into()),
            }
        };
        self.one_member = false;
        skipped
    }

    fn data_len(&mut self) -> Result<u64> {
        while !self.map.complete {
            self.map_next()?;
        }
        Ok(self.map.frontier.data)
    }
}

/// The first seek reads the headers of all blocks up to the position; members without a size are
/// inflated. Nothing can be read after the end.
impl<R: Read + Seek> Seek for GzReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let here = self.position();
        let target = match to {
            SeekFrom::Start(target) => Some(target),
            SeekFrom::Current(by) => here.checked_add_signed(by),
            SeekFrom::End(by) => self.data_len()?.checked_add_signed(by),
        };
        let target = target.ok_or_else(|| {
            let what = "invalid seek to a negative or overflowing position";
            io::Error::new(io::ErrorKind::InvalidInput, what)
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
