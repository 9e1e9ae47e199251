//! The jobs that both front ends create.

use std::path::PathBuf;

use uadk_compress::Level;
use uadk_compress_archive::{Existing, Layout, ModeChange};

use super::archive::Archive;
use super::long::Style;
use super::matching::exclude::Exclude;
use super::matching::tags::Tag;
use super::matching::wanted::Wanted;
use super::meter::Summary;
use super::times::Time;
use super::transform::Transform;

/// Where a command lists names while it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lister {
    Nowhere,
    Stdout,
    Stderr,
}

/// A file or directory to add.
#[derive(Debug)]
pub(super) struct Operand {
    /// The directory that the name is relative to.
    pub(super) folder: PathBuf,
    pub(super) name: Vec<u8>,
    /// Whether a directory is added with its contents.
    pub(super) recurse: bool,
}

/// Creates an archive, or appends to one.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Options of the command line, one each.
pub(super) struct CreateJob {
    pub(super) archive: Archive,
    pub(super) start: Start,
    pub(super) level: Level,
    /// The gzip layout of a new archive.
    pub(super) layout: Layout,
    /// Write plain tar instead of gzip.
    pub(super) plain: bool,
    pub(super) operands: Vec<Operand>,
    pub(super) walk: WalkRules,
    pub(super) store: Store,
    pub(super) transform: Transform,
    pub(super) lister: Lister,
    pub(super) style: Style,
    /// List names as stored, not as on disk.
    pub(super) show_stored: bool,
    pub(super) summary: Summary,
    pub(super) remove_files: bool,
    /// Only show what would be done.
    pub(super) dry_run: bool,
}

/// The state that writing an archive starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// A new archive.
    New,
    /// The rest of an interrupted run.
    Resume { discard_damaged: bool },
    /// A complete archive; with `create` it may be missing.
    Append { create: bool },
    /// Like `Append`, but adds only files that are newer than their copy in the archive.
    Update,
}

/// Which files are added.
#[derive(Debug)]
pub(super) struct WalkRules {
    pub(super) exclude: Exclude,
    pub(super) tags: Vec<Tag>,
    pub(super) newer: Option<Newer>,
    pub(super) one_file_system: bool,
    pub(super) order: Order,
    /// Names that lead out of the directory are an error instead of being cut.
    pub(super) refuse_parents: bool,
    pub(super) ignore_failed_read: bool,
}

/// The order of the files in a directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    #[default]
    Name,
    Inode,
    /// Any order, such as that of names.
    None,
}

/// Excludes older files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newer {
    pub(super) than: Time,
    /// A later change of owner or permissions counts, too.
    pub(super) or_changed: bool,
}

/// What to store about a file.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // Options of the command line, one each.
pub(super) struct Store {
    pub(super) sparse: bool,
    pub(super) attributes: Attributes,
    pub(super) dereference: bool,
    pub(super) hard_dereference: bool,
    pub(super) mtime: Option<Mtime>,
    pub(super) owner: Option<Owner>,
    pub(super) group: Option<Owner>,
    pub(super) numeric_owner: bool,
    pub(super) mode: Option<ModeChange>,
}

impl Store {
    /// Returns the time to store instead of the file's own.
    pub(super) fn mtime_of(&self, own: Time) -> Option<Time> {
        self.mtime.filter(|mtime| !mtime.clamp || own > mtime.time).map(|mtime| mtime.time)
    }
}

/// The time to store for added files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mtime {
    pub(super) time: Time,
    /// Only for files with a later time.
    pub(super) clamp: bool,
}

/// The owner or group to store for added files.
#[derive(Clone, Debug, Default)]
pub(super) struct Owner {
    pub(super) name: Option<String>,
    pub(super) number: Option<u64>,
}

/// Extended attributes.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // Options of the command line, one each.
pub(super) struct Attributes {
    pub(super) acls: bool,
    pub(super) selinux: bool,
    pub(super) xattrs: bool,
    pub(super) include: Vec<String>,
    pub(super) exclude: Vec<String>,
}

/// Extracts an archive.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Options of the command line, one each.
pub(super) struct ExtractJob {
    pub(super) archive: Archive,
    pub(super) members: Members,
    pub(super) folder: PathBuf,
    pub(super) restore: Restore,
    pub(super) transform: Transform,
    pub(super) to_stdout: bool,
    /// Keep existing files that are not older.
    pub(super) keep_newer: bool,
    pub(super) lister: Lister,
    pub(super) style: Style,
    pub(super) show_transformed: bool,
    pub(super) summary: Summary,
    pub(super) dry_run: bool,
}

/// The selected members.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) wanted: Wanted,
    pub(super) exclude: Exclude,
    pub(super) newer: Option<Newer>,
    pub(super) ignore_zeros: bool,
}

/// The metadata to restore, and how to treat existing files.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // Options of the command line, one each.
pub(super) struct Restore {
    pub(super) permissions: bool,
    pub(super) owner: bool,
    pub(super) numeric_owner: bool,
    pub(super) attributes: Attributes,
    pub(super) touch: bool,
    pub(super) existing: Existing,
    pub(super) keep_directory_symlink: bool,
    pub(super) max_size: Option<u64>,
}

/// Lists an archive.
#[derive(Debug)]
pub(super) struct ListJob {
    pub(super) archive: Archive,
    pub(super) members: Members,
    pub(super) output: ListOutput,
    pub(super) transform: Transform,
    pub(super) show_transformed: bool,
    pub(super) summary: Summary,
}

/// The format of a listing.
#[derive(Clone, Copy, Debug)]
pub(super) enum ListOutput {
    Json,
    Lines {
        style: Style,
        /// Read the headers: an index has neither the names of owners nor fractions of seconds.
        headers: bool,
    },
}

/// Compares an archive with the files on disk.
#[derive(Debug)]
pub(super) struct CompareJob {
    pub(super) archive: Archive,
    pub(super) members: Members,
    pub(super) folder: PathBuf,
    pub(super) transform: Transform,
    pub(super) verbose: bool,
    pub(super) style: Style,
    pub(super) summary: Summary,
}
