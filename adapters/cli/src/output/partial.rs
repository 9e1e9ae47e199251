//! A file beside its place.

use std::ffi::OsString;
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::signals::Unfinished;

/// Names in use are tried again this often.
const TRIES: usize = 100;
/// The longest name that Linux's file systems have.
const MAX_NAME: usize = 255;

/// A file that is not at its place yet, and is removed if it never gets there.
#[derive(Debug)]
pub(super) struct Partial {
    file: File,
    path: PathBuf,
    place: PathBuf,
    is_put: bool,
    _unfinished: Unfinished,
}

impl Partial {
    /// Makes an empty file in the folder of `place`, which only the user may read.
    pub(super) fn create(place: PathBuf) -> io::Result<Self> {
        let mut tries = 0;
        loop {
            let path = beside(&place);
            let made = Unfinished::create(&path, |path| {
                File::options().read(true).write(true).create_new(true).mode(0o600).open(path)
            });
            match made {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < TRIES => {
                    tries += 1;
                }
                Err(error) => return Err(error),
                Ok((unfinished, file)) => {
                    return Ok(Self { file, path, place, is_put: false, _unfinished: unfinished });
                }
            }
        }
    }

    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    /// Puts it at its place, after its bytes are on the disk.
    pub(super) fn put(mut self, replace: bool) -> io::Result<()> {
        self.file.sync_all()?;
        let held = Unfinished::hold();
        if replace {
            fs::rename(&self.path, &self.place)?;
        } else {
            rename_new(&self.path, &self.place)?;
        }
        self.is_put = true;
        drop(held);
        let folder = match self.place.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        // A folder that may be written and not be read, or a file system that syncs no folders.
        match File::open(folder).and_then(|folder| folder.sync_all()) {
            Err(error)
                if !matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput
                ) =>
            {
                Err(error)
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.is_put {
            // It may be gone already, which is what is wanted.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Fails if there is something at `to`, also if it came there just now.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system can.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            match fs::hard_link(from, to) {
                Ok(()) => return fs::remove_file(from),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
                // FAT has no links either.
                Err(_) => {}
            }
            if fs::symlink_metadata(to).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        renamed => Ok(renamed?),
    }
}

/// A name in the same folder that nobody else uses.
fn beside(place: &Path) -> PathBuf {
    let random = RandomState::new().hash_one(std::process::id());
    let end = format!(".{random:016x}");
    let name = place.file_name().unwrap_or_default().as_bytes();
    let name = &name[..name.len().min(MAX_NAME - 1 - end.len())];
    place.with_file_name(OsString::from_vec([b".", name, end.as_bytes()].concat()))
}
