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

/// Compresses what is written to it into gzip, on several threads.
///
/// The file is one gzip member, which every reader of gzip reads; or block gzip (BGZF), in which
/// htslib seeks: see [`Layout`].
///
/// Threads compress while the caller writes on; when they are behind, [`write`](Write::write) waits.
/// The bytes depend on the data and on where it was [flushed](Write::flush), and not on the number of
/// threads.
///
/// [`finish`](Self::finish) it: what was not has no end, and readers say that it was cut off.
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
    pool: Pool<Chunk>,
    chunk: Chunk,
    layout: Layout,
    /// The header of the one member, until it is written.
    header: Option<Vec<u8>>,
    /// Bytes given to `inner`.
    file_len: u64,
    /// Bytes of data in them.
    data_written: u64,
    /// Bytes of data taken from the caller.
    data_taken: u64,
    /// In one member: the checksum of the data that is written, and where it is.
    joiner: Joiner,
    segments: Segments,
    /// In block gzip: where the caller wants to know the block of, in order.
    marks: VecDeque<u64>,
    found: VecDeque<Place>,
    /// What to do once the first data is written, with the length of the file then.
    after_first: Option<fn(&mut W, u64) -> io::Result<()>>,
    failed: bool,
}

impl GzOptions {
    /// A writer of gzip.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the compressor is not one for raw deflate; [`Error::Compressor`] if the
    /// environment asks for one that is unavailable ([`Compressor`](uadk_compress::Compressor)).
    pub fn writer<W: Write>(&self, inner: W) -> Result<GzWriter<W>> {
        let layout = self.layout;
        let pool = match (layout, self.own_engine()?) {
            (Layout::Bgzf, _) => {
                let engine = self.engine()?;
                let compress = move |(): &mut (), chunk: &mut Chunk| chunk.compress_blocks(&engine);
                Pool::new(self.threads, Chunk::of_blocks, || (), compress)
            }
            (Layout::OneMember, own) => {
                let engine = match own {
                    Some(engine) => SegmentEngine::Streams(engine),
                    None => SegmentEngine::software(self.level).map_err(Error::Compressor)?,
                };
                let encoder = move || SegmentEncoder::new(&engine);
                let compress = |encoder: &mut SegmentEncoder, chunk: &mut Chunk| {
                    chunk.compress_segments(encoder);
                };
                Pool::new(self.threads, |_| Chunk::of_segments(), encoder, compress)
            }
        };
        let header = (layout == Layout::OneMember).then(|| self.header());
        Ok(GzWriter::with_pool(inner, pool, layout, header))
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
            found: VecDeque::new(),
            after_first: None,
            failed: false,
        }
    }

    /// Continues block gzip of which so many bytes, with so many bytes of data, are written.
    pub(crate) fn continue_blocks(&mut self, file_len: u64, data_len: u64) {
        self.file_len = file_len;
        self.data_written = data_len;
        self.data_taken = data_len;
    }

    /// Continues one member behind these segments.
    pub(crate) fn continue_segments(&mut self, segments: Segments) {
        let Some((file_len, data_len)) = segments.end() else { return };
        self.continue_blocks(file_len, data_len);
        self.header = None;
        self.joiner = segments.checksum();
        self.segments = segments;
    }

    /// Has something done once the first data is written, with the length of the file then.
    pub(crate) fn after_first_write(&mut self, work: fn(&mut W, u64) -> io::Result<()>) {
        self.after_first = Some(work);
    }

    /// What is written to.
    pub fn get_ref(&self) -> &W {
        &self.inner
    }

    pub(crate) fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    pub(crate) const fn layout(&self) -> Layout {
        self.layout
    }

    /// Writes what is left and the end of the file, and returns what was written to.
    ///
    /// # Errors
    ///
    /// Those of what is written to.
    pub fn finish(mut self) -> Result<W> {
        // Then its last block is that of the stream: a joint and an end would be as long as little data.
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

    /// As [`finish`](Self::finish), in one member, with a last block in which `data` is stored as it is.
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

    /// Whether there is a member whose data is in one segment, which is not compressed yet.
    fn is_one_segment(&self) -> bool {
        self.header.is_some()
            && self.pool.is_empty()
            && (1..=SEGMENT_LEN).contains(&self.chunk.data_len)
    }

    fn write_trailer(&mut self) -> io::Result<()> {
        let trailer = self.joiner.trailer();
        self.write_file(trailer.as_bytes())
    }

    /// Compresses `len` bytes of `source`, reading straight into the buffer of a chunk. Returns the
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
            let room = self.chunk.room();
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

    /// In one member: where the data is that is written so far, all of it after
    /// [`drain`](Self::drain).
    pub(crate) const fn segments(&self) -> &Segments {
        &self.segments
    }

    /// In block gzip: has the place of the next byte found, for [`found`](Self::found).
    pub(crate) fn mark(&mut self) {
        if self.layout == Layout::Bgzf {
            self.marks.push_back(self.data_taken);
        }
    }

    /// The place of the oldest mark that is not taken yet, once its block is compressed.
    pub(crate) fn found(&mut self) -> Option<Place> {
        self.found.pop_front()
    }

    /// Compresses and writes all data taken so far. Marks behind it are at the beginning of the next
    /// block.
    pub(crate) fn drain(&mut self) -> io::Result<()> {
        self.check()?;
        if self.chunk.data_len > 0 {
            // A single short chunk is not worth a thread.
            let full = self.chunk.room().is_empty();
            self.submit(!full && self.pool.is_empty())?;
        }
        while !self.pool.is_empty() {
            self.write_oldest()?;
        }
        // An empty member has a header too.
        self.write_file(&[])?;
        while self.marks.pop_front().is_some() {
            self.found.push_back(Place { block: self.file_len, within: 0 });
        }
        Ok(())
    }

    /// Writes to the file what is no data of the stream; [`drain`](Self::drain) comes before it.
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
    fn took(&mut self, n: usize) -> io::Result<()> {
        self.chunk.data_len += n;
        self.data_taken += n as u64;
        if self.chunk.room().is_empty() {
            self.submit(false)?;
        }
        Ok(())
    }

    /// Submits the chunk, after writing older ones until there is room for it.
    fn submit(&mut self, here: bool) -> io::Result<()> {
        while !self.pool.has_room() {
            self.write_oldest()?;
        }
        let mut next = self.pool.job();
        next.clear();
        self.pool.submit(std::mem::replace(&mut self.chunk, next), here);
        Ok(())
    }

    /// Waits for the oldest chunk on its way, and writes it.
    fn write_oldest(&mut self) -> io::Result<()> {
        let Some(done) = self.pool.take() else { return Ok(()) };
        let chunk = done.inspect_err(|_| self.failed = true)?;
        // So that what follows is told from where its header has been written.
        self.write_file(&[])?;
        match self.layout {
            Layout::Bgzf => self.find_marks(&chunk),
            Layout::OneMember => self.note_segments(&chunk),
        }
        self.write_file(chunk.output())?;
        self.data_written += chunk.data_len as u64;
        self.pool.recycle(chunk);
        Ok(())
    }

    fn find_marks(&mut self, chunk: &Chunk) {
        while let Some(mark) = self.marks.front() {
            let ahead = mark - self.data_written;
            let block = chunk.pieces.iter().find(|block| {
                let start = block.data_start as u64;
                (start..start + block.data_len as u64).contains(&ahead)
            });
            let Some(block) = block else { break };
            self.found.push_back(Place {
                block: self.file_len + block.output_start as u64,
                within: (ahead - block.data_start as u64) as u32,
            });
            self.marks.pop_front();
        }
    }

    fn note_segments(&mut self, chunk: &Chunk) {
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
        let room = self.chunk.room();
        let n = room.len().min(bytes.len());
        room[..n].copy_from_slice(&bytes[..n]);
        self.took(n)?;
        Ok(n)
    }

    /// Ends the block or segment, so that a reader gets all that was written so far. Often, it costs
    /// ratio.
    fn flush(&mut self) -> io::Result<()> {
        self.drain()?;
        self.inner.flush()
    }
}
