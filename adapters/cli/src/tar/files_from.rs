//! Reads files with names or patterns.

use std::io::{self, Read};
use std::path::Path;

use crate::streams;

/// Reads a whole file; `-` is stdin.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if streams::is_dash(path) {
        streams::stdin()?.read_to_end(&mut bytes)?;
    } else {
        bytes = std::fs::read(path)?;
    }
    Ok(bytes)
}
