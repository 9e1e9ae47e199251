//! Writing gzip.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use block_deflate::segment::Joiner;

use super::builder::GzOptions;
use super::chunk::Chunk;
use super::layout::Layout;
use super::member::END_MARKER;
use super::place::Place;
use super::pool::Pool;
use super::segment::{END, SEGMENT_LEN, SegmentEncoder, SegmentEngine};
use super::segments::{Segment, Segments, new_joiner};
use crate::{Error, Result, error};

/// Compresses data into gzip on several threads.
///
/// The file is one gzip member, which any gzip reader can read, or block gzip (BGZF), in which
/// htslib can seek: see [`Layout`].
///
/// Threads compress while the caller continues to write; if they fall behind,
/// [`write`](Write::write) waits. The output depends on the data and on where it was
/// [flushed](Write::flush), not on the number of threads.
///
/// Call [`finish`](Self::finish) at the end: without it, the file is truncated, and readers report
/// that.
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
#[must_use = "an unfinished writer leaves a truncated file"]
pub struct GzWriter<W: Write> {
    inner: W,
    pool: Pool<Chunk>,
    chunk: Chunk,
    layout: Layout,
    /// The header of the one member, until it is written.
    header: Option<Vec<u8>>,
    /// Bytes written to `inner`.
    file_len: u64,
    /// Bytes of uncompressed data that they contain.
    data_written: u64,
    /// Bytes of data accepted from the caller.
    data_taken: u64,
    /// In one member: the checksum of the written data, and its segments.
    joiner: Joiner,
    segments: Segments,
    /// In block gzip: offsets in the data whose places were requested, in order.
    marks: VecDeque<u64>,
    /// The places of marks whose blocks are compressed.
    places: VecDeque<Place>,
    /// Called once the first data is written, with the length of the file at that time.
    after_first: Option<fn(&mut W, u64) -> io::Result<()>>,
    failed: bool,
}

impl GzOptions {
    /// Creates a gzip writer.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the compressor's format is not raw deflate; [`Error::Compressor`]
    /// if the environment requires an unavailable one ([`Compressor`](uadk_compress::Compressor)).
    pub fn writer<W: Write>(&self, inner: W) -> Result<GzWriter<W>> {
        let layout = self.layout;
        let pool = match (layout, self.custom_engine()?) {
            (Layout::Bgzf, _) => {
                let engine = self.engine()?;
                let compress = move |(): &mut (), chunk: &mut Chunk| chunk.compress_blocks(&engine);
                Pool::new(self.threads, Chunk::for_blocks, || (), compress)
            }
            (Layout::OneMember, custom) => {
                let engine = match custom {
                    Some(engine) => SegmentEngine::Streams(engine),
                    None => SegmentEngine::software(self.level).map_err(Error::Compressor)?,
                };
                let encoder = move || SegmentEncoder::new(&engine);
                let compress = |encoder: &mut SegmentEncoder, chunk: &mut Chunk| {
                    chunk.compress_segments(encoder);
                };
                Pool::new(self.threads, |_| Chunk::for_segments(), encoder, compress)
            }
        };
        let header = (layout == Layout::OneMember).then(|| self.header());
        Ok(GzWriter::with_pool(inner, pool, layout, header))
    }

    /// Compresses all of `from` into `to`, reading directly into the threads' buffers, and returns
    /// `to`.
    ///
    /// # Errors
    ///
    /// Those of both, and of [`writer`](Self::writer).
    pub fn compress<R: Read, W: Write>(&self, mut from: R, to: W) -> Result<W> {
        let mut writer = self.writer(to)?;
        writer.copy_from(&mut from, u64::MAX, |_| ())?;
        writer.finish()
    }
}

impl<W: Write> GzWriter<W> {
    /// Creates a writer with the default [`GzOptions`].
    ///
    /// # Errors
    ///
    /// See [`GzOptions::writer`].
    pub fn new(inner: W) -> Result<Self> {
        GzOptions::new().writer(inner)
    }

    fn with_pool(inner: W, mut pool: Pool<Chunk>, layout: Layout, header: Option<Vec<u8>>) -> Self {
        Self {
            inner,
            chunk: pool.job(),
            pool,
            layout,
            header,
            file_len: 0,
            data_written: 0,
            data_taken: 0,
            joiner: new_joiner(),
            segments: Segments::default(),
            marks: VecDeque::new(),
            places: VecDeque::new(),
            after_first: None,
            failed: false,
        }
    }

