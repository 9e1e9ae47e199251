//! The direction of a block.

use crate::{BlockCompressor, Error};

/// Whether a block is to be compressed or decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Compress,
    Decompress,
}

impl Direction {
    /// Processes one block in this direction.
    pub(crate) fn run(
        self,
        engine: &dyn BlockCompressor,
        src: &[u8],
        dst: &mut [u8],
    ) -> Result<usize, Error> {
        match self {
            Self::Compress => engine.compress(src, dst),
            Self::Decompress => engine.decompress(src, dst),
        }
    }
}
