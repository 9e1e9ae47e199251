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
    /// The numbers; 0 in `owner` if the headers have none that can be read.
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    pub(crate) owner: Owner,
    /// Major and minor number of a device.
    pub(crate) device: Option<(u32, u32)>,
    /// Where there is data, if there are holes.
    pub(crate) sparse: Option<Vec<Segment>>,
    /// Why the contents can't be read one byte after the other.
    pub(crate) unreadable: Option<Unreadable>,
    pub(crate) attributes: Box<Attributes>,
}

/// Who a file belongs to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owner {
    pub(crate) user: Vec<u8>,
    pub(crate) group: Vec<u8>,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
}

/// Attributes besides those that each file has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes {
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Access control lists as text, as star, GNU tar and libarchive write them.
    pub(crate) acl_access: Option<Vec<u8>>,
    pub(crate) acl_default: Option<Vec<u8>>,
    /// An access control list of a kind that Linux does not have.
    pub(crate) acl_foreign: bool,
    pub(crate) selinux: Option<Vec<u8>>,
}

/// Contents that can't be read one byte after the other.
#[derive(Clone, Debug)]
pub(crate) enum Unreadable {
    /// The pieces are there, in another order than in the file, or they overlap: the later one counts.
    Disordered(Vec<Segment>),
    /// Nobody knows which bytes of the file they are.
    Damaged(&'static str),
}

impl Unreadable {
    pub(crate) const fn what(&self) -> &'static str {
        match self {
            Self::Disordered(_) => "the pieces of the sparse file are not in order",
            Self::Damaged(what) => what,
        }
    }
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
