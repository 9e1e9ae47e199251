//! The settings on a command line.

use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::path::{Path, PathBuf};

use uadk_compress::Level;
use uadk_compress_archive::{Existing, ModeChange};

use super::super::job::{Attributes, Mtime, Newer, Order, Owner};
use super::super::matching::exclude::Exclude;
use super::super::matching::glob::Flags;
use super::super::matching::tags::{Extent, Tag};
use super::super::meter::Summary;
use super::super::names::Quoting;
use super::super::times::{self, Format, Time};
use super::super::transform::Transform;
use super::getopt::Event;
use super::names::Names;
use super::options::{Id, Option as Known};
use super::owners;
use super::usage::Usage;
use crate::{size, streams};

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Create,
    Append,
    Update,
    List,
    Extract,
    Compare,
    Help,
    Version,
}

impl Operation {
    fn from_id(id: Id) -> Option<Self> {
        Some(match id {
            Id::Create => Self::Create,
            Id::Append => Self::Append,
            Id::Update => Self::Update,
            Id::List => Self::List,
            Id::Extract => Self::Extract,
            Id::Compare => Self::Compare,
            Id::Help => Self::Help,
            Id::Version => Self::Version,
            _ => return None,
        })
    }
}

/// The settings on a command line.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // Options of the command line, one each.
pub(super) struct Settings {
    pub(super) operation: Option<Operation>,
    pub(super) file: Option<PathBuf>,
    pub(super) gzip: bool,
    pub(super) auto_compress: bool,
    pub(super) memory_limit: Option<usize>,
    pub(super) threads: Option<usize>,
    pub(super) level: Option<Level>,
    pub(super) names: Names,
    pub(super) exclude: Exclude,
    pub(super) tags: Vec<Tag>,
    pub(super) newer: Option<Newer>,
    pub(super) occurrence: Option<u64>,
    pub(super) one_file_system: bool,
    pub(super) order: Order,
    pub(super) ignore_failed_read: bool,
    pub(super) ignore_zeros: bool,
    pub(super) existing: Existing,
    pub(super) keep_newer: bool,
    pub(super) keep_directory_symlink: bool,
    /// A directory for all members; empty for one named after the archive.
    pub(super) one_top_level: Option<OsString>,
    pub(super) to_stdout: bool,
    pub(super) permissions: Option<bool>,
    pub(super) same_owner: Option<bool>,
    pub(super) touch: bool,
    pub(super) transform: Transform,
    pub(super) max_size: Option<u64>,
    pub(super) dereference: bool,
    pub(super) hard_dereference: bool,
    pub(super) sparse: bool,
    pub(super) remove_files: bool,
    mtime: Option<Time>,
    clamp_mtime: bool,
    pub(super) owner: Option<Owner>,
    pub(super) group: Option<Owner>,
    pub(super) mode: Option<ModeChange>,
    pub(super) numeric_owner: bool,
    old_compatible: bool,
    pub(super) attributes: Attributes,
    pub(super) verbose: usize,
    pub(super) summary: Summary,
    pub(super) bgzf: bool,
    pub(super) dry_run: bool,
    pub(super) show_transformed: bool,
    pub(super) times: Format,
    pub(super) quoting: Quoting,
    /// The option for a compression format that is not gzip.
    other_format: Option<String>,
}

impl Settings {
    /// Applies the options and operands in order.
    pub(super) fn new(events: &[Event]) -> Result<Self, Usage> {
        let file = std::env::var_os("TAPE").map(PathBuf::from);
        let mut settings = Self { file, ..Self::default() };
        for event in events {
            match event {
                Event::Operand(name) => settings.names.push(name.as_encoded_bytes()),
                Event::Option(option, value) => {
                    settings.apply(option, value.as_deref().unwrap_or_default())?;
                }
            }
        }
        settings.check()?;
        Ok(settings)
    }

    /// Returns the time to set for added files.
    pub(super) fn mtime(&self) -> Option<Mtime> {
        self.mtime.map(|time| Mtime { time, clamp: self.clamp_mtime })
    }

    fn check(&self) -> Result<(), Usage> {
        if self.clamp_mtime && self.mtime.is_none() {
            return Err(Usage::meaning("--clamp-mtime requires --mtime"));
        }
        if self.occurrence.is_some() && self.names.all.is_empty() {
            return Err(Usage::meaning("--occurrence requires member names"));
        }
        let writes = matches!(
            self.operation,
            Some(Operation::Create | Operation::Append | Operation::Update)
        );
        if writes && let Some(option) = &self.other_format {
            return Err(Usage::meaning(format!(
                "{option}: can only be read; archives are written as gzip (-z) or plain tar"
            )));
        }
        if writes && self.old_compatible {
            return Err(Usage::meaning("-o: writing V7 archives is not supported"));
        }
        Ok(())
    }

