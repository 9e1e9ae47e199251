//! Making something under a name where something else may be, which stays until the new thing is whole.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, FileType, renameat, statat, unlinkat};
use rustix::io::Errno;

use super::options::Existing;
use crate::{Error, Result};

/// A name in a folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) folder: &'a OwnedFd,
    pub(super) name: &'a [u8],
}

/// Something that was made for a place, and is there or, under another name, next to it.
#[derive(Debug)]
pub(super) struct Made<'a, T> {
    pub(super) value: T,
    place: Place<'a>,
    temporary: Option<Vec<u8>>,
}

/// Device and inode: which file it is.
pub(super) type Id = (u64, u64);

impl<'a> Place<'a> {
    /// What is there: what kind of file, and which. `None` if nothing is.
    pub(super) fn look(self) -> Result<Option<(FileType, Id)>> {
        match statat(self.folder, self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => {
                Ok(Some((FileType::from_raw_mode(stat.st_mode), (stat.st_dev, stat.st_ino))))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(Error::unnamed_from("what is there can't be looked at", errno)),
        }
    }

    /// Makes something, which `make` does under the name that it gets. `None` if what is there stays.
    pub(super) fn make<T>(
        self,
        existing: Existing,
        mut make: impl FnMut(&[u8]) -> rustix::io::Result<T>,
    ) -> Result<Option<Made<'a, T>>> {
        if existing == Existing::UnlinkFirst {
            // What can't be removed is in the way below.
            let _ = remove(self, false);
        }
        match make(self.name) {
            Ok(value) => return Ok(Some(Made { value, place: self, temporary: None })),
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(unwritable(errno)),
        }
        match existing {
            Existing::Keep => return Err(Error::unnamed("it is there already")),
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
    /// The name that it has now.
    pub(super) fn name(&self) -> &[u8] {
        self.temporary.as_deref().unwrap_or(self.place.name)
    }

    /// Puts it in its place, where what is there makes room: a folder only if it is empty. Returns whether
    /// something was there.
    pub(super) fn settle(self) -> Result<bool> {
        let Some(temporary) = &self.temporary else { return Ok(false) };
        let Place { folder, name } = self.place;
        let result = match renameat(folder, &temporary[..], folder, name) {
            // A folder is there, or it is a folder itself and something else is there.
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

    /// Removes it again.
    pub(super) fn discard(&self) {
        let place = Place { name: self.name(), ..self.place };
        let _ = remove(place, true);
    }
}

/// Removes a file, or an empty folder if those may be removed.
fn remove(place: Place<'_>, folders: bool) -> Result<()> {
    let Place { folder, name } = place;
    let result = match unlinkat(folder, name, AtFlags::empty()) {
        Err(Errno::ISDIR | Errno::PERM) if folders => unlinkat(folder, name, AtFlags::REMOVEDIR),
        result => result,
    };
    match result {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::NOTEMPTY | Errno::EXIST) => {
            Err(Error::unnamed("a folder of that name is there, and it is not empty"))
        }
        Err(errno) => Err(Error::unnamed_from("what is there can't be removed", errno)),
    }
}

fn unwritable(errno: Errno) -> Error {
    Error::unnamed_from("it can't be written", errno)
}

/// A name that nobody else uses.
fn temporary_name() -> Vec<u8> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!(".extracting-{}-{count}", std::process::id()).into_bytes()
}
