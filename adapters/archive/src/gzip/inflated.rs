//! What is inflated without an engine.

use std::time::Duration;

/// What a [`GzReader`](crate::GzReader) inflated without an engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inflated {
    /// Segments, and members or rests of them that were inflated in order.
    pub pieces: u64,
    /// Bytes of deflate streams that they were made of.
    pub compressed: u64,
    /// Bytes of data.
    pub bytes: u64,
    /// Time spent in that, summed over threads.
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
