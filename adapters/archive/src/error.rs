//! What can go wrong with a block-gzip stream or an archive.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

/// Why a stream or an archive could not be read or written.
///
/// [`Read`](io::Read) and [`Write`](io::Write) return it inside an [`io::Error`], from which
/// [`Error::from`] gets it back. Offsets count the bytes of the compressed file from its beginning
/// unless the text says otherwise.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What is below failed: the file, the pipe, the disk.
    #[error("{0}")]
    Io(Arc<io::Error>),
    /// A gzip member is not what it says.
    #[error(
        "the gzip member at byte {offset} is damaged: {what}. What comes before it is whole; \
         restore the file from a copy to get the rest"
    )]
    Damaged {
        /// Where the member begins.
        offset: u64,
        /// What is wrong with it.
        what: Cow<'static, str>,
    },
    /// The stream ends too early.
    #[error(
        "the file ends too early, at byte {offset}: {what}. It was cut off; copy it once more, or, \
         if writing it was interrupted, resume that"
    )]
    Truncated {
        /// Where the file ends.
        offset: u64,
        /// What is missing.
        what: Cow<'static, str>,
    },
    /// There is something else than gzip.
    #[error("at byte {offset} is no gzip member: this is not a gzip file, or it has a foreign end")]
    NotGzip {
        /// Where a member should begin.
        offset: u64,
    },
    /// The tar stream inside is not what the format allows.
    #[error("the tar inside is damaged at its byte {offset}: {what}")]
    NotTar {
        /// The byte of the uncompressed tar.
        offset: u64,
        /// What is wrong there.
        what: Cow<'static, str>,
    },
    /// The index is damaged, or it and the tar disagree.
    #[error(
        "the index of the archive is wrong: {what}. The archive can be read without it; \
         `uadk-compress tar index` makes a new one"
    )]
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
    },
    /// The archive is of a kind that does not allow it.
    #[error("{0}")]
    Unsupported(Cow<'static, str>),
}

/// The result of what reads and writes archives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn damaged(offset: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Self::Damaged { offset, what: what.into() }
    }

    pub(crate) fn truncated(offset: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Self::Truncated { offset, what: what.into() }
    }

    pub(crate) fn tar(offset: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Self::NotTar { offset, what: what.into() }
    }

    pub(crate) fn index(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Index { what: what.into() }
    }

    pub(crate) fn entry(name: &[u8], what: impl Into<Cow<'static, str>>) -> Self {
        Self::Entry { name: String::from_utf8_lossy(name).into_owned(), what: what.into() }
    }

    /// As [`entry`](Self::entry), where the name is not at hand: [`of_entry`](Self::of_entry) adds it.
    pub(crate) fn unnamed(what: impl Into<Cow<'static, str>>) -> Self {
        Self::entry(b"", what)
    }

    /// The same, told of an entry.
    pub(crate) fn of_entry(self, name: &[u8]) -> Self {
        match self {
            Self::Entry { name: known, what } if known.is_empty() => Self::entry(name, what),
            Self::Entry { .. } => self,
            other => Self::entry(name, other.to_string()),
        }
    }

    fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Io(error) => error.kind(),
            Self::Truncated { .. } => io::ErrorKind::UnexpectedEof,
            Self::Unsupported(_) => io::ErrorKind::Unsupported,
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
