//! The archive that a command is about.

use std::fs::File;
use std::path::PathBuf;

use uadk_compress_archive::{ArchiveOptions, ArchiveReader};

use crate::error::Error;
use crate::streams;

/// Which archive, and how many threads.
#[derive(Debug, clap::Args)]
pub(super) struct Archive {
    /// The archive; - for stdin or stdout
    #[arg(short, long, value_name = "ARCHIVE")]
    pub(super) file: PathBuf,
    /// Threads that compress or decompress; one per CPU if not said
    #[arg(long, value_name = "N", value_parser = streams::threads)]
    pub(super) threads: Option<usize>,
}

impl Archive {
    pub(super) fn options(&self) -> ArchiveOptions {
        let options = ArchiveOptions::new();
        match self.threads {
            Some(threads) => options.threads(threads),
            None => options,
        }
    }

    /// The archive, opened to be read.
    pub(super) fn reader(&self) -> Result<ArchiveReader<File>, Error> {
        let file = streams::input(&self.file)?;
        self.options().reader(file).map_err(|error| self.failed(error))
    }

    /// Whether the archive can be sought in.
    pub(super) fn is_seekable(&self) -> bool {
        if streams::is_dash(&self.file) {
            return streams::stdin()
                .and_then(|file| file.metadata())
                .is_ok_and(|metadata| metadata.is_file());
        }
        self.file.metadata().is_ok_and(|metadata| metadata.is_file())
    }

    pub(super) fn failed(&self, error: uadk_compress_archive::Error) -> Error {
        Error::archive(&self.file, error)
    }
}
