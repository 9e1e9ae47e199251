//! What ends a command.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Output that can't be written (`EX_IOERR` of `sysexits.h`).
const OUTPUT: u8 = 74;

/// What ends a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{} can't be read: {source}. Give a file that this user may read, or - for stdin", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "{} is a folder. Give the files in it, or pipe them: tar c {} | uadk-compress bench -",
        path.display(), path.display()
    )]
    Folder { path: PathBuf },
    #[error("{files}: nothing to compress, for there are no bytes in it. Give a file with data")]
    Empty { files: String },
    #[error("the software engine failed: {0}")]
    Software(uadk_compress::Error),
    #[error(
        "other bytes came back than were compressed by {}. Don't use that engine; `uadk-compress \
         doctor` says more",
        cases.join("; ")
    )]
    WrongBytes { cases: Vec<String> },
    #[error("{file}: {source}")]
    Archive { file: String, source: uadk_compress_archive::Error },
    #[error("{file}: {source}")]
    File { file: String, source: io::Error },
    #[error("{0}")]
    Refused(String),
    #[error("{count} of the files or entries failed, as said above; the others are done")]
    Some { count: u64 },
    #[error(transparent)]
    MultifdProxy(#[from] crate::multifd_proxy::ProxyError),
    #[error(transparent)]
    Pages(#[from] crate::pages::PagesError),
    #[error("the output can't be written: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// What went wrong with a file that has a name.
    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { file: path.display().to_string(), source }
    }

    /// What went wrong with an archive or a gzip file.
    pub(crate) fn archive(path: &Path, source: uadk_compress_archive::Error) -> Self {
        Self::Archive { file: path.display().to_string(), source }
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

/// Writes to stdout. A reader that has seen enough (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    use io::Write;
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
