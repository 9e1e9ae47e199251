//! Setting times, permissions, owners and attributes of extracted files.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, Uid,
    XattrFlags, chmod, chownat, fchmod, fchown, fremovexattr, fsetxattr, fstat, futimens,
    lsetxattr, openat, utimensat,
};
use rustix::io::Errno;

use super::accounts::Accounts;
use super::acl;
use super::options::ExtractOptions;
use crate::EntryKind;
use crate::pattern;
use crate::scan::Head;

/// setuid and setgid: only set if the owner is the one in the archive.
const SET_ID: u32 = 0o6000;

/// Sets the attributes of an entry. Those that can't be set are left unchanged and recorded in
/// `failures`.
#[derive(Debug)]
pub(super) struct Setter<'a> {
    pub(super) head: &'a Head,
    pub(super) options: &'a ExtractOptions,
    pub(super) accounts: &'a Accounts,
    pub(super) failures: Vec<String>,
}

impl<'a> Setter<'a> {
    pub(super) const fn new(
        head: &'a Head,
        options: &'a ExtractOptions,
        accounts: &'a Accounts,
    ) -> Self {
        Self { head, options, accounts, failures: Vec::new() }
    }

    /// Sets the attributes of a file, after its contents are written.
    pub(super) fn file(&mut self, file: BorrowedFd<'_>) {
        let mut mode = self.head.mode;
        if !self.set_owner(|uid, gid| fchown(file, Some(uid), Some(gid))) {
            mode &= !SET_ID;
        }
        // Before the permissions, which may forbid it.
        self.set_attributes(false, |name, value| fsetxattr(file, name, value, XattrFlags::empty()));
        self.clear_acls(file);
        if self.options.permissions {
            self.note("permissions", fchmod(file, Mode::from_raw_mode(mode)));
        }
        // After the permissions, since these are part of the list.
        self.set_acls(file);
        self.note("time", futimens(file, &self.times()));
    }

    /// Sets the attributes of a link or pipe, without opening it.
    pub(super) fn link(&mut self, folder: &OwnedFd, name: &[u8]) {
        let no_follow = AtFlags::SYMLINK_NOFOLLOW;
        let mut mode = self.head.mode;
        if !self.set_owner(|uid, gid| chownat(folder, name, Some(uid), Some(gid), no_follow)) {
            mode &= !SET_ID;
        }
        if self.head.kind == EntryKind::Fifo && self.options.permissions {
            self.note("permissions", chmod_pipe(folder, name, mode));
        }
        let path = [format!("/proc/self/fd/{}/", folder.as_raw_fd()).as_bytes(), name].concat();
        self.set_attributes(true, |attribute, value| {
            lsetxattr(&path[..], attribute, value, XattrFlags::empty())
        });
        self.note("time", utimensat(folder, name, &self.times(), no_follow));
    }

    /// Sets the attributes of a directory, after everything in it is extracted. If the umask is
    /// unknown, group and others get no permissions that the directory does not have already.
    pub(super) fn folder(&mut self, folder: &OwnedFd, umask: Option<u32>) {
        let mut wanted = self.head.mode;
        if !self.set_owner(|uid, gid| fchown(folder, Some(uid), Some(gid))) {
            wanted &= !SET_ID;
        }
        self.set_attributes(false, |name, value| {
            fsetxattr(folder, name, value, XattrFlags::empty())
        });
        self.clear_acls(folder.as_fd());
        match fstat(folder) {
            Err(errno) => self.failed("permissions", errno),
            Ok(stat) => {
                let now = stat.st_mode & 0o7777;
                let mode = if self.options.permissions {
                    wanted
                } else {
                    let allowed = umask.map_or(now | 0o700, |umask| !umask);
                    now & 0o7000 | wanted & 0o777 & allowed
                };
                if mode != now {
                    self.note("permissions", fchmod(folder, Mode::from_raw_mode(mode)));
                }
            }
        }
        self.set_acls(folder.as_fd());
        self.note("time", futimens(folder, &self.times()));
    }

    /// Sets the owner. Returns whether the file now has the right one.
    fn set_owner(&mut self, set: impl Fn(Uid, Gid) -> rustix::io::Result<()>) -> bool {
        if !self.options.owner {
            return true;
        }
        let (owner, numeric) = (&self.head.owner, self.options.numeric_owner);
        let by_name = |number: Option<u32>| number.filter(|_| !numeric);
        let uid = by_name(self.accounts.user(&owner.user)).or(owner.uid);
        let gid = by_name(self.accounts.group(&owner.group)).or(owner.gid);
        let (Some(uid), Some(gid)) = (uid, gid) else {
            self.failures.push("owner can't be set: unknown name, no valid ID".into());
            return false;
        };
        let result = set(Uid::from_raw(uid), Gid::from_raw(gid));
        self.note("owner", result);
        result.is_ok()
    }

