//! Damage in a snapshot.

/// A damaged part of a snapshot, and its position.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// The damaged part.
    pub part: Part,
    /// Its offset in the file.
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
        /// The guest address of its first byte.
        address: u64,
        /// Bytes of guest memory that it covers.
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
