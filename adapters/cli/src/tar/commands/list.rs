//! `tar list`.

use std::ffi::OsString;
use std::path::Path;

use super::style::style;
use crate::tar::archive::Archive;
use crate::tar::job::{ListJob, ListOutput, Members};
use crate::tar::matching::wanted::Wanted;
use crate::tar::meter::Told;
use crate::tar::transform::Transform;

/// Lists an archive: at once where it has an index
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: Archive,
    /// Entries to list, folders with all that is in them; all if none is given
    #[arg(value_name = "NAME")]
    names: Vec<OsString>,
    /// Permissions, owner, size, time (UTC) and the targets of links too
    #[arg(short, long)]
    verbose: bool,
    /// Say which engine did how much, and why not the other
    #[arg(long)]
    stats: bool,
    /// Print JSON, for machines; with --stats, on stderr too
    ///
    /// In `path` and `link`, what is not UTF-8 is replaced by U+FFFD. Such a name is also there byte for byte
    /// as `path_percent` or `link_percent`, with %XX for bytes as in a URL; for others these keys are missing.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn job(self) -> ListJob {
        let lines = ListOutput::Lines { style: style(self.verbose), headers: false };
        ListJob {
            archive: self.archive,
            members: Members {
                wanted: Wanted::new(&self.names, Path::new("")),
                ..Members::default()
            },
            output: if self.json { ListOutput::Json } else { lines },
            transform: Transform::default(),
            show_transformed: false,
            told: Told { totals: false, stats: self.stats },
        }
    }
}
