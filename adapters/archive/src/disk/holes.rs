//! Detection of holes in files, and their map in GNU tar's PAX format 1.0.

use std::fmt::Write;
use std::fs::File;

use rustix::fs::{SeekFrom, seek};

use crate::scan::Segment;

/// Maximum number of segments. A larger map would cost more than the holes save.
const MAX_SEGMENTS: usize = 100_000;

/// Returns the data segments; `None` if there are no holes or the file system can't report them.
pub(super) fn segments(file: &File, size: u64) -> Option<Vec<Segment>> {
    let mut segments = Vec::new();
    let mut end = 0;
    while end < size {
        let start = match seek(file, SeekFrom::Data(end)) {
            Ok(start) => start.min(size),
            Err(rustix::io::Errno::NXIO) => size,
            Err(_) => return rewind(file),
        };
        if start == size {
            break;
        }
        end = seek(file, SeekFrom::Hole(start)).ok().filter(|end| *end > start)?.min(size);
        segments.push(Segment { offset: start, len: end - start });
        if segments.len() > MAX_SEGMENTS {
            return rewind(file);
        }
    }
    if segments.first() == Some(&Segment { offset: 0, len: size }) {
        return rewind(file);
    }
    if segments.last().is_none_or(|last| last.offset + last.len < size) {
        // Sets the length of the file.
        segments.push(Segment { offset: size, len: 0 });
    }
    Some(segments)
}

fn rewind(file: &File) -> Option<Vec<Segment>> {
    // If this fails, reading will fail as well and report the error.
    let _ = seek(file, SeekFrom::Start(0));
    None
}

/// Encodes the map of PAX format 1.0: the number of segments, then the offset and length of each,
/// one number per line, padded to a full block.
pub(super) fn map(segments: &[Segment]) -> Vec<u8> {
    let mut map = format!("{}\n", segments.len());
    for Segment { offset, len } in segments {
        // Writing to a String can't fail.
        let _ = write!(map, "{offset}\n{len}\n");
    }
    let mut map = map.into_bytes();
    map.resize(map.len().next_multiple_of(512), 0);
    map
}
