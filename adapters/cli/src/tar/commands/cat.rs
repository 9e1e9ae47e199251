//! `tar cat`.

use std::ffi::OsString;
use std::io;

use crate::error::Error;
use crate::streams;
use crate::tar::archive::Archive;
use crate::tar::names::{escaped, trimmed};
use crate::tar::status::Status;

/// Writes the contents of single files of an archive to stdout, reading little else
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: Archive,
    /// Names of files in the archive
    #[arg(required = true, value_name = "NAME")]
    names: Vec<OsString>,
}

/// Runs `tar cat`.
pub(super) fn run(arguments: &Arguments) -> Result<Status, Error> {
    let archive = &arguments.archive;
    let mut reader = archive.reader()?;
    let mut stdout = streams::stdout()?;
    if archive.is_seekable() {
        for name in &arguments.names {
            let mut entry = reader.open(name).map_err(|error| archive.failed(error))?;
            io::copy(&mut entry, &mut stdout).map_err(|error| archive.failed(error.into()))?;
        }
        return Ok(Status::default());
    }
    // From a pipe, in the archive's order.
    let mut names: Vec<&[u8]> =
        arguments.names.iter().map(|name| trimmed(name.as_encoded_bytes())).collect();
    while let Some(mut entry) = reader.next_entry().map_err(|error| archive.failed(error))? {
        let Some(place) = names.iter().position(|n| *n == trimmed(entry.entry().path_bytes()))
        else {
            continue;
        };
        names.swap_remove(place);
        io::copy(&mut entry, &mut stdout).map_err(|error| archive.failed(error.into()))?;
        if names.is_empty() {
            return Ok(Status::default());
        }
    }
    let mut status = Status::default();
    for name in &names {
        status.left_out(&escaped(name), "not found in the archive");
    }
    Ok(status)
}
