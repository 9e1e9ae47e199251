//! What the headers of an entry say.

use crate::EntryKind;

/// Bytes of a block of a tar.
pub(super) const BLOCK: usize = 512;

/// What the headers of an entry say.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) start: u64,
    pub(crate) header_len: u64,
    pub(crate) kind: EntryKind,
    pub(crate) path: Vec<u8>,
    pub(crate) link: Vec<u8>,
    /// Bytes of contents, holes included.
    pub(crate) size: u64,
    /// Bytes of contents in the tar.
    pub(crate) stored: u64,
    pub(crate) mode: u32,
    pub(crate) mtime: i64,
    pub(crate) nanoseconds: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    /// Where there is data, if there are holes.
    pub(crate) sparse: Option<Vec<Segment>>,
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What an entry turned out to be when it was read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) tar_len: u64,
    pub(crate) checksum: u32,
}

/// A piece of data between holes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) offset: u64,
    pub(crate) len: u64,
}
