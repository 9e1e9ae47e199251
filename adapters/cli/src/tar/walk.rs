//! The files and folders to add.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{Mode, OFlags};

use super::job::{Newer, Operand, Order, WalkRules};
use super::matching::tags::{Extent, Tag};
use super::names::{escaped, without_slash};
use super::status::Status;
use crate::error::Error;

/// A path of this length is opened as a folder: the kernel takes no path of 4096 bytes.
const LONG: usize = 3500;

/// Gets each file and folder.
pub(super) trait Visitor {
    /// `name` is the path as the user wrote it, with what is below it.
    fn visit(
        &mut self,
        status: &mut Status,
        disk: &Path,
        name: &[u8],
        metadata: &Metadata,
    ) -> Result<(), Error>;
}

/// A walk through files and folders.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    pub(super) rules: &'a WalkRules,
    /// Whether symbolic links are followed.
    pub(super) follow: bool,
    /// The archive itself, which is not added to itself.
    pub(super) own: Option<(u64, u64)>,
    pub(super) status: Status,
}

/// Where something is on disk.
#[derive(Clone, Debug)]
struct Place {
    path: PathBuf,
    /// The folder that the path begins at, if it would be too long otherwise.
    base: Option<Rc<OwnedFd>>,
}

impl Place {
    fn child(&self, name: &OsString) -> Self {
        let base = if self.path.as_os_str().len() < LONG { None } else { self.opened() };
        match base {
            Some(base) => {
                let path = PathBuf::from(format!("/proc/self/fd/{}", base.as_raw_fd())).join(name);
                Self { path, base: Some(Rc::new(base)) }
            }
            None => Self { path: self.path.join(name), base: self.base.clone() },
        }
    }

    fn opened(&self) -> Option<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(&self.path, flags, Mode::empty()).ok()
    }
}

impl Walk<'_> {
    /// Visits what was named, and all that is below it.
    pub(super) fn operand(
        &mut self,
        operand: &Operand,
        visitor: &mut impl Visitor,
    ) -> Result<(), Error> {
        let name = without_slash(&operand.name);
        let path = operand.folder.join(OsString::from_vec(name.to_vec()));
        let place = Place { path, base: None };
        self.visit(&place, name, None, operand.recurse, visitor)
    }

    fn visit(
        &mut self,
        place: &Place,
        name: &[u8],
        parent_device: Option<u64>,
        recurse: bool,
        visitor: &mut impl Visitor,
    ) -> Result<(), Error> {
        if self.rules.exclude.matches(name) {
            return Ok(());
        }
        let disk = &place.path;
        let metadata = if self.follow { disk.metadata() } else { disk.symlink_metadata() };
        let metadata = match metadata {
            Ok(metadata) => metadata,
            Err(error) => {
                self.unreadable(name, "it can't be read", &error);
                return Ok(());
            }
        };
        if self.own == Some((metadata.dev(), metadata.ino())) {
            eprintln!("uadk-compress: {}: is the archive; left out", escaped(name));
            return Ok(());
        }
        let is_folder = metadata.is_dir();
        let old = self.rules.newer.is_some_and(|newer| newer.excludes_file(&metadata));
        if old && !is_folder {
            return Ok(());
        }
        let tag = if is_folder { self.tag_of(disk) } else { None };
        if let Some((tag, what)) = &tag
            && *what == Extent::All
        {
            eprintln!("uadk-compress: {}: has {}; left out", escaped(name), tag.display());
            return Ok(());
        }
        visitor.visit(&mut self.status, disk, name, &metadata)?;
        if !is_folder || !recurse {
            return Ok(());
        }
        let device = metadata.dev();
        if self.rules.one_file_system && parent_device.is_some_and(|parent| parent != device) {
            eprintln!("uadk-compress: {}: is another file system; left out", escaped(name));
            return Ok(());
        }
        if let Some((tag, extent)) = tag {
            eprintln!(
                "uadk-compress: {}: has {}; what is in it is left out",
                escaped(name),
                tag.display()
            );
            if extent == Extent::Contents {
                let place = place.child(&tag);
                return self.visit(&place, &joined(name, &tag), Some(device), true, visitor);
            }
            return Ok(());
        }
        let children = match children(disk, self.rules.order) {
            Ok(children) => children,
            Err(error) => {
                self.unreadable(name, "the folder can't be read", &error);
                return Ok(());
            }
        };
        for child in children {
            let place = place.child(&child);
            self.visit(&place, &joined(name, &child), Some(device), true, visitor)?;
        }
        Ok(())
    }

    fn unreadable(&mut self, name: &[u8], what: &str, error: &std::io::Error) {
        eprintln!("uadk-compress: {}: {what}: {error}", escaped(name));
        self.status.failures += u64::from(!self.rules.ignore_failed_read);
    }

    /// The tag in the folder that leaves out most.
    fn tag_of(&self, folder: &Path) -> Option<(OsString, Extent)> {
        let tags = self.rules.tags.iter().filter(|tag| tag.marks(folder));
        tags.max_by_key(|tag| tag.extent).map(|Tag { name, extent, .. }| (name.clone(), *extent))
    }
}

impl Newer {
    /// Whether a file on disk is too old.
    fn excludes_file(&self, metadata: &Metadata) -> bool {
        let nanoseconds = |n: i64| u32::try_from(n).unwrap_or(0);
        let modified = (metadata.mtime(), nanoseconds(metadata.mtime_nsec()));
        let changed = (metadata.ctime(), nanoseconds(metadata.ctime_nsec()));
        modified < self.than && !(self.or_changed && changed >= self.than)
    }
}

fn joined(folder: &[u8], child: &OsString) -> Vec<u8> {
    let slash = if folder.ends_with(b"/") { &b""[..] } else { b"/" };
    [folder, slash, child.as_bytes()].concat()
}

fn children(folder: &Path, order: Order) -> std::io::Result<Vec<OsString>> {
    use std::os::unix::fs::DirEntryExt;
    let mut children = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| (entry.ino(), entry.file_name())))
        .collect::<std::io::Result<Vec<_>>>()?;
    match order {
        Order::Name => children.sort_unstable_by(|a, b| a.1.cmp(&b.1)),
        Order::Inode => children.sort_unstable(),
        Order::None => {}
    }
    Ok(children.into_iter().map(|(_, name)| name).collect())
}
