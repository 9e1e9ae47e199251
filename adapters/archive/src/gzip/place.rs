//! Places in a block-gzip file.

/// Where a byte of data is in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Bytes of the file before the block.
    pub(crate) block: u64,
    /// Bytes of data in the block before it.
    pub(crate) within: u32,
}
