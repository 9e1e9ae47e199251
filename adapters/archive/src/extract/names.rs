//! Names of entries relative to the target directory.

use crate::scan::Head;
use crate::{Error, Result};

/// Returns the name relative to the target directory.
pub(super) fn path_of(head: &Head) -> &[u8] {
    relative(&head.path)
}

/// Strips leading `/` from a name.
pub(super) fn relative(path: &[u8]) -> &[u8] {
    &path[path.iter().position(|byte| *byte != b'/').unwrap_or(path.len())..]
}

/// Splits a name into its components.
///
/// # Errors
///
/// If the name contains `..`, which could lead out of the target directory.
pub(super) fn split(path: &[u8]) -> Result<Vec<&[u8]>> {
    let parts: Vec<_> =
        path.split(|byte| *byte == b'/').filter(|part| !matches!(part, [] | [b'.'])).collect();
    if parts.iter().any(|part| *part == b"..") {
        return Err(Error::unnamed("member name or link target contains '..'; not extracted"));
    }
    Ok(parts)
}
