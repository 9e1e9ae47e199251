//! The directories that entries are extracted into, each opened relative to its parent without
//! following links.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, mkdirat, openat, statat};
use rustix::io::Errno;

use super::accounts::Accounts;
use super::metadata::Setter;
use super::names::{path_of, split};
use super::options::{Existing, ExtractOptions};
use super::outcome::Extracted;
use super::place::{Id, Place};
use crate::scan::Head;
use crate::{Error, Result};

const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The root directory of the extraction and the directories below it.
#[derive(Debug)]
pub(super) struct Folders {
    root: OwnedFd,
    /// The directory of the last entry.
    last: Option<(Vec<u8>, OwnedFd)>,
    /// Directories whose attributes are set at the end.
    later: Vec<(Head, Id)>,
    links: Links,
    umask: Option<u32>,
}

/// Symbolic links that may stand for directories.
#[derive(Debug, Default)]
struct Links {
    keep: bool,
    /// Links that come from the archive, which are never followed.
    made: HashSet<Id>,
}

impl Folders {
    pub(super) fn open(root: &Path, keep_links: bool) -> rustix::io::Result<Self> {
        // The user chose this directory, so a link is fine.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(root, flags, Mode::empty())?;
        let links = Links { keep: keep_links, made: HashSet::new() };
        Ok(Self { root, last: None, later: Vec::new(), links, umask: umask() })
    }

    /// Returns the directory at this path, creating it if necessary.
    pub(super) fn parent(&mut self, parts: &[&[u8]]) -> Result<&OwnedFd> {
        if parts.is_empty() {
            return Ok(&self.root);
        }
        let path = parts.join(&b'/');
        let known = self.last.take().filter(|(last, _)| *last == path);
        let folder = match known {
            Some((_, folder)) => folder,
            None => self.walk(parts, true)?,
        };
        Ok(&self.last.insert((path, folder)).1)
    }

    /// Returns the existing directory at this path.
    pub(super) fn existing(&self, parts: &[&[u8]]) -> Result<OwnedFd> {
        self.walk(parts, false)
    }

    /// Forgets the cached directory. Needed after a replacement that may have affected it.
    pub(super) fn forget(&mut self) {
        self.last = None;
    }

    /// Remembers a symbolic link from the archive: nothing is written through it.
    pub(super) fn note_link(&mut self, link: Id) {
        if self.links.keep {
            self.links.made.insert(link);
        }
    }

    fn walk(&self, parts: &[&[u8]], make: bool) -> Result<OwnedFd> {
        let mut folder = self
            .root
            .try_clone()
            .map_err(|error| Error::unnamed_from("the directory can't be reopened", error))?;
        for part in parts {
            folder = self.links.step(&folder, part, make)?;
        }
        Ok(folder)
    }

    /// Creates the directory of an entry.
    pub(super) fn make(
        &mut self,
        parts: &[&[u8]],
        head: &Head,
        options: &ExtractOptions,
    ) -> Result<Extracted> {
        if self.is_kept_link(parts)? {
            return Ok(Extracted::Done);
        }
        let mut was_there = true;
        if let Some((last, before)) = parts.split_last() {
            let folder = self.parent(before)?;
            let place = Place { folder, name: last };
            let there = place.look()?;
            if !there.is_some_and(|(kind, _)| kind == FileType::Directory) {
                was_there = false;
                // Only the owner has access until its permissions are set.
                let closed = Mode::from_raw_mode(head.mode & 0o777 | 0o700);
                let made = place.make(options.existing, |name| mkdirat(folder, name, closed))?;
                let Some(made) = made else { return Ok(Extracted::Kept) };
                if made.commit()? {
                    self.forget();
                }
            }
        }
        // Leave existing directories unchanged if requested.
        if was_there && matches!(options.existing, Existing::Keep | Existing::Skip) {
            return Ok(Extracted::Done);
        }
        let folder = self.walk(parts, false)?;
        let id = id(&folder).map_err(|errno| Error::unnamed_from("can't be created", errno))?;
        self.later.push((Head { sparse: None, ..head.clone() }, id));
        Ok(Extracted::Done)
    }