    fn apply(&mut self, option: &Known, value: &OsStr) -> Result<(), Usage> {
        let bad = |reason: &dyn Display| Usage::meaning(format!("{option}: {reason}"));
        let text = value.to_string_lossy();
        let bytes = value.as_encoded_bytes();
        if let Some(operation) = Operation::from_id(option.id) {
            return self.set_operation(operation);
        }
        match option.id {
            Id::File => self.file = Some(value.into()),
            Id::IgnoreZeros => self.ignore_zeros = true,
            Id::OtherFormat => self.other_format = Some(option.to_string()),
            Id::Level => self.level = Some(streams::level(&text).map_err(|e| bad(&e))?),
            Id::MemoryLimit => self.memory_limit = Some(size::parse(&text).map_err(|w| bad(&w))?),
            Id::Threads => self.threads = Some(streams::threads(&text).map_err(|e| bad(&e))?),

            Id::Directory => self.names.change_folder(Path::new(value)),
            Id::AddFile => self.names.push(bytes),
            Id::FilesFrom => self.names.push_file(Path::new(value))?,
            Id::Null => (self.names.null, self.names.verbatim) = (true, true),
            Id::NoNull => self.names.null = false,
            Id::Verbatim => self.names.verbatim = true,
            Id::NoVerbatim => self.names.verbatim = false,
            Id::Unquote => self.names.unquote = true,
            Id::NoUnquote => self.names.unquote = false,
            Id::Recursion => self.names.recurse = true,
            Id::NoRecursion => self.names.recurse = false,

            Id::Exclude => self.exclude.push(bytes, self.exclude_flags()),
            Id::ExcludeFrom => {
                let flags = self.exclude_flags();
                self.exclude.push_file(Path::new(value), flags).map_err(|e| bad(&e))?;
            }
            Id::ExcludeVcs => self.exclude.push_vcs(),
            Id::ExcludeBackups => self.exclude.push_backups(),
            Id::ExcludeCaches => self.tags.push(Tag::cache(Extent::Contents)),
            Id::ExcludeCachesUnder => self.tags.push(Tag::cache(Extent::Under)),
            Id::ExcludeCachesAll => self.tags.push(Tag::cache(Extent::All)),
            Id::ExcludeTag => self.tags.push(Tag::named(value, Extent::Contents)),
            Id::ExcludeTagUnder => self.tags.push(Tag::named(value, Extent::Under)),
            Id::ExcludeTagAll => self.tags.push(Tag::named(value, Extent::All)),
            Id::Newer | Id::NewerMtime => {
                let than = times::parse(&text).map_err(|e| bad(&e))?;
                self.newer = Some(Newer { than, or_changed: option.id == Id::Newer });
            }
            Id::Occurrence => {
                let number = if text.is_empty() { Ok(1) } else { text.parse() };
                self.occurrence = Some(number.map_err(|e| bad(&e))?);
            }
            Id::StripComponents => {
                self.transform.strip = text.parse().map_err(|e| bad(&e))?;
            }
            Id::Transform => self.transform.push(bytes).map_err(|e| bad(&e))?,
            Id::MaxSize => {
                self.max_size = Some(size::parse(&text).map_err(|e| bad(&e))? as u64);
            }
            Id::OneTopLevel => self.one_top_level = Some(value.into()),
            Id::Sort => {
                self.order = match &*text {
                    "name" => Order::Name,
                    "inode" => Order::Inode,
                    "none" => Order::None,
                    _ => return Err(bad(&"must be name, inode or none")),
                }
            }
            Id::Mtime => self.mtime = Some(times::parse(&text).map_err(|e| bad(&e))?),
            Id::Owner => {
                self.owner = Some(owners::parse(&text, "/etc/passwd").map_err(|e| bad(&e))?);
            }
            Id::Group => {
                self.group = Some(owners::parse(&text, "/etc/group").map_err(|e| bad(&e))?);
            }
            Id::Mode => self.mode = Some(text.parse().map_err(|e| bad(&e))?),
            Id::Format if matches!(&*text, "gnu" | "pax" | "posix") => {}
            Id::Format => return Err(bad(&"must be gnu, pax or posix")),
            Id::PaxOption => {
                let known = |item: &str| matches!(item, "delete=atime" | "delete=ctime");
                if !text.split(',').all(known) {
                    return Err(bad(&"only delete=atime and delete=ctime are supported"));
                }
            }
            Id::XattrsInclude => {
                self.attributes.xattrs = true;
                self.attributes.include.push(text.into_owned());
            }
            Id::XattrsExclude => {
                self.attributes.xattrs = true;
                self.attributes.exclude.push(text.into_owned());
            }
            Id::Totals if text.is_empty() => self.summary.totals = true,
            Id::Totals => return Err(bad(&"totals on a signal are not supported")),
            Id::QuotingStyle => {
                self.quoting = match &*text {
                    "escape" => Quoting::Escape,
                    "literal" => Quoting::Literal,
                    _ => return Err(bad(&"must be escape or literal")),
                }
            }
            Id::Unsupported => {
                return Err(Usage::meaning(format!("option {option} is not supported")));
            }
            _ => self.set(option.id),
        }
        Ok(())
    }

