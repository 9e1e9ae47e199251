//! What one engine did.

use std::time::Duration;

/// One engine's work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineStats {
    /// Blocks to compress.
    pub compress: OpStats,
    /// Blocks to decompress.
    pub decompress: OpStats,
}

impl EngineStats {
    /// Blocks of both directions.
    #[must_use]
    pub const fn blocks(&self) -> u64 {
        self.compress.blocks + self.decompress.blocks
    }
}

/// One engine's work in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpStats {
    /// Blocks answered, whatever the answer.
    pub blocks: u64,
    /// Of these, blocks whose result did not fit into the destination.
    pub output_full: u64,
    /// Of these, blocks that ended in another error.
    pub errors: u64,
    /// Bytes read, of all blocks.
    pub bytes_in: u64,
    /// Bytes written, of the blocks that succeeded.
    pub bytes_out: u64,
    /// Time that callers spent in the engine, summed over threads. The software engine's is
    /// estimated from one block in sixteen.
    pub time: Duration,
}
