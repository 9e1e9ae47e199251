//! Errors of gzip streams and archives.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

/// The reason a stream or an archive could not be read or written.
///
/// [`Read`](io::Read) and [`Write`](io::Write) wrap it in an [`io::Error`]; [`Error::from`]
/// unwraps it. Unless stated otherwise, offsets are in bytes from the beginning of the compressed
/// file. Messages don't repeat their source: print the whole chain.
///
/// ```
/// use std::io::Read;
/// use uadk_compress_archive::{Error, GzOptions, GzReader};
///
/// let mut file = GzOptions::new().compress(&b"remember the milk"[..], Vec::new())?;
/// file.pop();
/// let read = GzReader::new(&file[..])?.read_to_end(&mut Vec::new());
/// match read.map_err(Error::from) {
///     Err(Error::Truncated { offset, .. }) => assert_eq!(offset, file.len() as u64),
///     other => panic!("expected a truncated file: {other:?}"),
/// }
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The underlying file, pipe or disk failed. Displays as that error and has its sources.
    #[error(transparent)]
    Io(Arc<io::Error>),
    /// A gzip member, a segment of one, a zstd frame or an xz stream is damaged. The data before it
    /// is intact.
    #[error("the {format} data at byte {offset} is damaged: {what}")]
    Damaged {
        /// `gzip`, `zstd` or `xz`.
        format: &'static str,
        /// Where the member, segment, frame or stream begins.
        offset: u64,
        /// What is wrong with it.
        what: Cow<'static, str>,
    },
    /// The file is truncated. If writing it was interrupted,
    /// [`ArchiveWriter::resume`](crate::ArchiveWriter::resume) continues it.
    #[error("unexpected end of file at byte {offset}: {what}")]
    Truncated {
        /// Where the file ends.
        offset: u64,
        /// What is missing.
        what: Cow<'static, str>,
    },
    /// The file is not gzip at all, or other data follows the gzip data.
    #[error("no gzip member at byte {offset}")]
    NotGzip {
        /// Where a member was expected.
        offset: u64,
    },
    /// The file does not begin like a supported archive.
    #[error("neither a tar archive nor one compressed with gzip, zstd or xz")]
    NotArchive,
    /// The tar stream inside is invalid.
    #[error("the tar stream is damaged at byte {offset}: {what}")]
    NotTar {
        /// Offset in the uncompressed tar.
        offset: u64,
        /// What is wrong there.
        what: Cow<'static, str>,
    },
    /// The index is damaged or does not match the tar. The archive can be read without it, and
    /// [`ArchiveOptions::index`](crate::ArchiveOptions::index) creates a new one.
    #[error("invalid archive index: {what}")]
    Index {
        /// What is wrong with it.
        what: Cow<'static, str>,
    },
    /// One entry can't be added, read or extracted.
    #[error("{name}: {what}")]
    Entry {
        /// The entry's name in the archive, or the file's on disk.
        name: String,
        /// What is wrong with it.
        what: Cow<'static, str>,
        /// The underlying error, if any.
        source: Option<Box<Error>>,
    },
    /// The gzip file has neither blocks nor independent segments, so it can be neither indexed nor
    /// continued. [`ArchiveOptions::rewrite`](crate::ArchiveOptions::rewrite) rewrites it with
    /// segments.
    #[error("the gzip file has neither blocks nor independent segments")]
    NoBlocks,
    /// The compressor could not be created, or failed.
    #[error("the compressor failed")]
    Compressor(#[source] uadk_compress::Error),
    /// The archive or the compressor is of a kind that does not support the operation.
    #[error("{0}")]
    Unsupported(Cow<'static, str>),
}

/// The result of reading or writing an archive.
///
/// ```
/// use std::io::Read;
/// use uadk_compress_archive::{ArchiveReader, Result};
///
/// fn count(file: impl Read) -> Result<usize> {
///     let mut archive = ArchiveReader::new(file)?;
///     let mut count = 0;
///     while archive.next_entry()?.is_some() {
///         count += 1;
///     }
///     Ok(count)
/// }
///
/// assert!(count(&b"not an archive"[..]).is_err());
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn damaged(offset: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Self::Damaged { format: "gzip", offset, what: what.into() }
    }

    pub(crate) fn truncated(offset: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Self::Truncated { offset, what: what.into() }
    }

    /// Data follows the end of the archive, which appending would overwrite.
    pub(crate) fn trailing_data() -> Self {
        let what = "data follows the end of the archive and would be overwritten";
        Self::Unsupported(what.into())
    }

    pub(crate) fn tar(offset: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Self::NotTar { offset, what: what.into() }
    }

    pub(crate) fn index(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Index { what: what.into() }
    }

    pub(crate) fn entry(name: &[u8], what: impl Into<Cow<'static, str>>) -> Self {
        let name = String::from_utf8_lossy(name).into_owned();
        Self::Entry { name, what: what.into(), source: None }
    }

    /// Like [`entry`](Self::entry), with its cause.
    pub(crate) fn entry_from(
        name: &[u8],
        what: impl Into<Cow<'static, str>>,
        source: impl Into<Self>,
    ) -> Self {
        let name = String::from_utf8_lossy(name).into_owned();
        Self::Entry { name, what: what.into(), source: Some(Box::new(source.into())) }
    }

    /// Like [`entry`](Self::entry), for callers that don't know the name.
    /// [`for_entry`](Self::for_entry) adds it.
    pub(crate) fn unnamed(what: impl Into<Cow<'static, str>>) -> Self {
        Self::entry(b"", what)
    }

    /// Like [`unnamed`](Self::unnamed), with its cause.
    pub(crate) fn unnamed_from(
        what: impl Into<Cow<'static, str>>,
        source: impl Into<Self>,
    ) -> Self {
        Self::entry_from(b"", what, source)
    }

    /// Turns the error into one about an entry: `what` says what could not be done because of it.
    pub(crate) fn for_entry(self, name: &[u8], what: &'static str) -> Self {
        match self {
            Self::Entry { name: known, what, source } if known.is_empty() => {
                let name = String::from_utf8_lossy(name).into_owned();
                Self::Entry { name, what, source }
            }
            Self::Entry { .. } => self,
            other => Self::entry_from(name, what, other),
        }
    }

    fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Io(error) => error.kind(),
            Self::Truncated { .. } => io::ErrorKind::UnexpectedEof,
            Self::Unsupported(_) | Self::NoBlocks | Self::Compressor(_) => {
                io::ErrorKind::Unsupported
            }
            Self::Entry { .. } => io::ErrorKind::Other,
            _ => io::ErrorKind::InvalidData,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => Arc::try_unwrap(error).unwrap_or_else(|shared| {
                // Returned more than once: only its kind and text can be copied.
                Self::new(shared.kind(), shared.to_string())
            }),
            error => Self::new(error.kind(), error),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(error) => error,
            Err(error) => Self::Io(Arc::new(error)),
        }
    }
}

impl From<rustix::io::Errno> for Error {
    fn from(errno: rustix::io::Errno) -> Self {
        io::Error::from(errno).into()
    }
}

/// Returns an error if a write has failed, as it is unknown how much of it reached the file.
pub(crate) fn check_writable(failed: bool) -> io::Result<()> {
    if failed {
        return Err(io::Error::other("an earlier write failed: nothing more can be written"));
    }
    Ok(())
}
