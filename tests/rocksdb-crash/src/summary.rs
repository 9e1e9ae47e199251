//! What a run has done.

use std::fmt;

use crate::round::Kill;

/// Counts of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    between: u32,
    in_block: u32,
    at_start: u32,
    pub(crate) acknowledged: u64,
    /// Operations in flight that turned out to be done.
    pub(crate) done: usize,
    /// Operations in flight that turned out not to be done.
    pub(crate) not_done: usize,
    /// How often RocksDB read the database without us.
    pub(crate) without_us: u32,
    /// Blocks that the accelerator and software processed, as far as they were reported.
    pub(crate) blocks: Blocks,
    /// Table files that `sst_dump` has verified at the end.
    pub(crate) tables: usize,
}

/// Blocks, by the engine that processed them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Blocks {
    pub(crate) accelerator: u64,
    pub(crate) software: u64,
}

impl Summary {
    pub(crate) fn count_kill(&mut self, kill: Kill) {
        match kill {
            Kill::Acknowledged { .. } => self.between += 1,
            Kill::Block { .. } => self.in_block += 1,
            Kill::Started { .. } => self.at_start += 1,
        }
    }

    /// Adds the blocks of one child.
    pub(crate) const fn add(&mut self, blocks: Blocks) {
        self.blocks.accelerator += blocks.accelerator;
        self.blocks.software += blocks.software;
    }

    pub(crate) const fn kills(&self) -> u32 {
        self.between + self.in_block + self.at_start
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { between, in_block, at_start, .. } = self;
        write!(f, "{} kills: {between} at an acknowledgement, ", self.kills())?;
        writeln!(f, "{in_block} in a block, {at_start} soon after the start")?;
        write!(f, "  {} operations acknowledged; of those in flight, ", self.acknowledged)?;
        write!(f, "{} were done and {} were not; ", self.done, self.not_done)?;
        writeln!(f, "read {} times without us", self.without_us)?;
        let Blocks { accelerator, software } = self.blocks;
        write!(f, "  {accelerator} blocks by the accelerator, {software} by software; ")?;
        write!(f, "{} table files verified by sst_dump", self.tables)
    }
}
