//! The errors of block-gzip streams and archives.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

/// Why a stream or an archive could not be read or written.
///
/// [`Read`](io::Read) and [`Write`](io::Write) return it inside an [`io::Error`], from which
/// [`Error::from`] gets it back. Offsets count the bytes of the compressed file from its beginning
/// unless the text says otherwise. Messages don't repeat their source: print the whole chain.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The underlying file, pipe or disk failed. Displays as that error, and has its sources.
    #[error(transparent)]
    Io(Arc<io::Error>),
    /// A gzip member, or a segment of one, is damaged; or a zstd frame or xz stream is. The data before it
    /// is whole.
    #[error("the {format} data at byte {offset} is damaged: {what}")]
    Damaged {
        /// `gzip`, `zstd` or `xz`.
        format: &'static str,
        /// Where the member, segment, frame or stream begins.
        offset: u64,
        /// What is wrong with it.
        what: Cow<'static, str>,
    },
    /// The stream ends too early: the file was cut off. If writing it was interrupted,
    /// [`ArchiveWriter::resume`](crate::ArchiveWriter::resume) continues it.
    #[error("the file ends too early, at byte {offset}: {what}")]
    Truncated {
        /// Where the file ends.
        offset: u64,
        /// What is missing.
        what: Cow<'static, str>,
    },
    /// There is something other than gzip: the file is not gzip at all, or other data follows it.
    #[error("there is no gzip member at byte {offset}")]
    NotGzip {
        /// Where a member should begin.
        offset: u64,
    },
    /// The file does not begin as any archive that can be read.
    #[error("it is neither a tar archive nor one compressed by gzip, zstd or xz")]
    NotArchive,
    /// The tar stream inside is not what the format allows.
    #[error("the tar is damaged at its byte {offset}: {what}")]
    NotTar {
        /// The byte of the uncompressed tar.
        offset: u64,
        /// What is wrong there.
        what: Cow<'static, str>,
    },
    /// The index is damaged, or it and the tar disagree. The archive can be read without it, and
    /// [`ArchiveOptions::index`](crate::ArchiveOptions::index) makes a new one.
    #[error("the index of the archive is wrong: {what}")]
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
        /// The error behind it, if there is one.
        source: Option<Box<Error>>,
    },
    /// The gzip file has neither blocks nor independent segments, so that nothing can point into it or
    /// continue it. [`ArchiveOptions::rewrite`](crate::ArchiveOptions::rewrite) writes it anew, with segments.
    #[error("the gzip file is made neither of blocks nor of independent segments")]
    NoBlocks,
    /// The compressor can't be made, or failed.
    #[error("the compressor failed")]
    Compressor(#[source] uadk_compress::Error),
    /// The archive or the compressor is of a kind that does not allow it.
    #[error("{0}")]
    Unsupported(Cow<'static, str>),
}

/// The result of what reads and writes archives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn damaged(offset: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Self::Damaged { format: "gzip", offset, what: what.into() }
    }

    pub(crate) fn truncated(offset: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Self::Truncated { offset, what: what.into() }
    }

    /// Data that adding to an archive would overwrite.
    pub(crate) fn followed() -> Self {
        let what = "something follows the end of the archive, and would be overwritten";
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

    /// As [`entry`](Self::entry), with the error behind it.
    pub(crate) fn entry_from(
        name: &[u8],
        what: impl Into<Cow<'static, str>>,
        source: impl Into<Self>,
    ) -> Self {
        let name = String::from_utf8_lossy(name).into_owned();
        Self::Entry { name, what: what.into(), source: Some(Box::new(source.into())) }
    }

    /// As [`entry`](Self::entry), for callers that don't know the name; [`of_entry`](Self::of_entry) adds it.
    pub(crate) fn unnamed(what: impl Into<Cow<'static, str>>) -> Self {
        Self::entry(b"", what)
    }

    /// As [`unnamed`](Self::unnamed), with the error behind it.
    pub(crate) fn unnamed_from(
        what: impl Into<Cow<'static, str>>,
        source: impl Into<Self>,
    ) -> Self {
        Self::entry_from(b"", what, source)
    }

    /// The error as one of an entry: `what` could not be done because of it.
    pub(crate) fn of_entry(self, name: &[u8], what: &'static str) -> Self {
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
                // It is told more than once: the kind and the text are what can be copied.
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

/// An error if a write has failed: nobody knows how much of it is in the file.
pub(crate) fn check_writable(failed: bool) -> io::Result<()> {
    if failed {
        return Err(io::Error::other("writing has failed before; nothing can follow"));
    }
    Ok(())
}
