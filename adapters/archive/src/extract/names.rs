//! Names of entries as names below the folder that is extracted into.

use crate::scan::Head;
use crate::{Error, Result};

/// The name below the folder that is extracted into.
pub(super) fn path_of(head: &Head) -> &[u8] {
    relative(&head.path)
}

/// A name without `/` at its beginning.
pub(super) fn relative(path: &[u8]) -> &[u8] {
    &path[path.iter().position(|byte| *byte != b'/').unwrap_or(path.len())..]
}

/// The parts of a name.
///
/// # Errors
///
/// For a name that leads out of the folder.
pub(super) fn split(path: &[u8]) -> Result<Vec<&[u8]>> {
    let parts: Vec<_> =
        path.split(|byte| *byte == b'/').filter(|part| !matches!(part, [] | [b'.'])).collect();
    if parts.iter().any(|part| *part == b"..") {
        return Err(Error::unnamed(
            "its name, or the one that it links to, has .. in it; it is not extracted",
        ));
    }
    Ok(parts)
}
