//! Walks the files and directories to add.

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

/// Reads the disk for a walk, and is called with each file and directory.
pub(super) trait Visitor {
    /// Returns the metadata of a path of any length.
    fn metadata(&self, disk: &Path) -> ArchiveResult<Metadata>;

    /// Returns the names in a directory, sorted.
    fn children(&self, disk: &Path) -> ArchiveResult<Vec<OsString>>;

    /// Visits a file or directory. `name` begins with the path as the user wrote it.
    fn visit(
        &mut self,
        status: &mut Status,
        disk: &Path,
        name: &[u8],
        metadata: &Metadata,
    ) -> Result<(), Error>;
}

/// The files of the archive that is being written, by device and inode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OwnFiles {
    /// The file that has the archive's name.
    pub(super) archive: Option<(u64, u64)>,
    /// The temporary file that gets this name at the end.
    pub(super) unfinished: Option<(u64, u64)>,
}

/// A walk through files and directories.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    pub(super) rules: &'a WalkRules,
    /// Whether symbolic links are followed.
    pub(super) follow: bool,
    /// The parent directories of the current one, to detect links that lead back.
    pub(super) above: Vec<(u64, u64)>,
    /// The archive, which must not be added to itself.
    pub(super) own: OwnFiles,
    pub(super) status: Status,
}

impl Walk<'_> {
    /// Visits an operand, and everything below it.
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
            tell!("uadk-compress: {}: is the archive; skipped", escaped(name));
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
            tell!("uadk-compress: {}: contains {}; skipped", escaped(name), tag.display());
            return Ok(());
        }
        visitor.visit(&mut self.status, disk, name, &metadata)?;
        if !is_folder || !recurse {
            return Ok(());
        }
        let device = metadata.dev();
        if self.rules.one_file_system && parent_device.is_some_and(|parent| parent != device) {
            tell!("uadk-compress: {}: is on another file system; contents skipped", escaped(name));
            return Ok(());
        }
        let identity = (device, metadata.ino());
        if self.follow && self.above.contains(&identity) {
            let reason = "leads back to a parent directory; its contents are not added again";
            self.status.skip(&escaped(name), reason);
            return Ok(());
        }
        self.above.push(identity);
        let visited = self.contents(disk, name, device, tag, visitor);
        self.above.pop();
        visited
    }

    /// Visits the contents of a directory.
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
            tell!("uadk-compress: {}: contains {shown}; contents skipped", escaped(name));
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
        let note = Note::from_failure(disk, error, was_there);
        if self.rules.ignore_failed_read {
            tell!("uadk-compress: {note}");
        } else {
            self.status.note_all(&[note]);
        }
    }

    /// Returns the tag in the directory that excludes the most.
    fn tag_of(&self, folder: &Path) -> Option<(OsString, Extent)> {
        let tags = self.rules.tags.iter().filter(|tag| tag.marks(folder));
        tags.max_by_key(|tag| tag.extent).map(|Tag { name, extent, .. }| (name.clone(), *extent))
    }
}

impl Newer {
    /// Returns whether a file on disk is too old.
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
