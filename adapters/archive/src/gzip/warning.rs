//! Warnings about oddities of a gzip file that don't prevent reading it.

/// An oddity of a gzip file, all of whose data was read.
///
/// ```
/// use std::io::Read;
/// use uadk_compress_archive::{GzOptions, GzWarning};
///
/// let options = GzOptions::new().trailing_garbage(true);
/// let mut file = options.compress(&b"remember the milk"[..], Vec::new())?;
/// let offset = file.len() as u64;
/// file.extend(b"not gzip");
///
/// let mut reader = options.reader(&file[..])?;
/// reader.read_to_end(&mut Vec::new())?;
/// assert_eq!(reader.warnings(), [GzWarning::TrailingGarbage { offset }]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GzWarning {
    /// The data is followed by something that is not gzip.
    TrailingGarbage {
        /// File offset at which it begins.
        offset: u64,
    },
    /// Block gzip has no end marker: it may have been cut off between two blocks.
    NoEndMarker,
}

impl std::fmt::Display for GzWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TrailingGarbage { offset } => {
                write!(f, "trailing garbage at byte {offset} ignored")
            }
            Self::NoEndMarker => f.write_str(
                "the end marker of block gzip is missing: the file may have been cut off",
            ),
        }
    }
}
