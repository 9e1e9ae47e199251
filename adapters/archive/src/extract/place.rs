//! Creating a file under a name that may be taken. The existing file stays until the new one is
//! complete.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, FileType, renameat, statat, unlinkat};
use rustix::io::Errno;

use super::options::Existing;
use crate::{Error, Result};

/// A name in a directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) folder: &'a OwnedFd,
    pub(super) name: &'a [u8],
}

/// A newly created file: either under its final name, or under a temporary one in the same
/// directory.
#[derive(Debug)]
pub(super) struct Made<'a, T> {
    pub(super) value: T,
    place: Place<'a>,
    temporary: Option<Vec<u8>>,
}

/// Device and inode, which identify a file.
pub(super) type Id = (u64, u64);

impl<'a> Place<'a> {
    /// Returns the type and ID of the existing file; `None` if there is none.
    pub(super) fn look(self) -> Result<Option<(FileType, Id)>> {
        match statat(self.folder, self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => {
                Ok(Some((FileType::from_raw_mode(stat.st_mode), (stat.st_dev, stat.st_ino))))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(Error::unnamed_from("the existing file can't be examined", errno)),
        }
    }

    /// Creates a file by calling `make` with the name to use. Returns `None` if the existing file
    /// is kept.
    pub(super) fn make<T>(
        self,
        existing: Existing,
        mut make: impl FnMut(&[u8]) -> rustix::io::Result<T>,
    ) -> Result<Option<Made<'a, T>>> {
        if existing == Existing::UnlinkFirst {
            // If this fails, the existing file is handled below.
            let _ = remove(self, false);
        }
        match make(self.name) {
            Ok(value) => return Ok(Some(Made { value, place: self, temporary: None })),
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(unwritable(errno)),
        }
        match existing {
            Existing::Keep => return Err(Error::unnamed("already exists")),
            Existing::Skip => return Ok(None),
            _ => {}
        }
        loop {
            let temporary = temporary_name();
            match make(&temporary) {
                Ok(value) => {
                    return Ok(Some(Made { value, place: self, temporary: Some(temporary) }));
                }
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(unwritable(errno)),
            }
        }
    }
}

impl<T> Made<'_, T> {
    /// Returns the current name.
    pub(super) fn name(&self) -> &[u8] {
        self.temporary.as_deref().unwrap_or(self.place.name)
    }

    /// Moves the file to its final name, replacing what exists there; a directory is replaced only
    /// if it is empty. Returns whether something was replaced.
    pub(super) fn commit(self) -> Result<bool> {
        let Some(temporary) = &self.temporary else { return Ok(false) };
        let Place { folder, name } = self.place;
        let result = match renameat(folder, &temporary[..], folder, name) {
            // The existing file is a directory, or the new one is and the existing one is not.
            Err(Errno::ISDIR | Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {
                remove(self.place, true).and_then(|()| {
                    renameat(folder, &temporary[..], folder, name).map_err(unwritable)
                })
            }
            result => result.map_err(unwritable),
        };
        if result.is_err() {
            self.discard();
        }
        result.map(|()| true)
    }

    /// Removes the new file again.
    pub(super) fn discard(&self) {
        let place = Place { name: self.name(), ..self.place };
        let _ = remove(place, true);
    }
}

/// Removes a file or, if `folders` is set, an empty directory.
fn remove(place: Place<'_>, folders: bool) -> Result<()> {
    let Place { folder, name } = place;
    let result = match unlinkat(folder, name, AtFlags::empty()) {
        Err(Errno::ISDIR | Errno::PERM) if folders => unlinkat(folder, name, AtFlags::REMOVEDIR),
        result => result,
    };
    match result {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::NOTEMPTY | Errno::EXIST) => {
            Err(Error::unnamed("a non-empty directory of that name already exists"))
        }
        Err(errno) => Err(Error::unnamed_from("the existing file can't be removed", errno)),
    }
}

fn unwritable(errno: Errno) -> Error {
    Error::unnamed_from("can't be written", errno)
}

/// Returns a unique name.
fn temporary_name() -> Vec<u8> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!(".extracting-{}-{count}", std::process::id()).into_bytes()
}
