//! Block gzip: selecting the layout, and finding the blocks of a file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use uadk_compress_archive::{GzOptions, Layout};

use super::header::{self, Parsed, TRAILER_LEN};

/// At least the length of a block gzip header.
const HEAD: usize = 64;

/// Sets the layout, block gzip or one member.
pub(super) fn layout(options: GzOptions, bgzf: bool) -> GzOptions {
    options.layout(layout_of(bgzf))
}

/// Returns the layout, block gzip or one member.
pub(super) const fn layout_of(bgzf: bool) -> Layout {
    if bgzf { Layout::Bgzf } else { Layout::OneMember }
}

/// A block, as its header and trailer describe it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Its offset in the file.
    pub(super) offset: u64,
    /// The length of its uncompressed data.
    pub(super) data_len: u64,
    pub(super) crc: u32,
}

/// Finds the blocks of a file from `start` on without reading their data; stops at anything that is
/// not a block.
#[derive(Debug)]
pub(super) struct Blocks<'f> {
    file: &'f File,
    /// The offset of the next block.
    pub(super) offset: u64,
    /// The bytes there.
    head: Vec<u8>,
}

impl<'f> Blocks<'f> {
    pub(super) fn new(file: &'f File, start: u64) -> io::Result<Self> {
        let mut blocks = Self { file, offset: start, head: Vec::new() };
        blocks.head = blocks.read(start)?;
        Ok(blocks)
    }

    /// Returns whether the file ends after the blocks that were found.
    pub(super) const fn is_at_end(&self) -> bool {
        self.head.is_empty()
    }

    /// Returns the next block.
    pub(super) fn next(&mut self) -> io::Result<Option<Block>> {
        let Parsed::Member(header) = header::parse(&self.head) else { return Ok(None) };
        let Some(len) = header.member_len.filter(|len| *len >= header.len + TRAILER_LEN) else {
            return Ok(None);
        };
        let end = self.offset + len;
        let mut tail = self.read(end - TRAILER_LEN)?;
        if tail.len() < TRAILER_LEN as usize {
            return Ok(None);
        }
        let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| tail[at + i]));
        let block = Block { offset: self.offset, data_len: u64::from(word(4)), crc: word(0) };
        tail.drain(..TRAILER_LEN as usize);
        (self.head, self.offset) = (tail, end);
        Ok(Some(block))
    }

    fn read(&self, at: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; TRAILER_LEN as usize + HEAD];
        let mut len = 0;
        while len < bytes.len() {
            match self.file.read_at(&mut bytes[len..], at + len as u64) {
                Ok(0) => break,
                Ok(n) => len += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(len);
        Ok(bytes)
    }
}