    /// Continues an existing block-gzip file of `file_len` bytes that contains `data_len` bytes of
    /// data.
    pub(crate) fn continue_blocks(&mut self, file_len: u64, data_len: u64) {
        self.file_len = file_len;
        self.data_written = data_len;
        self.data_taken = data_len;
    }

    /// Continues one member after these segments.
    pub(crate) fn continue_segments(&mut self, segments: Segments) {
        let Some((file_len, data_len)) = segments.end() else { return };
        self.continue_blocks(file_len, data_len);
        self.header = None;
        self.joiner = segments.checksum();
        self.segments = segments;
    }

    /// Calls `work` once the first data is written, with the length of the file at that time.
    pub(crate) fn after_first_write(&mut self, work: fn(&mut W, u64) -> io::Result<()>) {
        self.after_first = Some(work);
    }

    /// Returns the underlying writer.
    pub fn get_ref(&self) -> &W {
        &self.inner
    }

    pub(crate) fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    pub(crate) const fn layout(&self) -> Layout {
        self.layout
    }

    /// Writes the remaining data and the end of the file, and returns the underlying writer.
    ///
    /// # Errors
    ///
    /// Those of the underlying writer.
    pub fn finish(mut self) -> Result<W> {
        // A single segment ends the stream itself: the length of a sync marker and an empty last
        // block would matter for short data.
        self.chunk.is_whole = self.is_one_segment();
        let has_end = self.chunk.is_whole;
        self.drain()?;
        match self.layout {
            Layout::Bgzf => self.write_file(&END_MARKER)?,
            Layout::OneMember => {
                if !has_end {
                    self.write_file(&END)?;
                }
                self.write_trailer()?;
            }
        }
        self.inner.flush()?;
        Ok(self.inner)
    }

