//! The two ways to write gzip.

use uadk_compress::Level;

/// How a gzip file is laid out. Both are read by gzip and tar; by far not all readers read the second
/// one to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// One gzip member with a plain header, as gzip and pigz write it. It is made of segments that can be
    /// inflated in parallel, and every reader reads it.
    #[default]
    OneMember,
    /// Block gzip (BGZF): members of at most 64 KiB that say how long they are. htslib, Hail and Spark seek
    /// in it. Many readers take the first member for the whole file: see docs/archives.md.
    Bgzf,
}

impl Layout {
    /// The level of software at which a file has the ratio that gzip has at `level`.
    ///
    /// Segments have no history, but libdeflate is ahead of zlib by more than that costs: in one member it
    /// takes the level below.
    #[must_use]
    pub fn software_level(self, level: Level) -> Level {
        match (self, level.get()) {
            (Self::OneMember, above @ 2..=9) => Level::new(above - 1).unwrap_or(level),
            _ => level,
        }
    }
}
