//! `tar cat`.

use std::ffi::OsString;
use std::fs::File;
use std::io;

use uadk_compress_archive::ArchiveReader;

use crate::error::Error;
use crate::streams;
use crate::tar::archive::Archive;
use crate::tar::meter::{Meter, Summary};
use crate::tar::names::{escaped, trimmed};
use crate::tar::status::{Status, warn_about_index};

/// Writes the contents of single files in an archive to stdout, reading little else
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: Archive,
    /// Report the blocks of each engine, and why the accelerator was not used
    #[arg(long)]
    stats: bool,
    /// Names of files in the archive
    #[arg(required = true, value_name = "NAME")]
    names: Vec<OsString>,
}

/// Runs `tar cat`.
pub(super) fn run(arguments: &Arguments) -> Result<Status, Error> {
    let archive = &arguments.archive;
    let mut meter = Meter::for_reader(Summary { totals: false, stats: arguments.stats })?;
    let mut reader = archive.reader(&meter)?;
    let mut status = Status::default();
    let written = write(arguments, &mut reader, &mut status)?;
    status.warn_about_archive(archive, &mut reader);
    meter.count(&reader);
    meter.print("read", written, None);
    Ok(status)
}

/// Writes the contents of the entries; returns their length.
fn write(
    arguments: &Arguments,
    reader: &mut ArchiveReader<File>,
    status: &mut Status,
) -> Result<u64, Error> {
    let archive = &arguments.archive;
    let mut stdout = streams::stdout()?;
    let mut written = 0;
    let mut in_order = !archive.is_seekable();
    if !in_order && reader.index().is_err() {
        // Everything before the damage can still be read.
        reader.rewind().map_err(|error| archive.failed(error))?;
        in_order = true;
    }
    if !in_order {
        for name in &arguments.names {
            let mut entry = reader.open(name).map_err(|error| archive.failed(error))?;
            let copied = io::copy(&mut entry, &mut stdout);
            written += copied.map_err(|error| archive.failed(error.into()))?;
        }
        warn_about_index(reader);
        return Ok(written);
    }
    // Reads in the archive's order, as from a pipe, and takes the first entry of each name.
    let mut names: Vec<&[u8]> =
        arguments.names.iter().map(|name| trimmed(name.as_encoded_bytes())).collect();
    while let Some(mut entry) = reader.next_entry().map_err(|error| archive.failed(error))? {
        let Some(index) = names.iter().position(|n| *n == trimmed(entry.entry().path_bytes()))
        else {
            continue;
        };
        names.swap_remove(index);
        let copied = io::copy(&mut entry, &mut stdout);
        written += copied.map_err(|error| archive.failed(error.into()))?;
        if names.is_empty() {
            return Ok(written);
        }
    }
    for name in &names {
        status.skip(&escaped(name), "not found in the archive");
    }
    Ok(written)
}
