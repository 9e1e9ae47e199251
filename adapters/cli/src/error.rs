//! What ends a command.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::descriptors;

/// Output that can't be written (`EX_IOERR` of `sysexits.h`).
const OUTPUT: u8 = 74;

/// What ends a command. [`report`](crate::report::report) prints it with its sources and the remedy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{} can't be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} can't be written", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is a folder", path.display())]
    Folder { path: PathBuf },
    #[error("{} is there already", path.display())]
    Exists { path: PathBuf },
    #[error("{files}: there are no bytes to compress")]
    Empty { files: String },
    #[error("the software engine failed")]
    Software(#[source] uadk_compress::Error),
    #[error("other bytes came back than were compressed by {}", cases.join("; "))]
    WrongBytes { cases: Vec<String> },
    #[error("{file}")]
    Archive { file: String, source: uadk_compress_archive::Error },
    #[error("{file}")]
    File { file: String, source: io::Error },
    /// What is asked for makes no sense; the hint says what would.
    #[error("{what}")]
    Refused { what: String, hint: Option<&'static str> },
    #[error("{count} of the files or entries failed, as said above; the others are done")]
    Some { count: u64 },
    #[error("{}", path.display())]
    Snapshot { path: PathBuf, source: uadk_compress_pages::Error },
    #[error("{} has {len} bytes, and the regions make {expected}", path.display())]
    Regions { path: PathBuf, len: u64, expected: u64 },
    #[error("the layout of {} differs", path.display())]
    OtherLayout { path: PathBuf },
    #[error("a snapshot from stdin can't be part of a chain")]
    ChainFromStdin,
    #[error("no engine can be made")]
    Engine(#[source] uadk_compress::Error),
    #[error("{address} can't be listened at")]
    Listen { address: String, source: io::Error },
    #[error("connections can't be accepted any more")]
    Accept(#[source] io::Error),
    #[error("the migration failed and the source's guest goes on")]
    Migration {
        source: Box<dyn std::error::Error + Send + Sync>,
        /// What to do about it.
        hint: Option<&'static str>,
    },
    #[error("the output can't be written")]
    Output(#[from] io::Error),
}

impl Error {
    /// What went wrong with a file that has a name.
    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { file: path.display().to_string(), source }
    }

    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    /// What went wrong with an archive or a gzip file.
    pub(crate) fn archive(path: &Path, source: uadk_compress_archive::Error) -> Self {
        Self::Archive { file: path.display().to_string(), source }
    }

    pub(crate) fn snapshot(path: &Path, source: uadk_compress_pages::Error) -> Self {
        Self::Snapshot { path: path.to_owned(), source }
    }

    pub(crate) fn refused(what: impl Into<String>, hint: Option<&'static str>) -> Self {
        Self::Refused { what: what.into(), hint }
    }

    /// Whether it is only that nobody reads on, as behind `| head`.
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

/// The error and its sources, joined by ": ".
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Writes to stdout. A reader that has seen enough (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    use io::Write;
    descriptors::stdout()?;
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
