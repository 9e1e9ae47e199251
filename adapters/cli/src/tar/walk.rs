//! The files and folders to add.

use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use uadk_compress_archive::{Error as ArchiveError, Note, Result as ArchiveResult};

use super::job::{Newer, Operand, Order, WalkRules};
use super::matching::tags::{Extent, Tag};
use super::names::{escaped, without_slash};
use super::status::Status;
use crate::error::Error;
use crate::streams::tell;

/// Reads the disk, and gets each file and folder.
pub(super) trait Visitor {
    /// What is at a path, of any length.
    fn metadata(&self, disk: &Path) -> ArchiveResult<Metadata>;

    /// The names in a folder, sorted.
    fn children(&self, disk: &Path) -> ArchiveResult<Vec<OsString>>;

    /// `name` is the path as the user wrote it, with what is below it.
    fn visit(
        &mut self,
        status: &mut Status,
        disk: &Path,
        name: &[u8],
        metadata: &Metadata,
    ) -> Result<(), Error>;
}

/// The files of the archive that is made, by device and inode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Own {
    /// What has its name.
    pub(super) archive: Option<(u64, u64)>,
    /// What gets it when it is whole.
    pub(super) unfinished: Option<(u64, u64)>,
}

/// A walk through files and folders.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    pub(super) rules: &'a WalkRules,
    /// Whether symbolic links are followed.
    pub(super) follow: bool,
    /// The folders that lead to where it is, for links that lead back to one.
    pub(super) above: Vec<(u64, u64)>,
    /// The archive itself, which is not added to itself.
    pub(super) own: Own,
    pub(super) status: Status,
}

impl Walk<'_> {
    /// Visits what was named, and all that is below it.
    pub(super) fn operand(
        &mut self,
        operand: &Operand,
        visitor: &mut impl Visitor,
    ) -> Result<(), Error> {
        let name = without_slash(&operand.name);
        let disk = operand.folder.join(OsStr::from_bytes(name));
        self.above.clear();
        self.visit(&disk, name, None, operand.recurse, visitor)
    }

    fn visit(
        &mut self,
        disk: &Path,
        name: &[u8],
        parent_device: Option<u64>,
        recurse: bool,
        visitor: &mut impl Visitor,
    ) -> Result<(), Error> {
        if self.rules.exclude.matches(name) {
            return Ok(());
        }
        let metadata = match visitor.metadata(disk) {
            Ok(metadata) => metadata,
            Err(error) => {
                self.unreadable(disk, &error, parent_device.is_some());
                return Ok(());
            }
        };
        let identity = Some((metadata.dev(), metadata.ino()));
        if self.own.unfinished == identity {
            return Ok(());
        }
        if self.own.archive == identity {
            tell!("uadk-compress: {}: is the archive; left out", escaped(name));
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
            tell!("uadk-compress: {}: has {}; left out", escaped(name), tag.display());
            return Ok(());
        }
        visitor.visit(&mut self.status, disk, name, &metadata)?;
        if !is_folder || !recurse {
            return Ok(());
        }
        let device = metadata.dev();
        if self.rules.one_file_system && parent_device.is_some_and(|parent| parent != device) {
            tell!("uadk-compress: {}: is another file system; left out", escaped(name));
            return Ok(());
        }
        let identity = (device, metadata.ino());
        if self.follow && self.above.contains(&identity) {
            let why = "is a folder that leads to it; what is in it is not added again";
            self.status.left_out(&escaped(name), why);
            return Ok(());
        }
        self.above.push(identity);
        let visited = self.contents(disk, name, device, tag, visitor);
        self.above.pop();
        visited
    }

    /// Visits what is in a folder.
    fn contents(
        &mut self,
        disk: &Path,
        name: &[u8],
        device: u64,
        tag: Option<(OsString, Extent)>,
        visitor: &mut impl Visitor,
    ) -> Result<(), Error> {
        if let Some((tag, extent)) = tag {
            let shown = tag.display();
            tell!("uadk-compress: {}: has {shown}; what is in it is left out", escaped(name));
            if extent == Extent::Contents {
                let name = joined(name, &tag);
                return self.visit(&disk.join(&tag), &name, Some(device), true, visitor);
            }
            return Ok(());
        }
        let mut children = match visitor.children(disk) {
            Ok(children) => children,
            Err(error) => {
                self.unreadable(disk, &error, true);
                return Ok(());
            }
        };
        if self.rules.order == Order::Inode {
            let inode =
                |child: &OsString| visitor.metadata(&disk.join(child)).map_or(0, |m| m.ino());
            children.sort_by_cached_key(inode);
        }
        for child in children {
            self.visit(&disk.join(&child), &joined(name, &child), Some(device), true, visitor)?;
        }
        Ok(())
    }

    fn unreadable(&mut self, disk: &Path, error: &ArchiveError, was_there: bool) {
        let note = Note::of_failure(disk, error, was_there);
        if self.rules.ignore_failed_read {
            tell!("uadk-compress: {note}");
        } else {
            self.status.note_all(&[note]);
        }
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
