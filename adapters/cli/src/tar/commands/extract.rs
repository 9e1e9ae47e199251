//! `tar extract`.

use std::ffi::OsString;
use std::path::PathBuf;

use uadk_compress_archive::Existing;

use super::style::style;
use crate::size;
use crate::tar::archive::Archive;
use crate::tar::job::{Attributes, ExtractJob, Lister, Members, Restore};
use crate::tar::matching::exclude::Exclude;
use crate::tar::matching::wanted::Wanted;
use crate::tar::meter::Summary;
use crate::tar::transform::Transform;

/// Extracts an archive, or parts of it, into a directory and nowhere else
///
/// A leading / is removed from names; names that contain .. are refused, and nothing is written
/// through symbolic links.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools)] // Flags of the command line.
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: Archive,
    /// Entries to extract, directories with their contents (default: all)
    #[arg(value_name = "NAME")]
    names: Vec<OsString>,
    /// The directory to extract into
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// Exclude names that match; * also matches /
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<OsString>,
    /// Restore permissions exactly, including setuid, setgid and sticky bits
    #[arg(short = 'p', long, visible_alias = "same-permissions")]
    preserve_permissions: bool,
    /// Restore owner and group, by number
    #[arg(long)]
    same_owner: bool,
    /// Restore extended attributes (the user namespace)
    #[arg(long)]
    xattrs: bool,
    /// Don't replace existing files
    #[arg(short, long)]
    keep_old_files: bool,
    /// Stop before extracting more than this, holes included
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    max_size: Option<usize>,
    /// Report the blocks of each engine, and why the accelerator was not used
    #[arg(long)]
    stats: bool,
    /// List names as they are extracted
    #[arg(short, long)]
    verbose: bool,
}

impl Arguments {
    pub(super) fn job(self) -> ExtractJob {
        let members = Members {
            wanted: Wanted::new(&self.names, &self.directory),
            exclude: Exclude::new(&self.exclude),
            ..Members::default()
        };
        ExtractJob {
            archive: self.archive,
            members,
            folder: self.directory,
            restore: Restore {
                permissions: self.preserve_permissions,
                owner: self.same_owner,
                numeric_owner: true,
                attributes: Attributes { xattrs: self.xattrs, ..Attributes::default() },
                existing: if self.keep_old_files { Existing::Keep } else { Existing::Replace },
                max_size: self.max_size.map(|size| size as u64),
                ..Restore::default()
            },
            transform: Transform::default(),
            to_stdout: false,
            keep_newer: false,
            lister: if self.verbose { Lister::Stderr } else { Lister::Nowhere },
            style: style(false),
            show_transformed: false,
            summary: Summary { totals: false, stats: self.stats },
            dry_run: false,
        }
    }
}
