//! `tar index`.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::PathBuf;

use uadk_compress::Level;

use crate::error::Error;
use crate::streams;
use crate::tar::archive::Archive;
use crate::tar::status::Status;
use crate::tar::totals::Totals;

/// Gives an archive an index, or makes it anew
///
/// An archive of block gzip (bgzip, crabz) gets it at its end. Other gzip files have no blocks to find
/// entries in: with --output they are written anew, the tar inside byte for byte the same.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: Archive,
    /// Leave the archive as it is, and write a new one with blocks and an index
    #[arg(short, long, value_name = "NEW")]
    output: Option<PathBuf>,
    /// Level of the new archive
    #[arg(long, value_name = "LEVEL", default_value = "6", value_parser = streams::level)]
    level: Level,
}

/// Runs `tar index`.
pub(super) fn run(arguments: &Arguments) -> Result<Status, Error> {
    let archive = &arguments.archive;
    let options = archive.options(arguments.level, &Totals::none());
    let entries = if let Some(output) = &arguments.output {
        let input = streams::input(&archive.file)?;
        let failed = |error| Error::file(output, error);
        let file = OpenOptions::new().write(true).create_new(true).open(output).map_err(failed)?;
        let entries = options.rewrite(input, file);
        if entries.is_err() {
            // It would look like a whole archive that is cut off.
            let _ = std::fs::remove_file(output);
        }
        entries.map_err(|error| archive.failed(error))?
    } else {
        let file: io::Result<File> = OpenOptions::new().read(true).write(true).open(&archive.file);
        let file = file.map_err(|error| Error::file(&archive.file, error))?;
        options.index(file).map_err(|error| archive.failed(error))?
    };
    eprintln!("uadk-compress: an index of {entries} entries");
    Ok(Status::default())
}
