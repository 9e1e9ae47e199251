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
use crate::tar::meter::Told;
use crate::tar::transform::Transform;

/// Extracts an archive, or some of it, into a folder and nowhere else
///
/// A / before names is removed; names that have .. in them are refused, and nothing is written through symbolic links.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools)] // Flags of the command line.
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: Archive,
    /// Entries to extract, folders with all that is in them; all if none is given
    #[arg(value_name = "NAME")]
    names: Vec<OsString>,
    /// The folder to extract into
    #[arg(short = 'C', long, value_name = "FOLDER", default_value = ".")]
    directory: PathBuf,
    /// Leave out names that match; * stands for / too
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<OsString>,
    /// Give files exactly their permissions, with setuid, setgid and sticky bits
    #[arg(short = 'p', long, visible_alias = "same-permissions")]
    preserve_permissions: bool,
    /// Give files their owner and group, by number
    #[arg(long)]
    same_owner: bool,
    /// Set extended attributes (those of users)
    #[arg(long)]
    xattrs: bool,
    /// Replace no files
    #[arg(short, long)]
    keep_old_files: bool,
    /// Stop before more than this would be extracted, holes included
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    max_size: Option<usize>,
    /// Say which engine did how much, and why not the other
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
            told: Told { totals: false, stats: self.stats },
            dry_run: false,
        }
    }
}
