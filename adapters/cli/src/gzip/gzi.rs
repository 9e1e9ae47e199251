//! Indexes of block gzip in htslib's format, `.gzi`.

use std::io::{self, Write};

use super::header::{self, Parsed, TRAILER_LEN};

/// The offsets of blocks, in the file and in the data. The first block, at 0 and 0, is left out.
#[derive(Debug, Default)]
pub(super) struct Gzi {
    entries: Vec<(u64, u64)>,
    any: bool,
    data: u64,
}

impl Gzi {
    /// Adds the next block. Empty blocks are left out.
    pub(super) fn add(&mut self, offset: u64, data_len: u64) {
        if data_len == 0 {
            return;
        }
        if self.any {
            self.entries.push((offset, self.data));
        }
        self.any = true;
        self.data += data_len;
    }

    /// Writes the index: the number of entries, and the two offsets of each.
    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(8 + 16 * self.entries.len());
        bytes.extend((self.entries.len() as u64).to_le_bytes());
        for (file, data) in &self.entries {
            bytes.extend(file.to_le_bytes());
            bytes.extend(data.to_le_bytes());
        }
        to.write_all(&bytes)
    }
}

/// A writer that passes block gzip through and indexes its blocks.
#[derive(Debug)]
pub(super) struct Indexing<W> {
    inner: W,
    pub(super) gzi: Gzi,
    /// The part of the current block that has been written so far.
    block: Vec<u8>,
    /// The offset of the current block.
    offset: u64,
}

impl<W: Write> Indexing<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, gzi: Gzi::default(), block: Vec::new(), offset: 0 }
    }

    fn scan(&mut self, bytes: &[u8]) {
        self.block.extend_from_slice(bytes);
        let mut at = 0;
        while let Parsed::Member(header) = header::parse(&self.block[at..])
            && let Some(len) = header.member_len
            && let Some(block) = self.block.get(at..at + len as usize)
            && let Some(trailer) = block.last_chunk::<{ TRAILER_LEN as usize / 2 }>()
        {
            self.gzi.add(self.offset, u64::from(u32::from_le_bytes(*trailer)));
            self.offset += len;
            at += len as usize;
        }
        self.block.drain(..at);
    }
}

impl<W: Write> Write for Indexing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.scan(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
