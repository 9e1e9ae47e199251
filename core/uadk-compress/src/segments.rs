//! One stream of many segments that are compressed in parallel.

mod workers;

use std::io::{self, Write};

use block_deflate::segment::{END, Joiner};
use block_deflate::{Encoder, Mode, Window};

use self::workers::{Piece, Workers};
use crate::{Error, Format, Level};

/// Bytes of input per segment: what pigz takes too. A segment's matches don't reach into the one
/// before, which costs some per mille.
const PIECE: usize = 128 << 10;

/// A `Write` that compresses on several threads into one plain zlib, gzip or raw deflate stream.
///
/// The input is cut into pieces of 128 KiB, which are compressed independently into segments and
/// joined in order: the stream is the same at any number of threads, and any inflater reads it. At
/// most two pieces per thread are held. Call [`finish`](Self::finish): without it the stream has no
/// end.
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
    filling: Vec<u8>,
    workers: Workers,
    started: bool,
}

impl<W: Write> SegmentWriter<W> {
    /// A writer to `out` on `threads` threads beside the caller's; with none, the caller's alone.
    /// Levels from 1 on are the same, since segments are made by `block-deflate`.
    ///
    /// # Errors
    ///
    /// If the format is [`Format::Custom`], or a thread can't be made.
    pub fn new(out: W, format: Format, level: Level, threads: usize) -> io::Result<Self> {
        let format = match format {
            Format::RawDeflate => block_deflate::Format::Raw,
            Format::Zlib => block_deflate::Format::Zlib,
            Format::Gzip => block_deflate::Format::Gzip,
            Format::Custom(name) => {
                let why = Error::Unsupported(format!("segments of {name}").into());
                return Err(io::Error::new(io::ErrorKind::Unsupported, why));
            }
        };
        let mode = if level == Level::FASTEST { Mode::Fast } else { Mode::Default };
        Ok(Self {
            out,
            joiner: Joiner::new(format, Window::Kib32),
            filling: Vec::with_capacity(PIECE),
            workers: Workers::new(mode, format, threads)?,
            started: false,
        })
    }

    /// Writes what is left and the end of the stream, and gives the underlying writer back.
    ///
    /// # Errors
    ///
    /// The underlying writer's; the stream is incomplete then.
    pub fn finish(mut self) -> io::Result<W> {
        self.drain()?;
        self.begin()?;
        self.out.write_all(&END)?;
        self.out.write_all(self.joiner.trailer().as_bytes())?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// Compresses what has been collected, as a segment of its own.
    fn submit(&mut self) -> io::Result<()> {
        if self.filling.is_empty() {
            return Ok(());
        }
        let input = std::mem::take(&mut self.filling);
        let done = self.workers.submit(Piece::new(input))?;
        self.append(done)
    }

    /// All that has been written so far, to the underlying writer.
    fn drain(&mut self) -> io::Result<()> {
        self.submit()?;
        while let Some(done) = self.workers.wait()? {
            self.append(Some(done))?;
        }
        Ok(())
    }

    fn append(&mut self, done: Option<Piece>) -> io::Result<()> {
        if let Some(piece) = done {
            self.begin()?;
            self.out.write_all(&piece.segment)?;
            self.joiner.add(piece.checksum, piece.input.len() as u64);
            self.filling = self.workers.recycle(piece);
        }
        if self.filling.capacity() == 0 {
            self.filling.reserve_exact(PIECE);
        }
        Ok(())
    }

    fn begin(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.started, true) {
            self.out.write_all(self.joiner.header().as_bytes())?;
        }
        Ok(())
    }
}

impl<W: Write> Write for SegmentWriter<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let taken = buf.len().min(PIECE - self.filling.len());
        self.filling.extend_from_slice(&buf[..taken]);
        if self.filling.len() == PIECE {
            self.submit()?;
        }
        Ok(taken)
    }

    /// Ends the present segment, so that a reader can inflate all that has been written.
    fn flush(&mut self) -> io::Result<()> {
        self.drain()?;
        self.begin()?;
        self.out.flush()
    }
}

/// Compresses a piece.
fn compress(encoder: &mut Encoder, format: block_deflate::Format, piece: &mut Piece) {
    piece.segment.resize(Encoder::segment_bound(piece.input.len()), 0);
    // It fits: that is the bound.
    let len = encoder.compress_segment(&piece.input, &mut piece.segment).unwrap_or_default();
    piece.segment.truncate(len);
    piece.checksum = match format {
        block_deflate::Format::Raw => 0,
        block_deflate::Format::Zlib => libdeflater::adler32(&piece.input),
        block_deflate::Format::Gzip => libdeflater::crc32(&piece.input),
    };
}
