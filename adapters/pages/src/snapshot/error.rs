//! What can go wrong with a snapshot.

use std::io;

use uadk_compress::pool::Panicked;

/// Why a snapshot can't be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The file or pipe failed.
    #[error("the snapshot can't be read or written: {0}")]
    Io(#[from] io::Error),
    /// The guest's memory, or the file that stands for it, failed.
    #[error("the guest's memory can't be read or written: {0}")]
    Memory(io::Error),
    /// The compressor or the guest's memory, which may be implementations of the user's own,
    /// panicked.
    #[error("the snapshot can't be saved or restored: {0}")]
    Panicked(#[from] Panicked),
    /// It is something else.
    #[error("this is no snapshot: it begins with other bytes")]
    NotASnapshot,
    /// It is of a later version.
    #[error("the snapshot is of version {0}, and this program reads version 1: use a newer one")]
    Version(u32),
    /// A part is not as it was written.
    #[error("{0}")]
    Damaged(Damage),
    /// Its writer did not finish, or it was cut off.
    #[error(
        "the snapshot is incomplete: its writer did not finish, or its end is lost. What is whole \
         of it can be restored when asked for"
    )]
    Incomplete,
    /// The layout can't be that of a guest.
    #[error("the memory's layout is not possible: {0}")]
    Layout(String),
    /// A delta and a snapshot that it was not made on.
    #[error(
        "snapshot number {0} of the chain was not made on the one before it: give the base first, then the deltas in the order in which they were made"
    )]
    Chain(usize),
    /// A delta without its base.
    #[error("the snapshot has only the pages that changed since another one: give that one first")]
    NeedsParent,
    /// An engine that does not fit, or an address that is not there.
    #[error("{0}")]
    Unsupported(String),
}

/// A part of a snapshot that is not as it was written, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Which part.
    pub part: Part,
    /// Where it begins in the file.
    pub offset: u64,
}

/// A part of a snapshot file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The header.
    Header,
    /// A group's table of clusters.
    Group,
    /// A cluster.
    Cluster {
        /// The guest address at which it begins.
        address: u64,
        /// Bytes of memory that it stands for.
        len: u64,
    },
    /// The index.
    Index,
    /// The trailer.
    Trailer,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.part {
            Part::Header => write!(f, "the header is damaged"),
            Part::Group => write!(f, "the table of a group of clusters is damaged"),
            Part::Cluster { address, len } => {
                write!(f, "guest memory from {address:#x} to {:#x} is damaged", address + len)
            }
            Part::Index => write!(f, "the index is damaged"),
            Part::Trailer => write!(f, "the trailer is damaged"),
        }?;
        write!(f, ", at byte {} of the file", self.offset)
    }
}

pub(crate) const fn damaged(part: Part, offset: u64) -> SnapshotError {
    SnapshotError::Damaged(Damage { part, offset })
}
