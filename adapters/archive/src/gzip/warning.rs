//! What is odd in a gzip file and does not keep it from being read.

/// Something odd in a gzip file, all of whose data was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GzWarning {
    /// The data is followed by something that is not gzip.
    TrailingGarbage {
        /// Byte of the file at which it begins.
        offset: u64,
    },
    /// Block gzip has no end marker: it may have been cut off between two blocks.
    NoEndMarker,
}

impl std::fmt::Display for GzWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TrailingGarbage { offset } => {
                write!(f, "trailing garbage from byte {offset} on is ignored")
            }
            Self::NoEndMarker => f.write_str(
                "the end marker of block gzip is missing: the file may have been cut off",
            ),
        }
    }
}
