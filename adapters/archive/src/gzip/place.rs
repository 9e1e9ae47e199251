//! Places in a gzip file.

/// The location of a data byte in the file, like a virtual offset of BGZF.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// File offset of the block or segment.
    pub(crate) block: u64,
    /// Offset of the byte in the uncompressed data of that block.
    pub(crate) within: u32,
}