    /// Sets extended attributes and the `SELinux` label. Links and pipes can't have `user.`
    /// attributes.
    fn set_attributes(
        &mut self,
        is_link: bool,
        set: impl Fn(&[u8], &[u8]) -> rustix::io::Result<()>,
    ) {
        self.set_xattrs(&set, |name| !(is_acl(name) || is_link && name.starts_with(b"user.")));
        if self.options.selinux
            && let Some(label) = &self.head.attributes.selinux
        {
            // The kernel's labels end with a NUL.
            let label = [label.strip_suffix(b"\0").unwrap_or(label), b"\0"].concat();
            self.note("SELinux label", set(b"security.selinux", &label));
        }
    }

    /// Sets the requested extended attributes for which `is_now` returns true.
    fn set_xattrs(
        &mut self,
        set: impl Fn(&[u8], &[u8]) -> rustix::io::Result<()>,
        is_now: impl Fn(&[u8]) -> bool,
    ) {
        let options = self.options;
        if !options.xattrs {
            return;
        }
        for (name, value) in self.head.attributes.xattrs.iter().filter(|(name, _)| is_now(name)) {
            let wanted = if options.xattrs_include.is_empty() {
                name.starts_with(b"user.")
            } else {
                options.xattrs_include.iter().any(|p| pattern::matches(p, name))
            };
            let unwanted = options.xattrs_exclude.iter().any(|p| pattern::matches(p, name));
            if wanted && !unwanted {
                let result = set(name, value);
                self.note(&format!("extended attribute {}", name.escape_ascii()), result);
            }
        }
    }

    /// Removes the lists that a file inherited from its directory, if the archive has none for it.
    fn clear_acls(&mut self, file: BorrowedFd<'_>) {
        let attributes = &self.head.attributes;
        if !self.options.acls || attributes.acl_foreign {
            return;
        }
        for (name, text) in
            [(acl::ACCESS, &attributes.acl_access), (acl::DEFAULT, &attributes.acl_default)]
        {
            if text.is_none() {
                match fremovexattr(file, name) {
                    Ok(()) | Err(Errno::NODATA | Errno::NOTSUP | Errno::ACCESS) => {}
                    Err(errno) => self.failed("access control list", errno),
                }
            }
        }
    }

    fn set_acls(&mut self, file: BorrowedFd<'_>) {
        self.set_xattrs(|name, value| fsetxattr(file, name, value, XattrFlags::empty()), is_acl);
        if !self.options.acls {
            return;
        }
        let attributes = &self.head.attributes;
        if attributes.acl_foreign {
            self.failures.push("access control list can't be set: unsupported kind".into());
        }
        for (name, text) in
            [(acl::ACCESS, &attributes.acl_access), (acl::DEFAULT, &attributes.acl_default)]
        {
            let Some(text) = text else { continue };
            match acl::encode(text, self.accounts, self.options.numeric_owner) {
                Some(value) => {
                    let result = fsetxattr(file, name, &value, XattrFlags::empty());
                    self.note("access control list", result);
                }
                None => self.failures.push(format!(
                    "access control list can't be set: invalid, or unknown user or group: {}",
                    text[..text.len().min(200)].escape_ascii()
                )),
            }
        }
    }

    fn times(&self) -> Timestamps {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        if self.options.touch {
            return Timestamps { last_access: now, last_modification: now };
        }
        Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec {
                tv_sec: self.head.mtime,
                tv_nsec: i64::from(self.head.nanoseconds.min(999_999_999)),
            },
        }
    }

    fn note(&mut self, what: &str, result: rustix::io::Result<()>) {
        if let Err(errno) = result {
            self.failed(what, errno);
        }
    }

    fn failed(&mut self, what: &str, errno: Errno) {
        self.failures.push(format!("{what} can't be set: {errno}"));
    }
}

/// Sets the permissions of a pipe. Fails if it has been replaced by something else.
fn chmod_pipe(folder: &OwnedFd, name: &[u8], mode: u32) -> rustix::io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let pipe = openat(folder, name, flags, Mode::empty())?;
    if FileType::from_raw_mode(fstat(&pipe)?.st_mode) != FileType::Fifo {
        return Err(Errno::INVAL);
    }
    chmod(format!("/proc/self/fd/{}", pipe.as_raw_fd()), Mode::from_raw_mode(mode))
}

/// Returns whether the attribute is an access control list, which includes the permissions.
fn is_acl(name: &[u8]) -> bool {
    name.starts_with(b"system.posix_acl_")
}
