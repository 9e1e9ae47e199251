//! Writing block gzip.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use super::batch::Batch;
use super::builder::GzOptions;
use super::member::END_MARKER;
use super::place::Place;
use super::pool::Pool;
use crate::Result;

/// Compresses what is written to it into block gzip (BGZF): plain gzip to `gunzip`, and seekable to
/// htslib and [`GzReader`](crate::GzReader).
///
/// Threads compress while the caller's writes on; when they are behind, [`write`](Write::write)
/// waits. The bytes depend on the data and on where it was [flushed](Write::flush), and not on the
/// number of threads.
///
/// [`finish`](Self::finish) it: what was not is without its end marker, and readers say that it was
/// cut off.
///
/// ```
/// use std::io::{Read, Write};
/// use uadk_compress_archive::{GzReader, GzWriter};
///
/// let mut writer = GzWriter::new(Vec::new())?;
/// writer.write_all(&b"many lines\n".repeat(100_000))?;
/// let file = writer.finish()?;
///
/// let mut text = String::new();
/// GzReader::new(&file[..])?.read_to_string(&mut text)?;
/// assert_eq!(text.lines().count(), 100_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a writer that is not finished leaves a file that looks cut off"]
pub struct GzWriter<W: Write> {
    inner: W,
    pool: Pool,
    batch: Batch,
    /// Bytes given to `inner`.
    file_len: u64,
    /// Bytes of data in them.
    data_written: u64,
    /// Bytes of data taken from the caller.
    data_taken: u64,
    /// Where the caller wants to know the block of, in order.
    marks: VecDeque<u64>,
    found: VecDeque<Place>,
    failed: bool,
}

impl GzOptions {
    /// A writer of block gzip.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`](crate::Error::Unsupported) if the compressor is not one for raw deflate;
    /// [`Error::Compressor`](crate::Error::Compressor) if the environment asks for one that can't be
    /// had ([`Compressor`](uadk_compress::Compressor)).
    pub fn writer<W: Write>(&self, inner: W) -> Result<GzWriter<W>> {
        Ok(GzWriter::with_pool(inner, Pool::new(self.engine()?, Batch::compress, self.threads)))
    }

    /// Compresses all of `from` into `to`, reading straight into the threads' buffers, and returns
    /// `to`.
    ///
    /// # Errors
    ///
    /// Those of both, and as [`writer`](Self::writer).
    pub fn compress<R: Read, W: Write>(&self, mut from: R, to: W) -> Result<W> {
        let mut writer = self.writer(to)?;
        writer.copy_from(&mut from, u64::MAX, |_| ())?;
        writer.finish()
    }
}

impl<W: Write> GzWriter<W> {
    /// A writer with the default [`GzOptions`].
    ///
    /// # Errors
    ///
    /// As [`GzOptions::writer`].
    pub fn new(inner: W) -> Result<Self> {
        GzOptions::new().writer(inner)
    }

    fn with_pool(inner: W, mut pool: Pool) -> Self {
        Self {
            inner,
            batch: pool.batch(),
            pool,
            file_len: 0,
            data_written: 0,
            data_taken: 0,
            marks: VecDeque::new(),
            found: VecDeque::new(),
            failed: false,
        }
    }

    /// Goes on in a file of which so many bytes, with so many bytes of data, are written.
    pub(crate) fn continue_at(&mut self, file_len: u64, data_len: u64) {
        self.file_len = file_len;
        self.data_written = data_len;
        self.data_taken = data_len;
    }

    /// What is written to.
    pub fn get_ref(&self) -> &W {
        &self.inner
    }

