//! One stream of many segments, compressed in parallel.

use std::io::{self, Write};

use block_deflate::segment::{END, Joiner};
use block_deflate::{Encoder, Mode, Window};

use crate::pool::{Panicked, Pool};
use crate::{Error, Format, Level};

/// Bytes of input per segment, the same as pigz uses. Matches don't reach into the previous
/// segment, which costs a few tenths of a percent in size.
const PIECE: usize = 128 << 10;

/// A `Write` that compresses on several threads into one plain zlib, gzip or raw deflate stream.
///
/// The input is split into pieces of 128 KiB, which are compressed independently into segments and
/// joined in order. The stream is the same for any number of threads, and any inflater reads it. At
/// most two pieces per thread are in memory. Call [`finish`](Self::finish): without it the stream
/// is unterminated.
///
/// After an error the stream is incomplete, and every further call fails.
///
/// ```
/// use std::io::Write;
/// use uadk_compress::{Format, Level, SegmentWriter};
///
/// let mut writer = SegmentWriter::new(Vec::new(), Format::Gzip, Level::FASTEST, 2)?;
/// writer.write_all(&vec![7; 1_000_000])?;
/// let gzip = writer.finish()?;
/// assert!(gzip.len() < 10_000);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct SegmentWriter<W: Write> {
    out: W,
    joiner: Joiner,
    filling: Piece,
    pool: Pool<'static, Piece>,
    /// Pieces whose buffers can be reused.
    spare: Vec<Piece>,
    started: bool,
    failed: bool,
}

/// A piece of the input, and the segment it compresses to.
#[derive(Debug, Default)]
struct Piece {
    input: Vec<u8>,
    segment: Vec<u8>,
    checksum: u32,
}

impl<W: Write> SegmentWriter<W> {
    /// Creates a writer to `out` that compresses on `threads` threads; with 0 or 1, on the
    /// caller's. If the system refuses threads, it uses fewer ([`pool`](crate::pool)). Segments are
    /// compressed by `block-deflate`, which treats all levels from 1 up alike.
    ///
    /// # Errors
    ///
    /// Fails unless the format is deflate, zlib or gzip.
    pub fn new(out: W, format: Format, level: Level, threads: usize) -> io::Result<Self> {
        let format = match format {
            Format::RawDeflate => block_deflate::Format::Raw,
            Format::Zlib => block_deflate::Format::Zlib,
            Format::Gzip => block_deflate::Format::Gzip,
            Format::Zstd | Format::Lz4 | Format::Custom(_) => {
                let error = Error::Unsupported(format!("segments of {format}").into());
                return Err(io::Error::new(io::ErrorKind::Unsupported, error));
            }
        };
        let mode = if level <= Level::FASTEST { Mode::Fast } else { Mode::Default };
        let work = move |encoder: &mut Box<_>, piece: &mut _| compress(encoder, format, piece);
        Ok(Self {
            out,
            joiner: Joiner::new(format, Window::Kib32),
            filling: Piece::default(),
            pool: Pool::new("segments", threads, move || Box::new(Encoder::new(mode)), work),
            spare: Vec::new(),
            started: false,
            failed: false,
        })
    }

    /// Writes the remaining data and the end of the stream, and returns the underlying writer.
    ///
    /// # Errors
    ///
    /// Fails if the underlying writer fails or compression panicked; the stream is then incomplete.
    pub fn finish(mut self) -> io::Result<W> {
        self.drain()?;
        self.write_out(&END)?;
        let trailer = self.joiner.trailer();
        self.write_out(trailer.as_bytes())?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// Submits the collected input as a segment of its own.
    fn submit(&mut self) -> io::Result<()> {
        self.check()?;
        if self.filling.input.is_empty() {
            return Ok(());
        }
        let next = self.spare.pop().unwrap_or_default();
        let mut piece = std::mem::replace(&mut self.filling, next);
        while let Err(refused) = self.pool.submit(piece) {
            piece = refused;
            self.append_oldest()?;
        }
        while let Some(done) = self.pool.try_take() {
            self.append(done)?;
        }
        Ok(())
    }

    /// Writes all input so far to the underlying writer.
    fn drain(&mut self) -> io::Result<()> {
        self.submit()?;
        while !self.pool.is_empty() {
            self.append_oldest()?;
        }
        // An empty stream has a header too.
        self.write_out(&[])
    }

    fn append_oldest(&mut self) -> io::Result<()> {
        self.pool.take().map_or(Ok(()), |done| self.append(done))
    }

    fn append(&mut self, done: Result<Piece, Panicked>) -> io::Result<()> {
        // A failed piece leaves a gap in the stream.
        let mut piece = done.inspect_err(|_| self.failed = true)?;
        self.write_out(&piece.segment)?;
        self.joiner.add(piece.checksum, piece.input.len() as u64);
        piece.input.clear();
        self.spare.push(piece);
        Ok(())
    }

    /// Writes to the underlying writer; the first call writes the header first.
    fn write_out(&mut self, bytes: &[u8]) -> io::Result<()> {
        // It is unknown how much of a failed write arrived.
        self.failed = true;
        if !std::mem::replace(&mut self.started, true) {
            self.out.write_all(self.joiner.header().as_bytes())?;
        }
        self.out.write_all(bytes)?;
        self.failed = false;
        Ok(())
    }

    fn check(&self) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("an earlier write failed: the stream is incomplete"));
        }
        Ok(())
    }
}

impl<W: Write> Write for SegmentWriter<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.check()?;
        let input = &mut self.filling.input;
        input.reserve_exact(PIECE - input.len());
        let taken = buf.len().min(PIECE - input.len());
        input.extend_from_slice(&buf[..taken]);
        if input.len() == PIECE {
            self.submit()?;
        }
        Ok(taken)
    }

    /// Ends the current segment, so that a reader can inflate everything written so far.
    fn flush(&mut self) -> io::Result<()> {
        self.drain()?;
        self.out.flush()
    }
}

fn compress(encoder: &mut Encoder, format: block_deflate::Format, piece: &mut Piece) {
    piece.segment.resize(Encoder::segment_bound(piece.input.len()), 0);
    let len = encoder.compress_segment(&piece.input, &mut piece.segment);
    let len = len.expect("the segment fits into segment_bound");
    piece.segment.truncate(len);
    piece.checksum = match format {
        block_deflate::Format::Raw => 0,
        block_deflate::Format::Zlib => libdeflater::adler32(&piece.input),
        block_deflate::Format::Gzip => libdeflater::crc32(&piece.input),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_while_compressing_is_an_error_and_the_stream_cannot_be_finished() {
        for threads in [1, 3] {
            let mut writer = SegmentWriter::new(Vec::new(), Format::Gzip, Level::BALANCED, threads)
                .expect("gzip");
            writer.pool = Pool::new("panics", threads, || (), |(), _| panic!("told to"));
            let written = writer.write_all(&vec![1; 10 * PIECE]).and_then(|()| writer.flush());
            assert!(written.unwrap_err().to_string().contains("told to"));
            assert!(writer.write(&[1]).is_err() && writer.flush().is_err());
            assert!(writer.finish().is_err());
        }
    }
}
