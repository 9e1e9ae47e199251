//! Where the members of a file are.

/// Where the members that have been seen begin.
#[derive(Debug, Default)]
pub(super) struct BlockMap {
    pub(super) members: Vec<Start>,
    /// Where the first begins that has not been seen.
    pub(super) frontier: Start,
    /// Whether there is none.
    pub(super) complete: bool,
}

/// Where a member begins.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Start {
    /// In the file.
    pub(super) file: u64,
    /// In the data.
    pub(super) data: u64,
}