    /// Like [`finish`](Self::finish), for one member, with `data` in a last, stored block.
    pub(crate) fn finish_with_stored(mut self, data: &[u8]) -> Result<W> {
        self.drain()?;
        let len = data.len() as u16;
        let mut block = vec![1];
        block.extend(len.to_le_bytes());
        block.extend((!len).to_le_bytes());
        block.extend(data);
        self.joiner.add(libdeflater::crc32(data), data.len() as u64);
        self.write_file(&block)?;
        self.write_trailer()?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    /// Returns whether all data of the member is in one segment that is not compressed yet.
    fn is_one_segment(&self) -> bool {
        self.header.is_some()
            && self.pool.is_empty()
            && (1..=SEGMENT_LEN).contains(&self.chunk.data_len)
    }

    fn write_trailer(&mut self) -> io::Result<()> {
        let trailer = self.joiner.trailer();
        self.write_file(trailer.as_bytes())
    }

    /// Compresses up to `len` bytes from `source`, reading directly into the buffer of a chunk, and
    /// passes them to `inspect`. Returns the number of bytes read.
    pub(crate) fn copy_from(
        &mut self,
        source: &mut impl Read,
        len: u64,
        mut inspect: impl FnMut(&[u8]),
    ) -> io::Result<u64> {
        self.check()?;
        let mut left = len;
        while left > 0 {
            let free = self.chunk.free();
            let wanted = free.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let n = match source.read(&mut free[..wanted]) {
                Ok(0) => break,
                Ok(n) => n.min(wanted),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            inspect(&free[..n]);
            self.advance(n)?;
            left -= n as u64;
        }
        Ok(len - left)
    }

    /// Returns the bytes of data accepted so far, compressed or not.
    pub(crate) fn position(&self) -> u64 {
        self.data_taken
    }

    /// Returns the bytes of the file so far; complete after [`drain`](Self::drain).
    pub(crate) fn file_position(&self) -> u64 {
        self.file_len
    }

    /// In one member: returns the segments written so far; complete after [`drain`](Self::drain).
    pub(crate) const fn segments(&self) -> &Segments {
        &self.segments
    }

    /// In block gzip: requests the place of the next byte, for [`pop_place`](Self::pop_place).
    pub(crate) fn mark(&mut self) {
        if self.layout == Layout::Bgzf {
            self.marks.push_back(self.data_taken);
        }
    }

    /// Removes and returns the place of the oldest mark, once its block is compressed.
    pub(crate) fn pop_place(&mut self) -> Option<Place> {
        self.places.pop_front()
    }

    /// Compresses and writes all data accepted so far. Marks at its end belong to the next block.
    pub(crate) fn drain(&mut self) -> io::Result<()> {
        self.check()?;
        if self.chunk.data_len > 0 {
            // A single short chunk is not worth a thread.
            let full = self.chunk.free().is_empty();
            self.submit(!full && self.pool.is_empty())?;
        }
        while !self.pool.is_empty() {
            self.write_oldest()?;
        }
        // An empty member has a header too.
        self.write_file(&[])?;
        while self.marks.pop_front().is_some() {
            self.places.push_back(Place { block: self.file_len, within: 0 });
        }
        Ok(())
    }

    /// Writes bytes to the file unchanged. If they are not compressed data, call
    /// [`drain`](Self::drain) first.
    pub(crate) fn write_file(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.check()?;
        self.failed = true;
        if let Some(header) = self.header.take() {
            self.inner.write_all(&header)?;
            self.file_len += header.len() as u64;
        }
        self.inner.write_all(bytes)?;
        self.file_len += bytes.len() as u64;
        if !bytes.is_empty()
            && let Some(work) = self.after_first.take()
        {
            work(&mut self.inner, self.file_len)?;
        }
        self.failed = false;
        Ok(())
    }

    /// Counts `n` more bytes in the chunk, and submits it if it is full.
    fn advance(&mut self, n: usize) -> io::Result<()> {
        self.chunk.data_len += n;
        self.data_taken += n as u64;
        if self.chunk.free().is_empty() {
            self.submit(false)?;
        }
        Ok(())
    }

    /// Submits the chunk, after writing older ones until the pool has capacity.
    fn submit(&mut self, here: bool) -> io::Result<()> {
        while !self.pool.has_capacity() {
            self.write_oldest()?;
        }
        let mut next = self.pool.job();
        next.clear();
        self.pool.submit(std::mem::replace(&mut self.chunk, next), here);
        Ok(())
    }

    /// Waits for the oldest chunk in flight, and writes it.
    fn write_oldest(&mut self) -> io::Result<()> {
        let Some(done) = self.pool.take() else { return Ok(()) };
        let chunk = done.inspect_err(|_| self.failed = true)?;
        // Writes the header, so that the offsets below include it.
        self.write_file(&[])?;
        match self.layout {
            Layout::Bgzf => self.resolve_marks(&chunk),
            Layout::OneMember => self.record_segments(&chunk),
        }
        self.write_file(chunk.output())?;
        self.data_written += chunk.data_len as u64;
        self.pool.recycle(chunk);
        Ok(())
    }

    fn resolve_marks(&mut self, chunk: &Chunk) {
        while let Some(mark) = self.marks.front() {
            let ahead = mark - self.data_written;
            let block = chunk.pieces.iter().find(|block| {
                let start = block.data_start as u64;
                (start..start + block.data_len as u64).contains(&ahead)
            });
            let Some(block) = block else { break };
            self.places.push_back(Place {
                block: self.file_len + block.output_start as u64,
                within: (ahead - block.data_start as u64) as u32,
            });
            self.marks.pop_front();
        }
    }

    fn record_segments(&mut self, chunk: &Chunk) {
        for piece in &chunk.pieces {
            self.joiner.add(piece.crc, piece.data_len as u64);
            self.segments.push(Segment {
                file: self.file_len + piece.output_start as u64,
                len: piece.output_len as u32,
                data: self.data_written + piece.data_start as u64,
                data_len: piece.data_len as u32,
                crc: piece.crc,
            });
        }
    }

    pub(crate) const fn has_failed(&self) -> bool {
        self.failed
    }

    fn check(&self) -> io::Result<()> {
        error::check_writable(self.failed)
    }
}

impl<W: Write> Write for GzWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check()?;
        let free = self.chunk.free();
        let n = free.len().min(bytes.len());
        free[..n].copy_from_slice(&bytes[..n]);
        self.advance(n)?;
        Ok(n)
    }

    /// Ends the block or segment, so that a reader receives everything written so far. Frequent
    /// flushes cost compression ratio.
    fn flush(&mut self) -> io::Result<()> {
        self.drain()?;
        self.inner.flush()
    }
}
