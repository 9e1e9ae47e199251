//! Errors that end a command.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::descriptors;

/// The exit status when the output can't be written (`EX_IOERR` in `sysexits.h`).
const OUTPUT: u8 = 74;

/// An error that ends a command. [`report`](crate::report::report) prints it with its sources and
/// the remedy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("can't read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("can't write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is a directory", path.display())]
    Folder { path: PathBuf },
    #[error("{} already exists", path.display())]
    Exists { path: PathBuf },
    #[error("{files}: no data to compress")]
    Empty { files: String },
    #[error("the software engine failed")]
    Software(#[source] uadk_compress::Error),
    #[error("decompressed data differs from the original: {}", cases.join("; "))]
    WrongBytes { cases: Vec<String> },
    #[error("{file}")]
    Archive { file: String, source: uadk_compress_archive::Error },
    #[error("{file}")]
    File { file: String, source: io::Error },
    /// A request that makes no sense; the hint suggests one that does.
    #[error("{what}")]
    Refused { what: String, hint: Option<&'static str> },
    #[error("{count} files or entries failed (see above); the others succeeded")]
    Some { count: u64 },
    #[error("{}", path.display())]
    Snapshot { path: PathBuf, source: uadk_compress_pages::Error },
    #[error("{} has {len} bytes, but the regions add up to {expected}", path.display())]
    Regions { path: PathBuf, len: u64, expected: u64 },
    #[error("{} has a different layout", path.display())]
    OtherLayout { path: PathBuf },
    #[error("a chain of snapshots can't be read from stdin")]
    ChainFromStdin,
    #[error("can't create a compression engine")]
    Engine(#[source] uadk_compress::Error),
    #[error("can't listen on {address}")]
    Listen { address: String, source: io::Error },
    #[error("can no longer accept connections")]
    Accept(#[source] io::Error),
    #[error("the migration failed; the guest keeps running on the source")]
    Migration {
        source: Box<dyn std::error::Error + Send + Sync>,
        /// What to do about it.
        hint: Option<&'static str>,
    },
    #[error("can't write the output")]
    Output(#[from] io::Error),
}

impl Error {
    /// Creates an error about a named file.
    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { file: path.display().to_string(), source }
    }

    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    /// Creates an error about an archive or a gzip file.
    pub(crate) fn archive(path: &Path, source: uadk_compress_archive::Error) -> Self {
        Self::Archive { file: path.display().to_string(), source }
    }

    pub(crate) fn snapshot(path: &Path, source: uadk_compress_pages::Error) -> Self {
        Self::Snapshot { path: path.to_owned(), source }
    }

    pub(crate) fn refused(what: impl Into<String>, hint: Option<&'static str>) -> Self {
        Self::Refused { what: what.into(), hint }
    }

    /// Returns whether the reader of the output is gone, as with `| head`.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        use uadk_compress_archive::Error as Archive;
        match self {
            Self::Output(error) | Self::File { source: error, .. } => {
                error.kind() == io::ErrorKind::BrokenPipe
            }
            Self::Archive { source: Archive::Io(error), .. } => {
                error.kind() == io::ErrorKind::BrokenPipe
            }
            _ => false,
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Output(_) => ExitCode::from(OUTPUT),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Returns the error and its sources, joined by ": ".
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Writes to stdout. A reader that has seen enough (`| head`) is not an error.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    use io::Write;
    descriptors::stdout()?;
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
