//! Settings of extraction.

/// Settings of an [`Extractor`](crate::Extractor).
#[derive(Clone, Debug, Default)]
#[must_use]
#[allow(clippy::struct_excessive_bools)] // Independent switches.
pub struct ExtractOptions {
    pub(crate) permissions: bool,
    pub(crate) owner: bool,
    pub(crate) xattrs: bool,
    pub(crate) keep_old: bool,
    pub(crate) max_size: Option<u64>,
}

impl ExtractOptions {
    /// Permissions less the process's umask, without setuid, setgid and sticky bits; files belong to who
    /// extracts them; no extended attributes; files that are there are replaced; no limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether files get exactly the permissions of the archive, setuid, setgid and sticky bits
    /// included.
    pub fn permissions(mut self, exact: bool) -> Self {
        self.permissions = exact;
        self
    }

    /// Whether files get the owner and group of the archive, by number; only root may do that.
    pub fn owner(mut self, same: bool) -> Self {
        self.owner = same;
        self
    }

    /// Whether files get the extended attributes of the archive whose name begins with `user.`.
    pub fn xattrs(mut self, xattrs: bool) -> Self {
        self.xattrs = xattrs;
        self
    }

    /// Whether a file that is there already is an error, instead of being replaced.
    pub fn keep_old(mut self, keep: bool) -> Self {
        self.keep_old = keep;
        self
    }

    /// The most bytes that all files may have together, holes included; more is an error, before any of
    /// the file that would exceed it is written.
    pub fn max_size(mut self, bytes: Option<u64>) -> Self {
        self.max_size = bytes;
        self
    }
}
