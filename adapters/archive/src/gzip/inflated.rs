//! Statistics of data inflated without an engine.

use std::time::Duration;

/// Statistics of the data that a [`GzReader`](crate::GzReader) inflated without an engine.
///
/// ```
/// use std::io::Read;
/// use uadk_compress_archive::{GzOptions, GzReader};
///
/// let text = b"many lines\n".repeat(10_000);
/// let file = GzOptions::new().compress(&text[..], Vec::new())?;
///
/// let mut reader = GzReader::new(&file[..])?;
/// reader.read_to_end(&mut Vec::new())?;
/// let inflated = reader.inflated();
/// assert_eq!(inflated.bytes, text.len() as u64);
/// println!("{} compressed bytes in {:?}", inflated.compressed, inflated.time);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inflated {
    /// Number of segments, and of members or parts of members inflated in order.
    pub pieces: u64,
    /// Their compressed size in bytes.
    pub compressed: u64,
    /// Their uncompressed size in bytes.
    pub bytes: u64,
    /// Time spent inflating, summed over threads.
    pub time: Duration,
}

impl Inflated {
    pub(super) fn add(&mut self, other: Self) {
        self.pieces += other.pieces;
        self.compressed += other.compressed;
        self.bytes += other.bytes;
        self.time += other.time;
    }
}
