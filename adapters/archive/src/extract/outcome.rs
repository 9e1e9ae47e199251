//! What becomes of entries.

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extracted {
    /// It is on disk.
    Done,
    /// What was there stays, as [`Existing::Skip`](crate::Existing::Skip) says.
    Kept,
    /// It can't be put on disk, or is not allowed to: the text says why.
    Skipped(&'static str),
}