    /// Applies an option without a value.
    fn set(&mut self, id: Id) {
        let matching = &mut self.names.matching;
        match id {
            Id::Gzip => self.gzip = true,
            Id::AutoCompress => self.auto_compress = true,
            Id::NoAutoCompress => self.auto_compress = false,
            Id::OneFileSystem => self.one_file_system = true,
            Id::IgnoreFailedRead => self.ignore_failed_read = true,
            Id::Anchored => matching.anchored = Some(true),
            Id::NoAnchored => matching.anchored = Some(false),
            Id::IgnoreCase => matching.ignore_case = true,
            Id::NoIgnoreCase => matching.ignore_case = false,
            Id::Wildcards => matching.wildcards = Some(true),
            Id::NoWildcards => matching.wildcards = Some(false),
            Id::MatchSlash => matching.match_slash = true,
            Id::NoMatchSlash => matching.match_slash = false,
            Id::KeepOld => self.existing = Existing::Keep,
            Id::SkipOld => self.existing = Existing::Skip,
            Id::Overwrite => self.existing = Existing::Overwrite,
            Id::UnlinkFirst => self.existing = Existing::UnlinkFirst,
            Id::KeepNewer => self.keep_newer = true,
            Id::KeepDirectorySymlink => self.keep_directory_symlink = true,
            Id::ToStdout => self.to_stdout = true,
            Id::Permissions => self.permissions = Some(true),
            Id::NoPermissions => self.permissions = Some(false),
            Id::SameOwner => self.same_owner = Some(true),
            Id::NoSameOwner => self.same_owner = Some(false),
            Id::OldCompatible => {
                self.old_compatible = true;
                self.same_owner = Some(false);
            }
            Id::Touch => self.touch = true,
            Id::Dereference => self.dereference = true,
            Id::HardDereference => self.hard_dereference = true,
            Id::Sparse => self.sparse = true,
            Id::RemoveFiles => self.remove_files = true,
            Id::ClampMtime => self.clamp_mtime = true,
            Id::NumericOwner => self.numeric_owner = true,
            Id::Acls => self.attributes.acls = true,
            Id::NoAcls => self.attributes.acls = false,
            Id::Selinux => self.attributes.selinux = true,
            Id::NoSelinux => self.attributes.selinux = false,
            Id::Xattrs => self.attributes.xattrs = true,
            Id::NoXattrs => self.attributes.xattrs = false,
            Id::Verbose => self.verbose += 1,
            Id::Stats => self.summary.stats = true,
            Id::Bgzf => self.bgzf = true,
            Id::DryRun => self.dry_run = true,
            Id::ShowTransformed => self.show_transformed = true,
            Id::FullTime => self.times.full = true,
            Id::Utc => self.times.utc = true,
            // Options without effect, and options that `apply` handles.
            _ => {}
        }
    }

    fn set_operation(&mut self, operation: Operation) -> Result<(), Usage> {
        let informs = |operation| matches!(operation, Operation::Help | Operation::Version);
        match self.operation {
            Some(earlier) if informs(earlier) => Ok(()),
            Some(other) if other != operation && !informs(operation) => {
                Err(Usage::meaning("you may specify only one of -c, -d, -r, -t, -u and -x"))
            }
            _ => {
                self.operation = Some(operation);
                Ok(())
            }
        }
    }

    fn exclude_flags(&self) -> Flags {
        self.names.matching.flags(Flags::EXCLUDE, self.names.recurse)
    }
}
