//! A file under a temporary name in its target directory.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{CWD, FlockOperation, OFlags, RenameFlags, flock, renameat_with};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::signals::Unfinished;

/// How many times to try another name if one is in use.
const TRIES: usize = 100;
/// The longest file name on Linux file systems.
const MAX_NAME: usize = 255;
/// Random digits at the end of a temporary name.
const DIGITS: usize = 16;

/// A file that is not under its final name yet, and is removed if it never gets it.
#[derive(Debug)]
pub(super) struct Partial {
    file: File,
    path: PathBuf,
    target: PathBuf,
    is_put: bool,
    /// `None` if the file is kept to be resumed.
    unfinished: Option<Unfinished>,
}

impl Partial {
    /// Creates an empty file in the directory of `target`, readable only by the user.
    pub(super) fn create(target: PathBuf) -> io::Result<Self> {
        let mut tries = 0;
        loop {
            let path = temporary_name(&target);
            let made = Unfinished::create(&path, |path| {
                File::options().read(true).write(true).create_new(true).mode(0o600).open(path)
            });
            match made {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < TRIES => {
                    tries += 1;
                }
                Err(error) => return Err(error),
                Ok((unfinished, file)) => {
                    // Shows that the writer is alive. Not every file system supports locks.
                    let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
                    let unfinished = Some(unfinished);
                    return Ok(Self { file, path, target, is_put: false, unfinished });
                }
            }
        }
    }

    /// Returns the newest file that [`create`](Self::create) made for that target and whose writer
    /// is gone, if it was changed after `after` and belongs to the user.
    pub(super) fn left_over(
        target: PathBuf,
        after: Option<SystemTime>,
    ) -> io::Result<Option<Self>> {
        let mut found: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in fs::read_dir(folder_of(&target))? {
            let entry = entry?;
            if !is_temporary_name(&target, &entry.file_name()) {
                continue;
            }
            let path = target.with_file_name(entry.file_name());
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            let own = metadata.is_file() && metadata.uid() == geteuid().as_raw();
            let modified = metadata.modified()?;
            if own && after.is_none_or(|after| modified > after) {
                found.push((modified, path));
            }
        }
        found.sort();
        for (_, path) in found.into_iter().rev() {
            let nofollow = OFlags::NOFOLLOW.bits().cast_signed();
            let file = File::options().read(true).write(true).custom_flags(nofollow).open(&path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) => {}
                _ => return Ok(Some(Self { file, path, target, is_put: false, unfinished: None })),
            }
        }
        Ok(None)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    /// Syncs the file and renames it to its final name.
    pub(super) fn put(mut self, replace: bool) -> io::Result<()> {
        self.file.sync_all()?;
        let held = Unfinished::hold();
        if replace {
            fs::rename(&self.path, &self.target)?;
        } else {
            rename_new(&self.path, &self.target)?;
        }
        self.is_put = true;
        drop(held);
        let folder = folder_of(&self.target);
        // The directory may be write-only, or the file system can't sync directories.
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
        if !self.is_put && self.unfinished.is_some() {
            // It may be gone already, which is fine.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Renames a file; fails if `to` exists, even if it was created just now.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system supports this.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            match fs::hard_link(from, to) {
                Ok(()) => return fs::remove_file(from),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
                // FAT has no hard links either.
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

fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Returns an unused name in the same directory.
fn temporary_name(target: &Path) -> PathBuf {
    let random = RandomState::new().hash_one(std::process::id());
    let name = [&prefix(target)[..], format!("{random:016x}").as_bytes()].concat();
    target.with_file_name(OsString::from_vec(name))
}

/// Returns the prefix of the [temporary names](temporary_name); hexadecimal digits follow.
fn prefix(target: &Path) -> Vec<u8> {
    let name = target.file_name().unwrap_or_default().as_bytes();
    let name = &name[..name.len().min(MAX_NAME - 2 - DIGITS)];
    [b".", name, b"."].concat()
}

fn is_temporary_name(target: &Path, name: &OsStr) -> bool {
    let digits = name.as_bytes().strip_prefix(&prefix(target)[..]);
    digits.is_some_and(|digits| {
        digits.len() == DIGITS && digits.iter().all(|d| matches!(d, b'0'..=b'9' | b'a'..=b'f'))
    })
}
