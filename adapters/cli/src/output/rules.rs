//! What may happen to what is at an output's place.

/// What may be done with what is at an output's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Whether a regular file is replaced; without it, one is refused.
    pub(crate) force: bool,
    /// What a symlink stands for.
    pub(crate) links: Links,
    /// What happens to FIFOs, terminals and character devices.
    pub(crate) nodes: Nodes,
}

/// What a symlink at an output's place stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// The file that it points to, as for tar: that one is replaced.
    Follow,
    /// Itself, as for gzip: it is replaced, and what it points to stays.
    Replace,
}

/// What happens to FIFOs, terminals and character devices. Block devices are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nodes {
    /// They are written to, and stay what they are.
    Through,
    /// An error.
    Refuse,
}
