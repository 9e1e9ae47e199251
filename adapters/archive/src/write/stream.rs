//! The destination of a tar.

use std::io::{self, Read, Write};

use super::plain::PlainWriter;
use crate::checksum::Checksum;
use crate::{GzWriter, Result};

/// Where the bytes of a tar go.
#[derive(Debug)]
pub(crate) enum Sink<W: Write> {
    Gzip(Box<GzWriter<W>>),
    Plain(PlainWriter<W>),
}

impl<W: Write> Sink<W> {
    /// Bytes of the tar so far.
    pub(super) fn position(&self) -> u64 {
        match self {
            Self::Gzip(gzip) => gzip.position(),
            Self::Plain(plain) => plain.position(),
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        match self {
            Self::Gzip(gzip) => gzip.has_failed(),
            Self::Plain(plain) => plain.has_failed(),
        }
    }

    /// Requests the place of the next byte, if the index needs it.
    pub(super) fn mark(&mut self) {
        if let Self::Gzip(gzip) = self {
            gzip.mark();
        }
    }
}

/// Writes the bytes of a tar, and computes the checksum of the current entry.
#[derive(Debug)]
pub(crate) struct TarStream<W: Write> {
    pub(super) sink: Sink<W>,
    pub(super) crc: Checksum,
}

impl<W: Write> TarStream<W> {
    pub(super) fn new(sink: Sink<W>) -> Self {
        Self { sink, crc: Checksum::default() }
    }

    /// Copies up to `len` bytes from `data`, and returns the number of bytes copied.
    pub(crate) fn copy(&mut self, data: &mut impl Read, len: u64) -> Result<u64> {
        let crc = &mut self.crc;
        let inspect = |bytes: &[u8]| crc.update(bytes);
        Ok(match &mut self.sink {
            Sink::Gzip(gzip) => gzip.copy_from(data, len, inspect)?,
            Sink::Plain(plain) => plain.copy_from(data, len, inspect)?,
        })
    }

    pub(super) fn write_zeros(&mut self, mut len: u64) -> io::Result<()> {
        static ZEROS: [u8; 4096] = [0; 4096];
        while len > 0 {
            let step = len.min(ZEROS.len() as u64);
            self.write_all(&ZEROS[..step as usize])?;
            len -= step;
        }
        Ok(())
    }
}

impl<W: Write> Write for TarStream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = match &mut self.sink {
            Sink::Gzip(gzip) => gzip.write(bytes)?,
            Sink::Plain(plain) => plain.write(bytes)?,
        };
        self.crc.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Gzip(gzip) => gzip.flush(),
            Sink::Plain(plain) => plain.flush(),
        }
    }
}
