//! Seeking: from block to block by their sizes, without inflating them.

use std::io::{self, Read, Seek, SeekFrom};

use super::map::Start;
use super::member;
use super::place::Place;
use super::read::GzReader;
use super::sequential::Sequential;
use super::source::Next;
use crate::{Error, Result};

impl<R: Read + Seek> GzReader<R> {
    /// Goes to a block that begins at a byte of the file, and so many bytes into its data; `position`
    /// is what that place is in the data of the whole file.
    pub(crate) fn seek_to(&mut self, place: Place, position: u64) -> Result<()> {
        self.reset(position.saturating_sub(u64::from(place.within)));
        self.source.seek(place.block)?;
        self.skip(u64::from(place.within))
    }

    /// Uses the file itself, and goes on where it was.
    pub(crate) fn with_inner<T>(&mut self, work: impl FnOnce(&mut R) -> T) -> Result<T> {
        self.source.with_inner(work)
    }

    /// Reads so many bytes and throws them away.
    pub(crate) fn skip(&mut self, bytes: u64) -> Result<()> {
        let skipped = io::copy(&mut self.by_ref().take(bytes), &mut io::sink())?;
        if skipped < bytes {
            let what =
                format!("it ends {} bytes before a place that is looked for", bytes - skipped);
            return Err(Error::truncated(self.source.offset(), what));
        }
        Ok(())
    }

    /// The last member that begins at or before a byte of the data; all members up to it are seen.
    fn find_member(&mut self, data: u64) -> Result<Start> {
        while !self.map.complete && self.map.frontier.data <= data {
            self.see_next()?;
        }
        let behind = self.map.members.partition_point(|start| start.data <= data);
        Ok(behind.checked_sub(1).map_or(Start::default(), |i| self.map.members[i]))
    }

    /// Sees one more member. The reader's place is lost.
    fn see_next(&mut self) -> Result<()> {
        let start = self.map.frontier;
        self.reset(start.data);
        self.source.seek(start.file)?;
        let len = match self.source.peek()? {
            Next::Block { len, .. } => {
                let data_len = member::read_trailer(&self.source.buffered()[..len]).1;
                self.source.consume(len);
                u64::from(data_len)
            }
            Next::Unsized { header_len } => self.inflate_member(header_len)?,
            Next::End => {
                self.map.complete = true;
                return Ok(());
            }
        };
        if len > 0 {
            self.map.members.push(start);
        }
        self.map.frontier = Start { file: self.source.offset(), data: start.data + len };
        Ok(())
    }

    fn inflate_member(&mut self, header_len: usize) -> Result<u64> {
        let mut member = Sequential::new();
        member.begin(&mut self.source, header_len);
        let mut len = 0;
        loop {
            member.fill(&mut self.source)?;
            let n = member.data().len();
            if n == 0 {
                return Ok(len);
            }
            len += n as u64;
            member.consume(n);
        }
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
        let member = self.find_member(target)?;
        let end = self.map.frontier.data;
        self.reset(member.data);
        if self.map.complete && target >= end {
            self.source.seek(self.map.frontier.file)?;
            self.position = target;
            return Ok(target);
        }
        self.source.seek(member.file)?;
        self.skip(target - member.data)?;
        Ok(target)
    }

    fn stream_position(&mut self) -> io::Result<u64> {
        Ok(self.position())
    }
}
