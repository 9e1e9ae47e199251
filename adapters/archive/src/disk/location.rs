//! Paths of any length. System calls accept at most 4,095 bytes, and trees can be deeper.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::{ffi::OsStr, ffi::OsString};

use rustix::fs::{CWD, Dir, Mode, OFlags, openat, readlinkat};

/// Maximum part of a path that is resolved at once; leaves space for a `/proc/self/fd/` prefix.
const PIECE: usize = 4000;

/// A path whose unresolved rest is short enough for system calls.
#[derive(Debug)]
pub(super) struct Location {
    /// The directory that `rest` is relative to, if it is not the current one.
    folder: Option<OwnedFd>,
    rest: PathBuf,
}

impl Location {
    /// Opens as many leading directories of the path as necessary. Trailing slashes are ignored, so
    /// that they never make it refer to the target of a symbolic link.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let mut rest = path.as_os_str().as_bytes();
        while let [shorter @ .., b'/'] = rest
            && !shorter.is_empty()
        {
            rest = shorter;
        }
        let mut folder = None;
        while rest.len() > PIECE {
            // Without a slash, the system will report that the name is too long.
            let Some(slash) = rest[..PIECE].iter().rposition(|byte| *byte == b'/') else { break };
            let piece = &rest[..=slash];
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            folder = Some(openat(start(folder.as_ref()), piece, flags, Mode::empty())?);
            rest = &rest[slash + 1..];
            while let Some(shorter) = rest.strip_prefix(b"/") {
                rest = shorter;
            }
        }
        Ok(Self { folder, rest: PathBuf::from(OsStr::from_bytes(rest)) })
    }

    /// Returns its metadata or, if it is a symbolic link and `follow` is set, that of its target.
    pub(super) fn metadata(&self, follow: bool) -> io::Result<Metadata> {
        match (&self.folder, follow) {
            (None, true) => fs::metadata(&self.rest),
            (None, false) => fs::symlink_metadata(&self.rest),
            (Some(_), _) => File::from(self.open(OFlags::PATH, follow)?).metadata(),
        }
    }

    pub(super) fn open(&self, flags: OFlags, follow: bool) -> io::Result<OwnedFd> {
        let flags = if follow { flags } else { flags | OFlags::NOFOLLOW };
        Ok(openat(self.start(), &self.rest, flags | OFlags::CLOEXEC, Mode::empty())?)
    }

    pub(super) fn read_link(&self) -> io::Result<Vec<u8>> {
        Ok(readlinkat(self.start(), &self.rest, Vec::new())?.into_bytes())
    }

    /// Returns the names in a directory, sorted.
    pub(super) fn children(&self) -> io::Result<Vec<OsString>> {
        let folder = self.open(OFlags::RDONLY | OFlags::DIRECTORY, true)?;
        let mut children = Vec::new();
        for entry in Dir::new(folder)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if !matches!(&name[..], b"." | b"..") {
                children.push(OsString::from_vec(name));
            }
        }
        children.sort_unstable();
        Ok(children)
    }

    /// Returns a path that is short enough for system calls.
    pub(super) fn short(&self) -> PathBuf {
        match &self.folder {
            None => self.rest.clone(),
            Some(folder) => {
                let folder = format!("/proc/self/fd/{}", folder.as_raw_fd());
                Path::new(&folder).join(&self.rest)
            }
        }
    }

    fn start(&self) -> BorrowedFd<'_> {
        start(self.folder.as_ref())
    }
}

fn start(folder: Option<&OwnedFd>) -> BorrowedFd<'_> {
    folder.map_or(CWD, AsFd::as_fd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_after_a_link_does_not_follow_it() {
        let folder = tempfile::tempdir().expect("a directory");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(".", &link).expect("a link");
        let location = Location::new(&link.join("")).expect("a short path");
        assert!(location.metadata(false).expect("it exists").is_symlink());
        assert!(location.metadata(true).expect("it exists").is_dir());
        assert!(Location::new(Path::new("///")).expect("a short path").metadata(false).is_ok());
    }
}
