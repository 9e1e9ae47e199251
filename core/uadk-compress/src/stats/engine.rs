//! The work of one engine.

use std::time::Duration;

/// One engine's work.
///
/// ```
/// use uadk_compress::stats::EngineStats;
/// use uadk_compress::{BlockCompressor, Compressor};
///
/// let compressor = Compressor::builder().build()?;
/// compressor.compress(&[7; 4096], &mut [0; 8192])?;
/// let both: EngineStats = compressor.stats().together();
/// assert_eq!((both.compress.blocks, both.decompress.blocks), (1, 0));
/// assert_eq!(both.blocks(), 1);
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineStats {
    /// Blocks to compress.
    pub compress: OpStats,
    /// Blocks to decompress.
    pub decompress: OpStats,
}

impl EngineStats {
    /// Returns the number of blocks of both directions.
    #[must_use]
    pub const fn blocks(&self) -> u64 {
        self.compress.blocks + self.decompress.blocks
    }
}

/// One engine's work in one direction.
///
/// ```
/// use uadk_compress::stats::OpStats;
/// use uadk_compress::{BlockCompressor, Compressor};
///
/// let compressor = Compressor::builder().build()?;
/// let len = compressor.compress(&[7; 4096], &mut [0; 8192])?;
/// let work: OpStats = compressor.stats().together().compress;
/// assert_eq!((work.bytes_in, work.bytes_out), (4096, len as u64));
/// println!("compressed to {:.1} %", 100.0 * work.bytes_out as f64 / work.bytes_in as f64);
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpStats {
    /// Blocks processed, whatever the result.
    pub blocks: u64,
    /// Of these, blocks whose result did not fit into the destination.
    pub output_full: u64,
    /// Of these, blocks that ended in another error.
    pub errors: u64,
    /// Input bytes of all blocks.
    pub bytes_in: u64,
    /// Output bytes of the blocks that succeeded.
    pub bytes_out: u64,
    /// Time that callers spent in the engine, summed over threads. The software engine's time is
    /// estimated from one block in sixteen.
    pub time: Duration,
}
