//! Writing plain tar.

use std::io::{self, Read, Write};

use crate::error;

const BUFFER_LEN: usize = 256 << 10;
/// Tars are padded to whole records of this size, a convention from tapes.
const RECORD_LEN: u64 = 10 << 10;

/// Writes plain tar in large pieces.
pub(crate) struct PlainWriter<W> {
    inner: W,
    buffer: Box<[u8]>,
    len: usize,
    /// Bytes of the tar so far.
    position: u64,
    failed: bool,
    after_first: Option<fn(&mut W, u64) -> io::Result<()>>,
}

impl<W> std::fmt::Debug for PlainWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlainWriter").field("position", &self.position).finish_non_exhaustive()
    }
}

impl<W: Write> PlainWriter<W> {
    /// Creates a writer that continues at an offset in a tar, at which `inner` is positioned.
    pub(crate) fn new(inner: W, position: u64) -> Self {
        let buffer = vec![0; BUFFER_LEN].into_boxed_slice();
        Self { inner, buffer, len: 0, position, failed: false, after_first: None }
    }

    /// Calls `work` once the first data is written, with the length of the file at that time.
    pub(crate) fn after_first_write(&mut self, work: fn(&mut W, u64) -> io::Result<()>) {
        self.after_first = Some(work);
    }

    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    pub(super) const fn has_failed(&self) -> bool {
        self.failed
    }

    /// Copies up to `len` bytes from `source`, and passes them to `inspect`. Returns the number of
    /// bytes copied, which is less than `len` only if `source` ends.
    pub(super) fn copy_from(
        &mut self,
        source: &mut impl Read,
        len: u64,
        mut inspect: impl FnMut(&[u8]),
    ) -> io::Result<u64> {
        let mut left = len;
        while left > 0 {
            self.ensure_space()?;
            let free = &mut self.buffer[self.len..];
            let wanted = free.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let n = match source.read(&mut free[..wanted]) {
                Ok(0) => break,
                Ok(n) => n.min(wanted),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            inspect(&free[..n]);
            self.advance(n);
            left -= n as u64;
        }
        Ok(len - left)
    }

    /// Pads the tar to a whole record, flushes, and returns the underlying writer.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let mut zeros = self.position.next_multiple_of(RECORD_LEN) - self.position;
        while zeros > 0 {
            let n = zeros.min(512);
            self.write_all(&[0; 512][..n as usize])?;
            zeros -= n;
        }
        self.flush()?;
        Ok(self.inner)
    }

    fn advance(&mut self, n: usize) {
        self.len += n;
        self.position += n as u64;
    }

    /// Ensures space for at least one byte in the buffer.
    fn ensure_space(&mut self) -> io::Result<()> {
        if self.len == self.buffer.len() { self.write_buffer() } else { self.check() }
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        self.check()?;
        self.failed = true;
        self.inner.write_all(&self.buffer[..self.len])?;
        if self.len > 0
            && let Some(work) = self.after_first.take()
        {
            work(&mut self.inner, self.position)?;
        }
        self.failed = false;
        self.len = 0;
        Ok(())
    }

    fn check(&self) -> io::Result<()> {
        error::check_writable(self.failed)
    }
}

impl<W: Write> Write for PlainWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.ensure_space()?;
        let free = &mut self.buffer[self.len..];
        let n = free.len().min(bytes.len());
        free[..n].copy_from_slice(&bytes[..n]);
        self.advance(n);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_buffer()?;
        self.inner.flush()
    }
}
