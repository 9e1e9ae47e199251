//! What is known of an entry.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::gzip::Place;
use crate::kind::EntryKind;
use crate::scan::Head;

/// What only the headers tell of an entry, and no index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Details {
    user: Box<[u8]>,
    group: Box<[u8]>,
    device: Option<(u32, u32)>,
    nanoseconds: u32,
}

/// One entry of an archive: a file, a folder, a link.
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
    /// Where its first header begins in the tar.
    pub(crate) start: u64,
    /// Bytes of the tar, headers and padding included.
    pub(crate) tar_len: u64,
    /// Bytes of headers before the contents.
    pub(crate) header_len: u64,
    /// CRC-32 of its bytes in the tar, headers and padding included.
    pub(crate) checksum: u32,
    /// Where it begins in the file; `None` in gzip without sizes.
    pub(crate) place: Option<Place>,
    /// `None` if it is told by an index.
    pub(crate) details: Option<Box<Details>>,
}

/// Details that only headers have don't count: an index has none.
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
    /// The name in the archive, as it is there: it may be absolute, or have `..` in it.
    #[must_use]
    pub fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.path))
    }

    /// The name, byte for byte.
    #[must_use]
    pub fn path_bytes(&self) -> &[u8] {
        &self.path
    }

    /// Where a link leads; `None` for what is no link.
    #[must_use]
    pub fn link(&self) -> Option<&Path> {
        (!self.link.is_empty()).then(|| Path::new(OsStr::from_bytes(&self.link)))
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> EntryKind {
        self.kind
    }

    /// Bytes of its contents, holes included.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Permissions, with setuid, setgid and sticky bit.
    #[must_use]
    pub const fn mode(&self) -> u32 {
        self.mode
    }

    /// Seconds since 1970 of the last change.
    #[must_use]
    pub const fn mtime(&self) -> i64 {
        self.mtime
    }

    /// Billionths of a second that [`mtime`](Self::mtime) leaves out. Of an entry that an index tells, they
    /// are not known, and 0.
    #[must_use]
    pub fn mtime_nanoseconds(&self) -> u32 {
        self.details.as_ref().map_or(0, |details| details.nanoseconds)
    }

    /// The name of the owner; empty if the headers don't have it, or an index tells the entry.
    #[must_use]
    pub fn user_name(&self) -> &[u8] {
        self.details.as_ref().map_or(&[], |details| &details.user)
    }

    /// The name of the group; empty if the headers don't have it, or an index tells the entry.
    #[must_use]
    pub fn group_name(&self) -> &[u8] {
        self.details.as_ref().map_or(&[], |details| &details.group)
    }

    /// Major and minor number of a device; `None` for what is no device, and if an index tells the entry.
    #[must_use]
    pub fn device(&self) -> Option<(u32, u32)> {
        self.details.as_ref()?.device
    }

    /// The number of the owner.
    #[must_use]
    pub const fn uid(&self) -> u64 {
        self.uid
    }

    /// The number of the group.
    #[must_use]
    pub const fn gid(&self) -> u64 {
        self.gid
    }

    /// Byte of the uncompressed tar at which its headers begin.
    #[must_use]
    pub const fn tar_offset(&self) -> u64 {
        self.start
    }

    /// CRC-32 of its bytes in the tar: headers, contents and padding. 0 in the index of a plain tar, which is
    /// made without reading contents.
    #[must_use]
    pub const fn checksum(&self) -> u32 {
        self.checksum
    }

    /// Byte of the file at which its first block begins; `None` in what has no blocks.
    #[must_use]
    pub fn block_offset(&self) -> Option<u64> {
        self.place.map(|place| place.block)
    }

    /// What the headers say; the length in the tar and the checksum are known when it has been read.
    pub(crate) fn of_head(head: &Head, place: Option<Place>) -> Self {
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

/// A name without what doesn't matter: `./` before it, `/` behind it.
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
    fn names_are_compared_without_ornaments() {
        for name in [&b"a/b"[..], b"./a/b", b"a/b/", b".//./a/b//"] {
            assert_eq!(trimmed(name), b"a/b");
        }
        assert_eq!(trimmed(b"./"), b"");
        assert_eq!(trimmed(b".hidden"), b".hidden");
    }
}