    pub(crate) fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    /// Writes what is left and the end marker, and gives back what was written to.
    ///
    /// # Errors
    ///
    /// Those of what is written to.
    pub fn finish(mut self) -> Result<W> {
        self.drain()?;
        self.write_file(&END_MARKER)?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    /// Compresses `len` bytes of `source`, reading straight into the buffer of a batch. Gives the
    /// number of bytes that there were; `see` sees them all.
    pub(crate) fn copy_from(
        &mut self,
        source: &mut impl Read,
        len: u64,
        mut see: impl FnMut(&[u8]),
    ) -> io::Result<u64> {
        self.check()?;
        let mut left = len;
        while left > 0 {
            let room = self.batch.data_room();
            let wanted = room.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let n = match source.read(&mut room[..wanted]) {
                Ok(0) => break,
                Ok(n) => n.min(wanted),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            see(&room[..n]);
            self.took(n)?;
            left -= n as u64;
        }
        Ok(len - left)
    }

    /// Data written so far, compressed or not yet.
    pub(crate) fn position(&self) -> u64 {
        self.data_taken
    }

    /// Bytes of the file so far, all of them after [`drain`](Self::drain).
    pub(crate) fn file_position(&self) -> u64 {
        self.file_len
    }

    /// Has the place of the next byte found out, for [`found`](Self::found).
    pub(crate) fn mark(&mut self) {
        self.marks.push_back(self.data_taken);
    }

    /// The place of the oldest mark that is not taken yet, once its block is compressed.
    pub(crate) fn found(&mut self) -> Option<Place> {
        self.found.pop_front()
    }

    /// Compresses and writes all data taken so far. Marks behind it are at the beginning of the next
    /// block.
    pub(crate) fn drain(&mut self) -> io::Result<()> {
        self.check()?;
        if self.batch.data_len > 0 {
            // A single short batch is not worth a thread.
            let full = self.batch.data_room().is_empty();
            self.submit(!full && self.pool.is_empty())?;
        }
        while !self.pool.is_empty() {
            self.write_oldest()?;
        }
        while self.marks.pop_front().is_some() {
            self.found.push_back(Place { block: self.file_len, within: 0 });
        }
        Ok(())
    }

    /// Writes to the file what is no data of the stream; [`drain`](Self::drain) comes before it.
    pub(crate) fn write_file(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.check()?;
        self.failed = true;
        self.inner.write_all(bytes)?;
        self.failed = false;
        self.file_len += bytes.len() as u64;
        Ok(())
    }

    /// Counts `n` more bytes in the batch, and submits it if it is full.
    fn took(&mut self, n: usize) -> io::Result<()> {
        self.batch.data_len += n;
        self.data_taken += n as u64;
        if self.batch.data_room().is_empty() {
            self.submit(false)?;
        }
        Ok(())
    }

    /// Submits the batch, after writing older ones until there is room for it.
    fn submit(&mut self, here: bool) -> io::Result<()> {
        while !self.pool.has_room() {
            self.write_oldest()?;
        }
        let next = self.pool.batch();
        self.pool.submit(std::mem::replace(&mut self.batch, next), here);
        Ok(())
    }

    /// Waits for the oldest batch on its way, and writes it.
    fn write_oldest(&mut self) -> io::Result<()> {
        let Some(done) = self.pool.take() else { return Ok(()) };
        let batch = done.inspect_err(|_| self.failed = true)?;
        while let Some(mark) = self.marks.front() {
            let ahead = mark - self.data_written;
            let block = batch.blocks.iter().find(|block| {
                let start = block.data_start as u64;
                (start..start + block.data_len as u64).contains(&ahead)
            });
            let Some(block) = block else { break };
            self.found.push_back(Place {
                block: self.file_len + block.member_start as u64,
                within: (ahead - block.data_start as u64) as u32,
            });
            self.marks.pop_front();
        }
        self.write_file(batch.members())?;
        self.data_written += batch.data_len as u64;
        self.pool.recycle(batch);
        Ok(())
    }

    pub(crate) const fn has_failed(&self) -> bool {
        self.failed
    }

    /// After a failed write nobody knows how much of it is in the file.
    fn check(&self) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("writing has failed before; nothing can follow"));
        }
        Ok(())
    }
}

impl<W: Write> Write for GzWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check()?;
        let room = self.batch.data_room();
        let n = room.len().min(bytes.len());
        room[..n].copy_from_slice(&bytes[..n]);
        self.took(n)?;
        Ok(n)
    }

    /// Ends the block, so that a reader gets all that was written so far. Often, it costs ratio.
    fn flush(&mut self) -> io::Result<()> {
        self.drain()?;
        self.inner.flush()
    }
}
