//! Times, permissions, owners and attributes of what was extracted.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, Gid, Mode, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags, chownat, fchmod, fchown,
    fsetxattr, fstat, futimens, utimensat,
};

use super::options::ExtractOptions;
use crate::scan::Head;
use crate::{Error, Result};

/// What a file gets when its contents are written.
pub(super) fn set_file(file: BorrowedFd<'_>, head: &Head, options: &ExtractOptions) -> Result<()> {
    if options.owner {
        let (uid, gid) = owner(head)?;
        fchown(file, Some(uid), Some(gid)).map_err(|e| failed("its owner", e))?;
    }
    if options.xattrs {
        set_attributes(file, head)?;
    }
    if options.permissions {
        fchmod(file, Mode::from_raw_mode(head.mode)).map_err(|e| failed("its permissions", e))?;
    }
    futimens(file, &times(head)).map_err(|e| failed("its time", e))
}

/// What a link or pipe gets, which is not opened for it.
pub(super) fn set_link(
    folder: &OwnedFd,
    name: &[u8],
    head: &Head,
    options: &ExtractOptions,
) -> Result<()> {
    if options.owner {
        let (uid, gid) = owner(head)?;
        chownat(folder, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|e| failed("its owner", e))?;
    }
    utimensat(folder, name, &times(head), AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|e| failed("its time", e))
}

/// Attributes of a folder that was just made, before anything is in it. Its umask decides what it may
/// be; we must be able to write into it meanwhile.
pub(super) fn set_folder_now(
    folder: &OwnedFd,
    head: &Head,
    options: &ExtractOptions,
) -> Result<()> {
    if options.xattrs {
        set_attributes(folder.as_fd(), head)?;
    }
    Ok(())
}

/// What a folder gets when all is in it.
pub(super) fn set_folder(folder: &OwnedFd, head: &Head, options: &ExtractOptions) -> Result<()> {
    if options.owner {
        let (uid, gid) = owner(head)?;
        fchown(folder, Some(uid), Some(gid)).map_err(|e| failed("its owner", e))?;
    }
    let now = fstat(folder).map_err(|e| failed("its permissions", e))?.st_mode & 0o7777;
    let mode = if options.permissions {
        head.mode
    } else {
        // What it was made with has gone through the umask; the owner's bits were added.
        now & (head.mode | 0o7077)
    };
    if mode != now {
        fchmod(folder, Mode::from_raw_mode(mode)).map_err(|e| failed("its permissions", e))?;
    }
    futimens(folder, &times(head)).map_err(|e| failed("its time", e))
}

fn set_attributes(file: BorrowedFd<'_>, head: &Head) -> Result<()> {
    for (name, value) in head.xattrs.iter().filter(|(name, _)| name.starts_with(b"user.")) {
        fsetxattr(file, &name[..], value, XattrFlags::empty()).map_err(|errno| {
            let name = String::from_utf8_lossy(name);
            failed(&format!("its attribute {name}"), errno)
        })?;
    }
    Ok(())
}

fn owner(head: &Head) -> Result<(Uid, Gid)> {
    // The highest number means "as it is".
    let number = |n: u64| u32::try_from(n).ok().filter(|n| *n != u32::MAX);
    match (number(head.uid), number(head.gid)) {
        (Some(uid), Some(gid)) => Ok((Uid::from_raw(uid), Gid::from_raw(gid))),
        _ => Err(Error::unnamed(format!("there is no owner {}:{}", head.uid, head.gid))),
    }
}

fn times(head: &Head) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec {
            tv_sec: head.mtime,
            tv_nsec: i64::from(head.nanoseconds.min(999_999_999)),
        },
    }
}

fn failed(what: &str, errno: rustix::io::Errno) -> Error {
    Error::unnamed_from(format!("{what} can't be set"), errno)
}
