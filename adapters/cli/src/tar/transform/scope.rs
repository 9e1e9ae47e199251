//! Names that an expression may apply to.

/// What a name is of; an expression may apply to some of them only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tar) enum Scope {
    /// The name of a member.
    Member,
    /// The target of a symbolic link.
    Symlink,
    /// The target of a hard link.
    HardLink,
}
