//! `tar`: archives that every tar reads, and that list and give single files at once.

mod cat;
mod create;
mod exclude;
mod extract;
mod index;
mod list;
mod names;
mod verify;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use uadk_compress_archive::{ArchiveOptions, ArchiveReader};

use crate::error::Error;
use crate::streams;

/// Writes and reads tar.gz archives that every tar reads, with an index
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Create(create::Create),
    Append(create::Append),
    List(list::Arguments),
    Extract(extract::Arguments),
    Cat(cat::Arguments),
    Verify(verify::Arguments),
    Index(index::Arguments),
}

/// Which archive, and how many threads.
#[derive(Debug, clap::Args)]
struct Archive {
    /// The archive; - for stdin or stdout
    #[arg(short, long, value_name = "ARCHIVE")]
    file: PathBuf,
    /// Threads that compress or decompress; one per CPU if not said
    #[arg(long, value_name = "N", value_parser = streams::threads)]
    threads: Option<usize>,
}

/// Runs the command.
pub(crate) fn run(command: &Command) -> Result<ExitCode, Error> {
    let result = match command {
        Command::Create(arguments) => create::create(arguments),
        Command::Append(arguments) => create::append(arguments),
        Command::List(arguments) => list::run(arguments),
        Command::Extract(arguments) => extract::run(arguments),
        Command::Cat(arguments) => cat::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Index(arguments) => index::run(arguments),
    };
    match result {
        Err(error) if error.is_broken_pipe() => Ok(ExitCode::SUCCESS),
        result => result.map(|()| ExitCode::SUCCESS),
    }
}

impl Archive {
    fn options(&self) -> ArchiveOptions {
        let options = ArchiveOptions::new();
        match self.threads {
            Some(threads) => options.threads(threads),
            None => options,
        }
    }

    /// The archive, opened to be read.
    fn reader(&self) -> Result<ArchiveReader<File>, Error> {
        let file = streams::input(&self.file)?;
        self.options().reader(file).map_err(|error| self.failed(error))
    }

    /// Whether the archive can be sought in.
    fn is_seekable(&self) -> bool {
        if streams::is_dash(&self.file) {
            return streams::stdin()
                .and_then(|file| file.metadata())
                .is_ok_and(|metadata| metadata.is_file());
        }
        self.file.metadata().is_ok_and(|metadata| metadata.is_file())
    }

    fn failed(&self, error: uadk_compress_archive::Error) -> Error {
        Error::archive(&self.file, error)
    }
}

/// Failures of single files or entries, each told when it happens.
#[derive(Debug, Default)]
struct Failures {
    count: u64,
}

impl Failures {
    /// Tells of the error, and goes on, if others can follow.
    fn note(&mut self, archive: &Path, error: uadk_compress_archive::Error) -> Result<(), Error> {
        if !matches!(error, uadk_compress_archive::Error::Entry { .. }) {
            return Err(Error::archive(archive, error));
        }
        eprintln!("uadk-compress: {error}");
        self.count += 1;
        Ok(())
    }

    fn result(self) -> Result<(), Error> {
        if self.count == 0 { Ok(()) } else { Err(Error::Some { count: self.count }) }
    }
}
