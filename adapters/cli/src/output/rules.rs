//! What may happen to an existing file at an output path.

/// What may be done with an existing file at an output path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Whether a regular file is replaced; otherwise it is an error.
    pub(crate) force: bool,
    /// How a symlink is treated.
    pub(crate) links: Links,
    /// What happens to FIFOs, terminals and character devices.
    pub(crate) nodes: Nodes,
}

/// How a symlink at an output path is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// The file that it points to is replaced, as for tar.
    Follow,
    /// The link is replaced and its target stays, as for gzip.
    Replace,
}

/// What happens to FIFOs, terminals and character devices. Block devices are always refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nodes {
    /// They are written to.
    Through,
    /// An error.
    Refuse,
}
