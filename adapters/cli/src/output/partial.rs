//! A file beside its place.

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

/// Names in use are tried again this often.
const TRIES: usize = 100;
/// The longest name that Linux's file systems have.
const MAX_NAME: usize = 255;
/// Digits at the end of a name that nobody else uses.
const DIGITS: usize = 16;

/// A file that is not at its place yet, and is removed if it never gets there.
#[derive(Debug)]
pub(super) struct Partial {
    file: File,
    path: PathBuf,
    place: PathBuf,
    is_put: bool,
    /// `None` if it is kept for another try.
    unfinished: Option<Unfinished>,
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
                    // It says that the writer lives. Not every file system can.
                    let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
                    let unfinished = Some(unfinished);
                    return Ok(Self { file, path, place, is_put: false, unfinished });
                }
            }
        }
    }

    /// The newest file that [`create`](Self::create) made for that place and whose writer is gone, if it was
    /// changed after `after`. Such a file is the user's own.
    pub(super) fn left_over(place: PathBuf, after: Option<SystemTime>) -> io::Result<Option<Self>> {
        let mut found: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in fs::read_dir(folder_of(&place))? {
            let entry = entry?;
            if !is_beside(&place, &entry.file_name()) {
                continue;
            }
            let path = place.with_file_name(entry.file_name());
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
                _ => return Ok(Some(Self { file, path, place, is_put: false, unfinished: None })),
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
        let folder = folder_of(&self.place);
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
        if !self.is_put && self.unfinished.is_some() {
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

fn folder_of(place: &Path) -> &Path {
    match place.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A name in the same folder that nobody else uses.
fn beside(place: &Path) -> PathBuf {
    let random = RandomState::new().hash_one(std::process::id());
    let name = [&beginning(place)[..], format!("{random:016x}").as_bytes()].concat();
    place.with_file_name(OsString::from_vec(name))
}

/// What names of files [beside](beside) the place begin with; hexadecimal digits follow.
fn beginning(place: &Path) -> Vec<u8> {
    let name = place.file_name().unwrap_or_default().as_bytes();
    let name = &name[..name.len().min(MAX_NAME - 2 - DIGITS)];
    [b".", name, b"."].concat()
}

fn is_beside(place: &Path, name: &OsStr) -> bool {
    let digits = name.as_bytes().strip_prefix(&beginning(place)[..]);
    digits.is_some_and(|digits| {
        digits.len() == DIGITS && digits.iter().all(|d| matches!(d, b'0'..=b'9' | b'a'..=b'f'))
    })
}
