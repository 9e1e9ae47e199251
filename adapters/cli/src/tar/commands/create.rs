//! `tar create` and `tar append`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use uadk_compress::Level;
use uadk_compress_archive::Layout;

use super::style::style;
use crate::error::Error;
use crate::streams;
use crate::tar::archive::{Archive, layout_of};
use crate::tar::job::{Attributes, CreateJob, Lister, Operand, Order, Start, Store, WalkRules};
use crate::tar::matching::exclude::Exclude;
use crate::tar::meter::Summary;
use crate::tar::transform::Transform;

/// Creates an archive of files and directories
///
/// Without --resume, the archive is written under a temporary name and renamed when it is complete:
/// until then, an existing archive stays. On an error, Ctrl-C or SIGTERM, the temporary file is
/// removed.
#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    #[command(flatten)]
    archive: Archive,
    #[command(flatten)]
    what: What,
    /// Resume writing an interrupted archive: complete entries are kept, the torn end is cut off,
    /// and missing files are added
    ///
    /// Resumes the archive of that name or, if it is newer, the temporary file that a run without
    /// this option left next to it (.ARCHIVE.0123456789abcdef) when it was killed or the machine
    /// crashed. With this option, an archive that is interrupted by a signal or an error is kept to
    /// be resumed, under its name if there was no temporary file; for long runs, use it from the
    /// start.
    #[arg(long)]
    resume: bool,
    /// Write block gzip (BGZF), in which htslib, Hail and Spark can seek, and which an accelerator
    /// can write; many other readers read only its first block
    #[arg(long)]
    bgzf: bool,
    /// With --resume: truncate the archive where it is damaged, even if more entries may follow
    #[arg(long, requires = "resume")]
    discard_damaged: bool,
}

/// Appends files and directories to an archive
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
    /// Files and directories to add, by their names in the archive
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The directory that the paths are relative to
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// Exclude names that match; * also matches /
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<OsString>,
    /// Level: 1 to 12, 0 or `fastest` for the least CPU
    #[arg(long, value_name = "LEVEL", default_value = "6", value_parser = streams::level)]
    level: Level,
    /// Add extended attributes
    #[arg(long)]
    xattrs: bool,
    /// Report the blocks of each engine, and why the accelerator was not used
    #[arg(long)]
    stats: bool,
    /// List names as they are added
    #[arg(short, long)]
    verbose: bool,
}

impl Create {
    pub(super) fn job(self) -> Result<CreateJob, Error> {
        if self.resume && self.archive.is_dash() {
            return Err(Error::refused("a pipe can't be resumed", Some("pass a file with -f")));
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
        // Avoids "./name" in messages.
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
            summary: Summary { totals: false, stats: self.stats },
            remove_files: false,
            dry_run: false,
        }
    }
}
