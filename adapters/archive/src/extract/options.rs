//! Settings of extraction.

/// What becomes of something that is at the place of an entry already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Existing {
    /// The entry replaces it when it is whole. A folder is replaced only if it is empty.
    #[default]
    Replace,
    /// It stays, and that is an error of the entry. Folders that are there are used as they are.
    Keep,
    /// It stays, and the entry is [left out](crate::Extracted::Kept). Folders that are there are used as
    /// they are.
    Skip,
    /// A file is written over in place, so that its other names and those who have it open see the new
    /// contents; the rest is replaced.
    Overwrite,
    /// It is removed first.
    UnlinkFirst,
}

/// Settings of an [`Extractor`](crate::Extractor).
#[derive(Clone, Debug, Default)]
#[must_use]
#[allow(clippy::struct_excessive_bools)] // Independent switches.
pub struct ExtractOptions {
    pub(crate) permissions: bool,
    pub(crate) owner: bool,
    pub(crate) numeric_owner: bool,
    pub(crate) xattrs: bool,
    pub(crate) xattrs_include: Vec<Vec<u8>>,
    pub(crate) xattrs_exclude: Vec<Vec<u8>>,
    pub(crate) acls: bool,
    pub(crate) selinux: bool,
    pub(crate) existing: Existing,
    pub(crate) keep_directory_symlink: bool,
    pub(crate) max_size: Option<u64>,
    pub(crate) touch: bool,
}

impl ExtractOptions {
    /// Permissions less the process's umask, without setuid, setgid and sticky bits; files belong to who
    /// extracts them; no extended attributes; what is there is replaced; no limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether files get exactly the permissions of the archive, setuid, setgid and sticky bits
    /// included.
    pub fn permissions(mut self, exact: bool) -> Self {
        self.permissions = exact;
        self
    }

    /// Whether files get the owner and group of the archive, by name where this machine has the name in
    /// `/etc/passwd` and `/etc/group`, else by number; only root may do that.
    pub fn owner(mut self, same: bool) -> Self {
        self.owner = same;
        self
    }

    /// Whether [`owner`](Self::owner) goes by numbers alone.
    pub fn numeric_owner(mut self, numeric: bool) -> Self {
        self.numeric_owner = numeric;
        self
    }

    /// Whether files get the extended attributes of the archive whose name begins with `user.`, or those
    /// that [`xattrs_include`](Self::xattrs_include) says.
    pub fn xattrs(mut self, xattrs: bool) -> Self {
        self.xattrs = xattrs;
        self
    }

    /// Sets the extended attributes that match one of these patterns, of any namespace, instead of those of
    /// `user.`. `*` stands for any characters, `?` for one, `[a-z]` for one of a range. Without patterns,
    /// nothing changes.
    pub fn xattrs_include<P: Into<Vec<u8>>>(
        mut self,
        patterns: impl IntoIterator<Item = P>,
    ) -> Self {
        self.xattrs_include.extend(patterns.into_iter().map(Into::into));
        self.xattrs |= !self.xattrs_include.is_empty();
        self
    }

    /// Does not set the extended attributes that match one of these patterns.
    pub fn xattrs_exclude<P: Into<Vec<u8>>>(
        mut self,
        patterns: impl IntoIterator<Item = P>,
    ) -> Self {
        self.xattrs_exclude.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Whether files get the POSIX access control lists of the archive, and lose those that they have from
    /// their folder where the archive has none.
    pub fn acls(mut self, acls: bool) -> Self {
        self.acls = acls;
        self
    }

    /// Whether files get the `SELinux` labels of the archive.
    pub fn selinux(mut self, selinux: bool) -> Self {
        self.selinux = selinux;
        self
    }

    /// What becomes of what is there already. [`Existing::Replace`] if not set.
    pub fn existing(mut self, existing: Existing) -> Self {
        self.existing = existing;
        self
    }

    /// Whether a file that is there already is an error, instead of being replaced:
    /// [`Existing::Keep`].
    pub fn keep_old(self, keep: bool) -> Self {
        self.existing(if keep { Existing::Keep } else { Existing::Replace })
    }

    /// Whether a symbolic link to a folder, which was there before, stands for that folder where the archive
    /// has a folder. What is extracted into it may end up outside then. If not set, the link is replaced.
    pub fn keep_directory_symlink(mut self, keep: bool) -> Self {
        self.keep_directory_symlink = keep;
        self
    }

    /// Whether files get the present time instead of the archive's.
    pub fn touch(mut self, touch: bool) -> Self {
        self.touch = touch;
        self
    }

    /// The most bytes that all files may have together, holes included; more is an error, before any of
    /// the file that would exceed it is written.
    pub fn max_size(mut self, bytes: Option<u64>) -> Self {
        self.max_size = bytes;
        self
    }
}
