//! Names that an expression may apply to.

use uadk_compress_archive::EntryKind;

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

impl Scope {
    /// That of the target of a member.
    pub(in crate::tar) fn of_target(kind: EntryKind) -> Self {
        match kind {
            EntryKind::HardLink => Self::HardLink,
            _ => Self::Symlink,
        }
    }
}
