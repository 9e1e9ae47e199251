//! The archive that a command is about.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;

use uadk_compress::Level;
use uadk_compress_archive::{ArchiveOptions, ArchiveReader};

use super::totals::Totals;
use crate::error::Error;
use crate::streams;

/// Which archive, and how many threads.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Archive {
    /// The archive; - for stdin or stdout
    #[arg(short, long, value_name = "ARCHIVE")]
    pub(super) file: PathBuf,
    /// Threads that compress or decompress; one per CPU if not said
    #[arg(long, value_name = "N", value_parser = streams::threads)]
    pub(super) threads: Option<usize>,
}

impl Archive {
    /// Options for reading and for writing at that level.
    pub(super) fn options(&self, level: Level, totals: &Totals) -> ArchiveOptions {
        let mut options = ArchiveOptions::new().level(level);
        if let Some(threads) = self.threads {
            options = options.threads(threads);
        }
        match totals.compressor() {
            Some(compressor) => options.compressor(compressor),
            None => options,
        }
    }

    /// The archive, opened to be read.
    pub(super) fn reader(&self) -> Result<ArchiveReader<File>, Error> {
        self.counted_reader(&Totals::none(), false)
    }

    /// As [`reader`](Self::reader), with counters and the way in which zeros are read.
    pub(super) fn counted_reader(
        &self,
        totals: &Totals,
        ignore_zeros: bool,
    ) -> Result<ArchiveReader<File>, Error> {
        let file = streams::input(&self.file)?;
        let options = self.options(Level::BALANCED, totals);
        let mut reader = options.reader(file).map_err(|error| self.failed(error))?;
        reader.ignore_zeros(ignore_zeros);
        Ok(reader)
    }

    /// The archive, made anew.
    pub(super) fn create(&self) -> Result<File, Error> {
        if self.is_dash() {
            return Ok(streams::stdout()?);
        }
        File::create(&self.file).map_err(|error| Error::file(&self.file, error))
    }

    /// The archive, opened to be read and written; made if `create` says so.
    pub(super) fn update(&self, create: bool) -> Result<File, Error> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(create).truncate(false).open(&self.file);
        file.map_err(|error| Error::file(&self.file, error))
    }

    pub(super) fn is_dash(&self) -> bool {
        streams::is_dash(&self.file)
    }

    /// Whether the archive can be sought in.
    pub(super) fn is_seekable(&self) -> bool {
        if self.is_dash() {
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
