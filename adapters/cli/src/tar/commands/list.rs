//! `tar list`.

use std::ffi::OsString;
use std::path::Path;

use super::style::style;
use crate::tar::archive::Archive;
use crate::tar::job::{ListJob, ListOutput, Members};
use crate::tar::matching::wanted::Wanted;
use crate::tar::meter::Summary;
use crate::tar::transform::Transform;

/// Lists an archive, instantly if it has an index
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: Archive,
    /// Entries to list, directories with their contents (default: all)
    #[arg(value_name = "NAME")]
    names: Vec<OsString>,
    /// Also list permissions, owner, size, time (UTC) and link targets
    #[arg(short, long)]
    verbose: bool,
    /// Report the blocks of each engine, and why the accelerator was not used
    #[arg(long)]
    stats: bool,
    /// Print JSON, for machines; with --stats, also to stderr
    ///
    /// In `path` and `link`, bytes that are not UTF-8 are replaced by U+FFFD. The exact bytes of
    /// such a name are in `path_percent` or `link_percent`, percent-encoded as in a URL; for other
    /// names these keys are missing.
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
            summary: Summary { totals: false, stats: self.stats },
        }
    }
}
