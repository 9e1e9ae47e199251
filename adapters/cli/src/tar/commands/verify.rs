//! `tar verify`.

use uadk_compress_archive::{GzWarning, Verified};

use crate::error::{self, Error};
use crate::tar::archive::Archive;
use crate::tar::meter::{Meter, Told};
use crate::tar::status::Status;

/// Checks every member, every entry, and that index and tar agree
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: Archive,
    /// Say which engine did how much, and why not the other
    #[arg(long)]
    stats: bool,
    /// Print JSON, for machines
    #[arg(long)]
    json: bool,
}

/// Runs `tar verify`.
pub(super) fn run(arguments: &Arguments) -> Result<Status, Error> {
    let archive = &arguments.archive;
    let mut meter = Meter::of_reader(Told { totals: false, stats: arguments.stats })?;
    let mut reader = archive.reader(&meter)?;
    let verified = if archive.is_seekable() { reader.verify() } else { reader.verify_stream() };
    let verified = verified.map_err(|error| archive.failed(error))?;
    let mut status = Status::default();
    status.warn_of_archive(archive, &mut reader);
    // A file that may have been cut off is not what it should be.
    status.warned |= reader.gz_warnings().contains(&GzWarning::NoEndMarker);
    meter.count(&reader);
    let Verified { entries, tar_len, indexed, ended, .. } = verified;
    let is_whole = !status.warned;
    if arguments.json {
        let mut object = serde_json::json!({
            "entries": entries, "tar_bytes": tar_len, "indexed": indexed, "ended": ended,
            "whole": is_whole,
        });
        if let Some(stats) = meter.json() {
            object["stats"] = stats;
        }
        error::print(&format!("{object}\n"))?;
        return Ok(status);
    }
    let found = if is_whole { "all whole" } else { "read, and not all is as it should be" };
    let index = match (indexed, archive.is_seekable()) {
        (true, _) => "the index agrees with them",
        (false, true) => "there is no index; `uadk-compress tar index` makes one",
        (false, false) => "an index was not looked for, in a pipe",
    };
    let end = if ended { "" } else { "; the zeros at the end are missing, which some writers do" };
    error::print(&format!("{entries} entries, {tar_len} bytes of tar: {found}; {index}{end}\n"))?;
    meter.print("read", tar_len, Some(&archive.file));
    Ok(status)
}
