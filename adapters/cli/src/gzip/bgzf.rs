//! Block gzip: how it is asked for, and where its blocks are.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use uadk_compress_archive::{GzOptions, Layout};

use super::header::{self, Begin, TRAILER_LEN};

/// As many bytes as a header of block gzip has, and some.
const HEAD: usize = 64;

/// Settings for the layout that is asked for.
pub(super) fn layout(options: GzOptions, bgzf: bool) -> GzOptions {
    options.layout(layout_of(bgzf))
}

/// The layout that is asked for.
pub(super) const fn layout_of(bgzf: bool) -> Layout {
    if bgzf { Layout::Bgzf } else { Layout::OneMember }
}

/// A block, by what is before and behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Where in the file it begins.
    pub(super) offset: u64,
    /// Bytes of data.
    pub(super) data_len: u64,
    pub(super) crc: u32,
}

/// Finds the blocks of a file from `start` on without reading them; stops at what is no block.
#[derive(Debug)]
pub(super) struct Blocks<'f> {
    file: &'f File,
    /// Where the next block begins.
    pub(super) offset: u64,
    /// What is there.
    head: Vec<u8>,
}

impl<'f> Blocks<'f> {
    pub(super) fn new(file: &'f File, start: u64) -> io::Result<Self> {
        let mut blocks = Self { file, offset: start, head: Vec::new() };
        blocks.head = blocks.read(start)?;
        Ok(blocks)
    }

    /// Whether the file ends behind the blocks that were found.
    pub(super) const fn is_at_end(&self) -> bool {
        self.head.is_empty()
    }

    /// The next block.
    pub(super) fn next(&mut self) -> io::Result<Option<Block>> {
        let Begin::Member(header) = header::parse(&self.head) else { return Ok(None) };
        let Some(len) = header.member_len.filter(|len| *len >= header.len + TRAILER_LEN) else {
            return Ok(None);
        };
        let end = self.offset + len;
        let mut behind = self.read(end - TRAILER_LEN)?;
        if behind.len() < TRAILER_LEN as usize {
            return Ok(None);
        }
        let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| behind[at + i]));
        let block = Block { offset: self.offset, data_len: u64::from(word(4)), crc: word(0) };
        behind.drain(..TRAILER_LEN as usize);
        (self.head, self.offset) = (behind, end);
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