    fn is_kept_link(&mut self, parts: &[&[u8]]) -> Result<bool> {
        match parts.split_last() {
            Some((last, before)) if self.links.keep => {
                self.parent(before)?;
                let folder = self.walk(before, false)?;
                Ok(self.links.may_follow(&folder, last))
            }
            _ => Ok(false),
        }
    }

    /// Sets the attributes of all directories, inner ones first. `warn` receives those that could
    /// not be set.
    pub(super) fn finish(
        &mut self,
        options: &ExtractOptions,
        accounts: &Accounts,
        mut warn: impl FnMut(&Head, String),
    ) -> Result<()> {
        let mut result = Ok(());
        let mut done = HashSet::new();
        // Within each depth, the last ones come first: the sort is stable.
        let mut later = std::mem::take(&mut self.later);
        later.reverse();
        later.sort_by_key(|(head, _)| Reverse(depth(head)));
        for (head, was) in later {
            // The last entry of a directory counts. The directory may also have been replaced.
            if !self.is_there(&head, was) || !done.insert(was) {
                continue;
            }
            let folder = split(path_of(&head)).and_then(|parts| self.walk(&parts, false));
            match folder {
                Ok(folder) => {
                    let mut setter = Setter::new(&head, options, accounts);
                    setter.folder(&folder, self.umask);
                    setter.failures.into_iter().for_each(|what| warn(&head, what));
                }
                Err(error) => {
                    let error = error.for_entry(&head.path, "the directory can't be finalised");
                    result = result.and(Err(error));
                }
            }
        }
        result
    }

    fn is_there(&self, head: &Head, was: Id) -> bool {
        let find = || {
            let parts = split(path_of(head))?;
            let Some((last, before)) = parts.split_last() else { return Ok(Some(was)) };
            let folder = self.walk(before, false)?;
            let there = Place { folder: &folder, name: last }.look()?;
            Ok::<_, Error>(there.map(|(_, id)| id))
        };
        find().is_ok_and(|found| found == Some(was))
    }
}

/// Returns the depth of an entry in the archive.
fn depth(head: &Head) -> usize {
    split(path_of(head)).map_or(0, |parts| parts.len())
}

/// Returns the process's umask from `/proc`. The system call to read it would also change it.
fn umask() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"))?;
    u32::from_str_radix(line.trim(), 8).ok()
}

impl Links {
    /// Returns whether `link` may be followed: it existed before and points to a directory.
    fn stands_for_folder(&self, folder: &OwnedFd, name: &[u8], link: Id) -> bool {
        self.keep
            && !self.made.contains(&link)
            && statat(folder, name, AtFlags::empty())
                .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
    }

    fn step(&self, folder: &OwnedFd, part: &[u8], make: bool) -> Result<OwnedFd> {
        let opened = match openat(folder, part, FOLDER, Mode::empty()) {
            Err(Errno::NOENT) if make => match mkdirat(folder, part, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => openat(folder, part, FOLDER, Mode::empty()),
                Err(errno) => Err(errno),
            },
            Err(Errno::LOOP | Errno::NOTDIR) if self.may_follow(folder, part) => {
                openat(folder, part, FOLDER - OFlags::NOFOLLOW, Mode::empty())
            }
            opened => opened,
        };
        opened.map_err(|errno| {
            let part = String::from_utf8_lossy(part);
            match errno {
                Errno::LOOP | Errno::NOTDIR => Error::unnamed(format!(
                    "{part} is a symbolic link or a file; not writing through it"
                )),
                errno => Error::unnamed_from(format!("directory {part} can't be opened"), errno),
            }
        })
    }

    fn may_follow(&self, folder: &OwnedFd, name: &[u8]) -> bool {
        self.keep
            && matches!(
                Place { folder, name }.look(),
                Ok(Some((FileType::Symlink, link))) if self.stands_for_folder(folder, name, link)
            )
    }
}

fn id(folder: &OwnedFd) -> rustix::io::Result<Id> {
    fstat(folder).map(|stat| (stat.st_dev, stat.st_ino))
}
