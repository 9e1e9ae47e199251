//! What there is to do, however it was asked for.

use std::path::PathBuf;

use uadk_compress::Level;
use uadk_compress_archive::{Existing, Layout, ModeChange};

use super::archive::Archive;
use super::long::Style;
use super::matching::exclude::Exclude;
use super::matching::tags::Tag;
use super::matching::wanted::Wanted;
use super::meter::Told;
use super::times::Time;
use super::transform::Transform;

/// Where names go that a command lists while it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lister {
    Nowhere,
    Stdout,
    Stderr,
}

/// A file or folder to add.
#[derive(Debug)]
pub(super) struct Operand {
    /// The folder that the name is in.
    pub(super) folder: PathBuf,
    pub(super) name: Vec<u8>,
    /// Whether a folder is added with what is in it.
    pub(super) recurse: bool,
}

/// Makes an archive, or adds to one.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Options of the command line, one each.
pub(super) struct CreateJob {
    pub(super) archive: Archive,
    pub(super) start: Start,
    pub(super) level: Level,
    /// How a new archive is laid out.
    /// Of gzip.
    pub(super) layout: Layout,
    /// Plain tar is made, and no gzip.
    pub(super) plain: bool,
    pub(super) operands: Vec<Operand>,
    pub(super) walk: WalkRules,
    pub(super) store: Store,
    pub(super) transform: Transform,
    pub(super) lister: Lister,
    pub(super) style: Style,
    /// List names as they are stored, not as they are on disk.
    pub(super) show_stored: bool,
    pub(super) told: Told,
    pub(super) remove_files: bool,
    /// Only say what would be done.
    pub(super) dry_run: bool,
}

/// What an archive that is written starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Nothing.
    New,
    /// What is left of an interrupted run.
    Resume { discard_damaged: bool },
    /// A whole archive; with `create` it may be missing.
    Append { create: bool },
    /// As with `Append`, and only files are added that are newer than in the archive.
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
    /// Names that lead out of the folder are an error, instead of being cut.
    pub(super) refuse_parents: bool,
    pub(super) ignore_failed_read: bool,
}

/// The order of what is in a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    #[default]
    Name,
    Inode,
    /// Any: that of names is one.
    None,
}

/// Files that are older are left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newer {
    pub(super) than: Time,
    /// A later change of owner or permissions counts too.
    pub(super) or_changed: bool,
}

/// What is stored of a file.
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
    /// The time that a file gets that has that one on disk.
    pub(super) fn mtime_of(&self, own: Time) -> Option<Time> {
        self.mtime.filter(|mtime| !mtime.clamp || own > mtime.time).map(|mtime| mtime.time)
    }
}

/// The time that files get.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mtime {
    pub(super) time: Time,
    /// Only those that are later.
    pub(super) clamp: bool,
}

/// The owner or group that files get.
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

/// Puts what is in an archive on disk.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Options of the command line, one each.
pub(super) struct ExtractJob {
    pub(super) archive: Archive,
    pub(super) members: Members,
    pub(super) folder: PathBuf,
    pub(super) restore: Restore,
    pub(super) transform: Transform,
    pub(super) to_stdout: bool,
    /// Files on disk stay that are not older.
    pub(super) keep_newer: bool,
    pub(super) lister: Lister,
    pub(super) style: Style,
    pub(super) show_transformed: bool,
    pub(super) told: Told,
    pub(super) dry_run: bool,
}

/// Which members of an archive.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) wanted: Wanted,
    pub(super) exclude: Exclude,
    pub(super) newer: Option<Newer>,
    pub(super) ignore_zeros: bool,
}

/// What files on disk get from an archive, and what becomes of those that are there.
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
    pub(super) told: Told,
}

/// How an archive is listed.
#[derive(Clone, Copy, Debug)]
pub(super) enum ListOutput {
    Json,
    Lines {
        style: Style,
        /// Read the headers: an index does not have names of owners and parts of seconds.
        headers: bool,
    },
}

/// Compares an archive with what is on disk.
#[derive(Debug)]
pub(super) struct CompareJob {
    pub(super) archive: Archive,
    pub(super) members: Members,
    pub(super) folder: PathBuf,
    pub(super) transform: Transform,
    pub(super) verbose: bool,
    pub(super) style: Style,
    pub(super) told: Told,
}
