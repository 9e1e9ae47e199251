//! The input of an archive: gzip, zstd, xz or plain tar, detected by its first bytes.

mod codec;
mod format;
mod frames;
mod plain;
mod xz;
mod zstd;

use std::io::{self, BufRead, Read, Seek};

use crate::gzip::{Place, Source};
use crate::{ArchiveOptions, Error, GzOptions, GzReader, GzWarning, Inflated, Result};
use format::Format;
use frames::Frames;
use plain::Plain;

/// Memory for decompressing zstd and xz: enough for a window of 128 MiB plus overhead.
const MEMORY_LIMIT: u64 = 160 << 20;

/// The bytes of a tar, decompressed if necessary.
#[derive(Debug)]
pub(crate) enum Input<R> {
    Gzip(Box<GzReader<R>>),
    Frames(Box<Frames<R>>),
    Plain(Plain<R>),
}

impl<R: Read> Input<R> {
    /// Reads the beginning of a file and detects its format.
    pub(crate) fn new(inner: R, options: &ArchiveOptions, gzip: &GzOptions) -> Result<Self> {
        let mut source = Source::new(inner);
        let memory = options.memory_limit.unwrap_or(MEMORY_LIMIT);
        let garbage = gzip.allows_trailing_garbage();
        Ok(match format::detect(&mut source)? {
            Format::Gzip => Self::Gzip(gzip.reader_of(source)?),
            Format::Zstd => Self::Frames(Frames::new(source, zstd::codec(memory), garbage)),
            Format::Xz => Self::Frames(Frames::new(source, xz::codec(memory), garbage)),
            Format::Plain => Self::Plain(Plain::new(source)),
        })
    }

    /// Returns whether a file is plain tar. Errors of other files surface when they are read.
    pub(crate) fn begins_as_plain_tar(inner: R) -> bool {
        matches!(format::detect(&mut Source::new(inner)), Ok(Format::Plain))
    }

    /// Returns the gzip file, or an error if the archive is not gzip: `what` is the predicate of
    /// its message.
    pub(crate) fn gzip(&self, what: &str) -> Result<&GzReader<R>> {
        match self {
            Self::Gzip(gzip) => Ok(gzip),
            _ => Err(Error::Unsupported(format!("{} {what}", self.name()).into())),
        }
    }

    pub(crate) fn gzip_mut(&mut self) -> Option<&mut GzReader<R>> {
        match self {
            Self::Gzip(gzip) => Some(gzip),
            _ => None,
        }
    }

    /// Returns the kind of input, as the subject of a sentence.
    fn name(&self) -> String {
        match self {
            Self::Gzip(_) => "a tar.gz".to_owned(),
            Self::Frames(frames) => format!("an archive compressed with {}", frames.format()),
            Self::Plain(_) => "plain tar".to_owned(),
        }
    }

    pub(crate) const fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Returns the position of the next byte in a gzip file; see [`GzReader::place`].
    pub(crate) fn place(&self) -> Option<Place> {
        match self {
            Self::Gzip(gzip) => gzip.place(),
            _ => None,
        }
    }

    /// See [`GzReader::can_begin_at`].
    pub(crate) fn can_begin_at(&self, data: u64) -> bool {
        !matches!(self, Self::Gzip(gzip) if !gzip.can_begin_at(data))
    }

    /// See [`GzReader::end_after_block`].
    pub(crate) fn end_after_block(&mut self, last_block: Option<u64>) {
        if let Self::Gzip(gzip) = self {
            gzip.end_after_block(last_block);
        }
    }

    /// See [`GzReader::lacks_end_marker`].
    pub(crate) fn lacks_end_marker(&self) -> bool {
        matches!(self, Self::Gzip(gzip) if gzip.lacks_end_marker())
    }

    /// Returns the warnings about what follows the data, or is missing after it.
    pub(crate) fn warnings(&self) -> &[GzWarning] {
        match self {
            Self::Gzip(gzip) => gzip.warnings(),
            Self::Frames(frames) => frames.warnings(),
            Self::Plain(_) => &[],
        }
    }

    /// Returns statistics of the data inflated without an engine; see [`GzReader::inflated`].
    pub(crate) fn inflated(&self) -> Inflated {
        match self {
            Self::Gzip(gzip) => gzip.inflated(),
            _ => Inflated::default(),
        }
    }

    /// Skips up to `bytes` bytes without reading them, if the input can seek. Returns how many
    /// were skipped.
    pub(crate) fn pass(&mut self, bytes: u64) -> Result<u64> {
        match self {
            Self::Plain(plain) => plain.pass(bytes),
            _ => Ok(0),
        }
    }

    /// Returns the number of bytes up to the end of the file that [`pass`](Self::pass) may skip.
    pub(crate) fn unread_len(&self) -> u64 {
        match self {
            Self::Plain(plain) => plain.unread_len(),
            _ => 0,
        }
    }

    pub(crate) fn into_inner(self) -> R {
        match self {
            Self::Gzip(gzip) => gzip.into_inner(),
            Self::Frames(frames) => frames.into_inner(),
            Self::Plain(plain) => plain.into_inner(),
        }
    }
}

impl<R: Read + Seek> Input<R> {
    /// Seeks to a byte of the tar, whose position in a gzip file may be known.
    pub(crate) fn seek_to(&mut self, place: Option<Place>, position: u64) -> Result<()> {
        match (self, place) {
            (Self::Gzip(gzip), Some(place)) => gzip.seek_to(place, position)?,
            (Self::Gzip(gzip), None) => drop(gzip.seek(io::SeekFrom::Start(position))?),
            (Self::Frames(frames), _) => frames.seek_to(position)?,
            (Self::Plain(plain), _) => plain.seek_to(position)?,
        }
        Ok(())
    }

    /// Sets whether [`pass`](Self::pass) may seek. Only plain tar does.
    pub(crate) fn pass_by_seeking(&mut self, by_seeking: bool) -> Result<()> {
        match self {
            Self::Plain(plain) => plain.pass_by_seeking(by_seeking),
            _ => Ok(()),
        }
    }
}

impl<R: Read> BufRead for Input<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Gzip(gzip) => gzip.fill_buf(),
            Self::Frames(frames) => Ok(frames.ready()?),
            Self::Plain(plain) => Ok(plain.ready()?),
        }
    }

    fn consume(&mut self, n: usize) {
        match self {
            Self::Gzip(gzip) => gzip.consume(n),
            Self::Frames(frames) => frames.consume(n),
            Self::Plain(plain) => plain.consume(n),
        }
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}
