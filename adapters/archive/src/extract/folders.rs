//! The folders that entries go into, each opened from the one before without following a link.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;

use super::metadata;
use super::options::ExtractOptions;
use crate::scan::Head;
use crate::{Error, Result};

const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A folder and all that is extracted below it.
#[derive(Debug)]
pub(super) struct Folders {
    root: OwnedFd,
    /// The one that the last entry went into.
    last: Option<(Vec<u8>, OwnedFd)>,
    /// What folders get when nothing more goes into them.
    later: Vec<Head>,
}

/// The parts of a name.
///
/// # Errors
///
/// For a name that leads out of the folder.
pub(super) fn split(path: &[u8]) -> Result<Vec<&[u8]>> {
    if path.first() == Some(&b'/') {
        return Err(Error::unnamed(
            "its name, or the one that it links to, is absolute; it is not extracted",
        ));
    }
    let parts: Vec<_> =
        path.split(|byte| *byte == b'/').filter(|part| !matches!(part, [] | [b'.'])).collect();
    if parts.iter().any(|part| *part == b"..") {
        return Err(Error::unnamed(
            "its name, or the one that it links to, has .. in it; it is not extracted",
        ));
    }
    Ok(parts)
}

impl Folders {
    pub(super) fn open(root: &Path) -> rustix::io::Result<Self> {
        // The user says which folder, and may say it with a link.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(root, flags, Mode::empty())?;
        Ok(Self { root, last: None, later: Vec::new() })
    }

    /// The folder of these names, made if need be.
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

    /// The folder of these names, which is there.
    pub(super) fn existing(&self, parts: &[&[u8]]) -> Result<OwnedFd> {
        self.walk(parts, false)
    }

    fn walk(&self, parts: &[&[u8]], make: bool) -> Result<OwnedFd> {
        let mut folder = self
            .root
            .try_clone()
            .map_err(|error| Error::unnamed_from("its folder can't be opened once more", error))?;
        for part in parts {
            folder = step(&folder, part, make)?;
        }
        Ok(folder)
    }

    /// Makes the folder of an entry.
    pub(super) fn make(
        &mut self,
        parts: &[&[u8]],
        head: &Head,
        options: &ExtractOptions,
    ) -> Result<()> {
        if let Some((last, before)) = parts.split_last() {
            let parent = self.parent(before)?;
            // Nobody else gets in before it has its permissions, and we do.
            let mode = Mode::from_raw_mode(head.mode & 0o777 | 0o700);
            let is_new = match mkdirat(parent, *last, mode) {
                Ok(()) => true,
                Err(Errno::EXIST) => false,
                Err(errno) => return Err(Error::unnamed_from("it can't be made", errno)),
            };
            let folder = step(parent, last, false)?;
            if is_new {
                metadata::set_folder_now(&folder, head, options)?;
            }
        }
        self.later.push(Head { sparse: None, ..head.clone() });
        Ok(())
    }

    /// Gives all folders what they get, the inner ones first.
    pub(super) fn finish(&mut self, options: &ExtractOptions) -> Result<()> {
        let mut result = Ok(());
        while let Some(head) = self.later.pop() {
            let set = || {
                let folder = self.walk(&split(&head.path)?, false)?;
                metadata::set_folder(&folder, &head, options)
            };
            let done: Result<()> = set()
                .map_err(|error: Error| error.of_entry(&head.path, "the folder can't be finished"));
            result = result.and(done);
        }
        result
    }
}

fn step(folder: &OwnedFd, part: &[u8], make: bool) -> Result<OwnedFd> {
    let opened = match openat(folder, part, FOLDER, Mode::empty()) {
        Err(Errno::NOENT) if make => match mkdirat(folder, part, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => openat(folder, part, FOLDER, Mode::empty()),
            Err(errno) => Err(errno),
        },
        opened => opened,
    };
    opened.map_err(|errno| {
        let part = String::from_utf8_lossy(part);
        match errno {
            Errno::LOOP | Errno::NOTDIR => Error::unnamed(format!(
                "{part} is a symbolic link or a file, and nothing is written through it"
            )),
            errno => Error::unnamed_from(format!("the folder {part} can't be opened"), errno),
        }
    })
}
