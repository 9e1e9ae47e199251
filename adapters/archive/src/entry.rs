//! The properties of an entry.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::gzip::Place;
use crate::kind::EntryKind;
use crate::scan::Head;

/// Details that are only in the headers, not in an index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Details {
    user: Box<[u8]>,
    group: Box<[u8]>,
    device: Option<(u32, u32)>,
    nanoseconds: u32,
}

/// One entry of an archive: a file, a directory, a link.
///
/// ```
/// use std::path::Path;
/// use uadk_compress_archive::{ArchiveReader, ArchiveWriter};
///
/// let mut archive = ArchiveWriter::new(Vec::new())?;
/// archive.append_bytes("notes/today.txt", b"remember the milk")?;
/// let file = archive.finish()?;
///
/// let mut archive = ArchiveReader::new(&file[..])?;
/// let reader = archive.next_entry()?.expect("one entry");
/// let entry = reader.entry();
/// assert_eq!(entry.path(), Path::new("notes/today.txt"));
/// assert_eq!((entry.size(), entry.mode(), entry.mtime()), (17, 0o644, 0));
/// # Ok::<(), uadk_compress_archive::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Entry {
    pub(crate) path: Box<[u8]>,
    pub(crate) link: Box<[u8]>,
    pub(crate) kind: EntryKind,
    pub(crate) size: u64,
    pub(crate) mode: u32,
    pub(crate) mtime: i64,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    /// Offset of its first header in the tar.
    pub(crate) start: u64,
    /// Bytes in the tar, including headers and padding.
    pub(crate) tar_len: u64,
    /// Bytes of the headers before the contents.
    pub(crate) header_len: u64,
    /// CRC-32 of its bytes in the tar, including headers and padding.
    pub(crate) checksum: u32,
    /// Position in the file; `None` in gzip without sizes.
    pub(crate) place: Option<Place>,
    /// `None` if the entry comes from an index.
    pub(crate) details: Option<Box<Details>>,
}

/// Ignores the details that are only in headers: an index does not have them.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            path,
            link,
            kind,
            size,
            mode,
            mtime,
            uid,
            gid,
            start,
            tar_len,
            header_len,
            checksum,
            place,
            details: _,
        } = self;
        (path, link, kind, size, mode, mtime)
            == (&other.path, &other.link, &other.kind, &other.size, &other.mode, &other.mtime)
            && (uid, gid, start, tar_len, header_len)
                == (&other.uid, &other.gid, &other.start, &other.tar_len, &other.header_len)
            && (checksum, place) == (&other.checksum, &other.place)
    }
}

impl Eq for Entry {}

impl Entry {
    /// Returns the name as stored in the archive: it may be absolute or contain `..`.
    #[must_use]
    pub fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.path))
    }

    /// Returns the name, byte for byte.
    #[must_use]
    pub fn path_bytes(&self) -> &[u8] {
        &self.path
    }

    /// Returns the target of a link; `None` if the entry is not a link.
    #[must_use]
    pub fn link(&self) -> Option<&Path> {
        (!self.link.is_empty()).then(|| Path::new(OsStr::from_bytes(&self.link)))
    }

    /// Returns the kind of the entry.
    #[must_use]
    pub const fn kind(&self) -> EntryKind {
        self.kind
    }

    /// Returns the size of the contents, including holes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Returns the permissions, with setuid, setgid and sticky bit.
    #[must_use]
    pub const fn mode(&self) -> u32 {
        self.mode
    }

    /// Returns the modification time in seconds since 1970.
    #[must_use]
    pub const fn mtime(&self) -> i64 {
        self.mtime
    }

    /// Returns the nanoseconds of the modification time, in addition to [`mtime`](Self::mtime).
    /// 0 if the entry comes from an index, which does not have them.
    #[must_use]
    pub fn mtime_nanoseconds(&self) -> u32 {
        self.details.as_ref().map_or(0, |details| details.nanoseconds)
    }

    /// Returns the name of the owner; empty if the headers don't have it or the entry comes from
    /// an index.
    #[must_use]
    pub fn user_name(&self) -> &[u8] {
        self.details.as_ref().map_or(&[], |details| &details.user)
    }

    /// Returns the name of the group; empty if the headers don't have it or the entry comes from
    /// an index.
    #[must_use]
    pub fn group_name(&self) -> &[u8] {
        self.details.as_ref().map_or(&[], |details| &details.group)
    }

    /// Returns the major and minor number of a device; `None` if the entry is not a device or
    /// comes from an index.
    #[must_use]
    pub fn device(&self) -> Option<(u32, u32)> {
        self.details.as_ref()?.device
    }

    /// Returns the user ID of the owner.
    #[must_use]
    pub const fn uid(&self) -> u64 {
        self.uid
    }

    /// Returns the group ID.
    #[must_use]
    pub const fn gid(&self) -> u64 {
        self.gid
    }

    /// Returns the offset of its headers in the uncompressed tar.
    #[must_use]
    pub const fn tar_offset(&self) -> u64 {
        self.start
    }

    /// Returns the CRC-32 of its bytes in the tar: headers, contents and padding. 0 in the index
    /// of a plain tar, which is created without reading contents.
    #[must_use]
    pub const fn checksum(&self) -> u32 {
        self.checksum
    }

    /// Returns the offset of its first block in the file; `None` if the file has no blocks.
    #[must_use]
    pub fn block_offset(&self) -> Option<u64> {
        self.place.map(|place| place.block)
    }

    /// Creates an entry from its headers. The length in the tar and the checksum are filled in
    /// when the entry has been read.
    pub(crate) fn from_head(head: &Head, place: Option<Place>) -> Self {
        Self {
            path: head.path.as_slice().into(),
            link: head.link.as_slice().into(),
            kind: head.kind,
            size: head.size,
            mode: head.mode,
            mtime: head.mtime,
            uid: head.uid,
            gid: head.gid,
            start: head.start,
            tar_len: 0,
            header_len: head.header_len,
            checksum: 0,
            place,
            details: Some(Box::new(Details {
                user: head.owner.user.as_slice().into(),
                group: head.owner.group.as_slice().into(),
                device: head.device,
                nanoseconds: head.nanoseconds,
            })),
        }
    }

    pub(crate) fn end(&self) -> u64 {
        self.start + self.tar_len
    }
}

/// Strips the parts of a name that don't matter: leading `./` and trailing `/`.
pub(crate) fn trimmed(mut path: &[u8]) -> &[u8] {
    while let Some(rest) = path.strip_prefix(b"./") {
        path = rest.trim_ascii_start_slashes();
    }
    while let [rest @ .., b'/'] = path {
        path = rest;
    }
    path
}

trait TrimSlashes {
    fn trim_ascii_start_slashes(&self) -> &[u8];
}

impl TrimSlashes for [u8] {
    fn trim_ascii_start_slashes(&self) -> &[u8] {
        let first = self.iter().position(|byte| *byte != b'/').unwrap_or(self.len());
        &self[first..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_leading_dots_and_trailing_slashes() {
        for name in [&b"a/b"[..], b"./a/b", b"a/b/", b".//./a/b//"] {
            assert_eq!(trimmed(name), b"a/b");
        }
        assert_eq!(trimmed(b"./"), b"");
        assert_eq!(trimmed(b".hidden"), b".hidden");
    }
}
