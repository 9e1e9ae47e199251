//! Errors of snapshots.

pub(crate) use crate::damage::{Damage, Part};
pub(crate) use crate::error::Error as SnapshotError;

pub(crate) const fn damaged(part: Part, offset: u64) -> SnapshotError {
    SnapshotError::Damaged(Damage { part, offset })
}
