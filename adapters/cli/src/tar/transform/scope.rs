//! Names that an expression may apply to.

use uadk_compress_archive::EntryKind;

/// The kind of a name; an expression may apply to some kinds only.
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
    /// Returns the scope of a member's link target.
    pub(in crate::tar) fn for_target(kind: EntryKind) -> Self {
        match kind {
            EntryKind::HardLink => Self::HardLink,
            _ => Self::Symlink,
        }
    }
}
