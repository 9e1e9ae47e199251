//! `tar verify`.

use uadk_compress_archive::{GzWarning, Verified};

use crate::error::{self, Error};
use crate::tar::archive::Archive;
use crate::tar::meter::{Meter, Summary};
use crate::tar::status::Status;

/// Checks every member and every entry, and that index and tar agree
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: Archive,
    /// Report the blocks of each engine, and why the accelerator was not used
    #[arg(long)]
    stats: bool,
    /// Print JSON, for machines
    #[arg(long)]
    json: bool,
}

/// Runs `tar verify`.
pub(super) fn run(arguments: &Arguments) -> Result<Status, Error> {
    let archive = &arguments.archive;
    let mut meter = Meter::for_reader(Summary { totals: false, stats: arguments.stats })?;
    let mut reader = archive.reader(&meter)?;
    let verified = if archive.is_seekable() { reader.verify() } else { reader.verify_stream() };
    let verified = verified.map_err(|error| archive.failed(error))?;
    let mut status = Status::default();
    status.warn_about_archive(archive, &mut reader);
    // Without an end marker, the file may have been truncated.
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
    let found = if is_whole { "all intact" } else { "read, but with warnings" };
    let index = match (indexed, archive.is_seekable()) {
        (true, _) => "the index agrees",
        (false, true) => "no index; `uadk-compress tar index` adds one",
        (false, false) => "no index is used in a pipe",
    };
    let end = if ended { "" } else { "; no zeros at the end, as from some writers" };
    error::print(&format!("{entries} entries, {tar_len} bytes of tar: {found}; {index}{end}\n"))?;
    meter.print("read", tar_len, Some(&archive.file));
    Ok(status)
}
