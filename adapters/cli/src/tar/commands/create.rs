//! `tar create` and `tar append`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use uadk_compress::Level;
use uadk_compress_archive::Layout;

use super::style;
use crate::error::Error;
use crate::streams;
use crate::tar::archive::{Archive, layout_of};
use crate::tar::job::{Attributes, CreateJob, Lister, Operand, Order, Start, Store, WalkRules};
use crate::tar::matching::exclude::Exclude;
use crate::tar::meter::Told;
use crate::tar::transform::Transform;

/// Makes an archive of files and folders
///
/// Without --resume, the archive is written beside its place and gets its name when it is whole: until then,
/// an archive that is there stays. On an error, Ctrl-C or SIGTERM what was written is removed.
#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    #[command(flatten)]
    archive: Archive,
    #[command(flatten)]
    what: What,
    /// Go on where making this archive was interrupted: its whole entries stay as they are, its torn
    /// end is cut off, and what is missing is added
    ///
    /// That is the archive of that name, or if there is one that is newer, what a run without this option left
    /// beside it (as .ARCHIVE.0123456789abcdef) when it was killed or the machine crashed. With this option, an
    /// archive that is interrupted by a signal or an error stays to be resumed, under its name if nothing
    /// was left; give it from the beginning for what takes long.
    #[arg(long)]
    resume: bool,
    /// Write block gzip (BGZF), in which htslib, Hail and Spark seek, and which an accelerator makes; many other
    /// readers take its first block for the whole file
    #[arg(long)]
    bgzf: bool,
    /// With --resume: cut the archive off where it is damaged, even if more entries may follow there
    #[arg(long, requires = "resume")]
    discard_damaged: bool,
}

/// Adds files and folders to the end of an archive
#[derive(Debug, clap::Args)]
pub(crate) struct Append {
    #[command(flatten)]
    archive: Archive,
    #[command(flatten)]
    what: What,
}

#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools)] // Flags of the command line.
struct What {
    /// Files and folders to add, by the names that they get in the archive
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The folder that the paths are in
    #[arg(short = 'C', long, value_name = "FOLDER", default_value = ".")]
    directory: PathBuf,
    /// Leave out names that match; * stands for / too
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<OsString>,
    /// Level: 1 to 12, 0 or `fastest` for the least CPU
    #[arg(long, value_name = "LEVEL", default_value = "6", value_parser = streams::level)]
    level: Level,
    /// Add extended attributes
    #[arg(long)]
    xattrs: bool,
    /// Say which engine did how much, and why not the other
    #[arg(long)]
    stats: bool,
    /// List names as they are added
    #[arg(short, long)]
    verbose: bool,
}

impl Create {
    pub(super) fn job(self) -> Result<CreateJob, Error> {
        if self.resume && self.archive.is_dash() {
            return Err(Error::refused("a pipe can't be resumed", Some("give a file with -f")));
        }
        let resume = Start::Resume { discard_damaged: self.discard_damaged };
        let start = if self.resume { resume } else { Start::New };
        Ok(self.what.job(self.archive, start, layout_of(self.bgzf)))
    }
}

impl Append {
    pub(super) fn job(self) -> CreateJob {
        self.what.job(self.archive, Start::Append { create: false }, Layout::OneMember)
    }
}

impl What {
    fn job(self, archive: Archive, start: Start, layout: Layout) -> CreateJob {
        // Not "./name" in what is said of a file.
        let folder =
            if self.directory.as_os_str() == "." { PathBuf::new() } else { self.directory };
        let operands = self.paths.into_iter().map(|path| Operand {
            folder: folder.clone(),
            name: path.into_os_string().into_vec(),
            recurse: true,
        });
        CreateJob {
            archive,
            start,
            level: self.level,
            layout,
            plain: false,
            operands: operands.collect(),
            walk: WalkRules {
                exclude: Exclude::new(&self.exclude),
                tags: Vec::new(),
                newer: None,
                one_file_system: false,
                order: Order::Name,
                refuse_parents: true,
                ignore_failed_read: false,
            },
            store: Store {
                attributes: Attributes { xattrs: self.xattrs, ..Attributes::default() },
                ..Store::default()
            },
            transform: Transform::default(),
            lister: if self.verbose { Lister::Stderr } else { Lister::Nowhere },
            style: style(false),
            show_stored: true,
            told: Told { totals: false, stats: self.stats },
            remove_files: false,
            dry_run: false,
        }
    }
}
