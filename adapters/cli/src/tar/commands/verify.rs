//! `tar verify`.

use uadk_compress_archive::Verified;

use crate::error::{self, Error};
use crate::tar::archive::Archive;
use crate::tar::status::Status;

/// Checks every member, every entry, and that index and tar agree
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: Archive,
    /// Print JSON, for machines
    #[arg(long)]
    json: bool,
}

/// Runs `tar verify`.
pub(super) fn run(arguments: &Arguments) -> Result<Status, Error> {
    let archive = &arguments.archive;
    let mut reader = archive.reader()?;
    let verified = if archive.is_seekable() { reader.verify() } else { reader.verify_stream() };
    let verified = verified.map_err(|error| archive.failed(error))?;
    let Verified { entries, tar_len, indexed, ended, .. } = verified;
    let text = if arguments.json {
        format!(
            "{}\n",
            serde_json::json!({
                "entries": entries, "tar_bytes": tar_len, "indexed": indexed, "ended": ended,
            })
        )
    } else {
        let index = match (indexed, archive.is_seekable()) {
            (true, _) => "the index agrees with them",
            (false, true) => "there is no index; `uadk-compress tar index` makes one",
            (false, false) => "an index was not looked for, in a pipe",
        };
        let end =
            if ended { "" } else { "; the zeros at the end are missing, which some writers do" };
        format!("{entries} entries, {tar_len} bytes of tar: all whole; {index}{end}\n")
    };
    error::print(&text)?;
    let mut status = Status::default();
    status.warn(reader.take_warnings());
    Ok(status)
}
