//! The decoded headers of an entry.

use crate::EntryKind;

/// Block size of a tar.
pub(super) const BLOCK: usize = 512;

/// The decoded headers of an entry.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) start: u64,
    pub(crate) header_len: u64,
    pub(crate) kind: EntryKind,
    pub(crate) path: Vec<u8>,
    pub(crate) link: Vec<u8>,
    /// Size of the contents, including holes.
    pub(crate) size: u64,
    /// Size of the contents in the tar.
    pub(crate) stored: u64,
    pub(crate) mode: u32,
    pub(crate) mtime: i64,
    pub(crate) nanoseconds: u32,
    /// The IDs; 0 if the headers have no readable ones (`None` in `owner`).
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    pub(crate) owner: Owner,
    /// Major and minor number of a device.
    pub(crate) device: Option<(u32, u32)>,
    /// The data segments, if there are holes.
    pub(crate) sparse: Option<Vec<Segment>>,
    /// Why the contents can't be read sequentially.
    pub(crate) unreadable: Option<Unreadable>,
    pub(crate) attributes: Box<Attributes>,
}

/// The owner of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owner {
    pub(crate) user: Vec<u8>,
    pub(crate) group: Vec<u8>,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
}

/// Optional attributes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes {
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Access control lists in the text form of star, GNU tar and libarchive.
    pub(crate) acl_access: Option<Vec<u8>>,
    pub(crate) acl_default: Option<Vec<u8>>,
    /// Whether there is an access control list of a kind that Linux does not have.
    pub(crate) acl_foreign: bool,
    pub(crate) selinux: Option<Vec<u8>>,
}

/// Contents that can't be read sequentially.
#[derive(Clone, Debug)]
pub(crate) enum Unreadable {
    /// The segments are not in the order of the file, or they overlap: the later one counts.
    Disordered(Vec<Segment>),
    /// It is unknown which parts of the file they are.
    Damaged(&'static str),
}

impl Unreadable {
    pub(crate) const fn what(&self) -> &'static str {
        match self {
            Self::Disordered(_) => "the segments of the sparse file are out of order",
            Self::Damaged(what) => what,
        }
    }
}

/// Properties of an entry that are known once it has been read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) tar_len: u64,
    pub(crate) checksum: u32,
}

/// A segment of data between holes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) offset: u64,
    pub(crate) len: u64,
}
