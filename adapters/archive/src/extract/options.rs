//! Settings of extraction.

/// How to handle an existing file with the name of an entry.
///
/// ```
/// use uadk_compress_archive::{ArchiveReader, ArchiveWriter, Existing, ExtractOptions, Extractor};
///
/// let mut archive = ArchiveWriter::new(Vec::new())?;
/// archive.append_bytes("notes.txt", b"remember the milk")?;
/// let file = archive.finish()?;
///
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("notes.txt"), "mine")?;
/// let options = ExtractOptions::new().existing(Existing::Skip);
/// let mut extractor = Extractor::new(folder.path(), options)?;
/// let mut archive = ArchiveReader::new(&file[..])?;
/// extractor.extract(&mut archive.next_entry()?.expect("one entry"))?;
/// assert_eq!(std::fs::read(folder.path().join("notes.txt"))?, b"mine");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Existing {
    /// Replaces it when the new file is complete. A directory is replaced only if it is empty.
    #[default]
    Replace,
    /// Keeps it; the entry fails. Existing directories are used as they are.
    Keep,
    /// Keeps it; the entry is [skipped](crate::Extracted::Kept). Existing directories are used as
    /// they are.
    Skip,
    /// Overwrites a file in place, so that its other hard links and processes that have it open
    /// see the new contents. Anything else is replaced.
    Overwrite,
    /// Removes it first.
    UnlinkFirst,
}

/// Settings of an [`Extractor`](crate::Extractor).
///
/// ```
/// use uadk_compress_archive::{ArchiveReader, ArchiveWriter, Error, ExtractOptions, Extractor};
///
/// let mut archive = ArchiveWriter::new(Vec::new())?;
/// archive.append_bytes("huge", &[0; 5000])?;
/// let file = archive.finish()?;
///
/// let folder = tempfile::tempdir()?;
/// let options = ExtractOptions::new().max_size(Some(1000));
/// let mut extractor = Extractor::new(folder.path(), options)?;
/// let mut archive = ArchiveReader::new(&file[..])?;
/// let result = extractor.extract(&mut archive.next_entry()?.expect("one entry"));
/// assert!(matches!(result, Err(Error::Entry { name, .. }) if name == "huge"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// Creates the default options: permissions minus the process's umask, without setuid, setgid
    /// and sticky bits; files belong to the extracting user; no extended attributes; existing files
    /// are replaced; no size limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether files get exactly the permissions in the archive, including setuid, setgid and
    /// sticky bits.
    pub fn permissions(mut self, exact: bool) -> Self {
        self.permissions = exact;
        self
    }

    /// Sets whether files get the owner and group in the archive: by name if it is in
    /// `/etc/passwd` or `/etc/group`, otherwise by number. Only root may do that.
    pub fn owner(mut self, same: bool) -> Self {
        self.owner = same;
        self
    }

    /// Sets whether [`owner`](Self::owner) uses only the numbers.
    pub fn numeric_owner(mut self, numeric: bool) -> Self {
        self.numeric_owner = numeric;
        self
    }

    /// Sets whether files get the extended attributes in the archive: those in the `user.`
    /// namespace, or those selected by [`xattrs_include`](Self::xattrs_include).
    pub fn xattrs(mut self, xattrs: bool) -> Self {
        self.xattrs = xattrs;
        self
    }

    /// Selects the extended attributes that match one of these patterns, in any namespace, instead
    /// of those in `user.`. `*` matches any characters, `?` matches one, `[a-z]` matches one in a
    /// range. Without patterns, nothing changes.
    pub fn xattrs_include<P: Into<Vec<u8>>>(
        mut self,
        patterns: impl IntoIterator<Item = P>,
    ) -> Self {
        self.xattrs_include.extend(patterns.into_iter().map(Into::into));
        self.xattrs |= !self.xattrs_include.is_empty();
        self
    }

    /// Excludes the extended attributes that match one of these patterns.
    pub fn xattrs_exclude<P: Into<Vec<u8>>>(
        mut self,
        patterns: impl IntoIterator<Item = P>,
    ) -> Self {
        self.xattrs_exclude.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Sets whether files get the POSIX access control lists in the archive, and lose those
    /// inherited from their directory if the archive has none.
    pub fn acls(mut self, acls: bool) -> Self {
        self.acls = acls;
        self
    }

    /// Sets whether files get the `SELinux` labels in the archive.
    pub fn selinux(mut self, selinux: bool) -> Self {
        self.selinux = selinux;
        self
    }

    /// Sets how existing files are handled. The default is [`Existing::Replace`].
    pub fn existing(mut self, existing: Existing) -> Self {
        self.existing = existing;
        self
    }

    /// Sets whether an existing file is an error ([`Existing::Keep`]) instead of being replaced.
    pub fn keep_old(self, keep: bool) -> Self {
        self.existing(if keep { Existing::Keep } else { Existing::Replace })
    }

    /// Sets whether an existing symbolic link to a directory is followed where the archive has a
    /// directory. Files extracted into it may then end up outside the target directory. By default,
    /// the link is replaced.
    pub fn keep_directory_symlink(mut self, keep: bool) -> Self {
        self.keep_directory_symlink = keep;
        self
    }

    /// Sets whether files get the current time instead of the one in the archive.
    pub fn touch(mut self, touch: bool) -> Self {
        self.touch = touch;
        self
    }

    /// Limits the total size of all files, including holes. A file that would exceed the limit is
    /// an error before any of it is written.
    pub fn max_size(mut self, bytes: Option<u64>) -> Self {
        self.max_size = bytes;
        self
    }
}
