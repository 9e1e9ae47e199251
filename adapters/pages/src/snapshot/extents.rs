//! Finds holes in a file.

use std::fs::File;
use std::ops::Range;

use parking_lot::Mutex;
use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

/// Caches the last extent: neighbouring pages are usually in the same extent.
#[derive(Debug, Default)]
pub(super) struct Extents {
    last: Mutex<Option<Extent>>,
}

#[derive(Clone, Debug)]
struct Extent {
    range: Range<u64>,
    is_hole: bool,
}

impl Extents {
    /// Returns whether these bytes are all in one hole; always `false` if the file system does not
    /// report holes.
    pub(super) fn is_hole(&self, file: &File, bytes: Range<u64>) -> bool {
        let mut last = self.last.lock();
        if !last.as_ref().is_some_and(|extent| extent.range.contains(&bytes.start)) {
            *last = Some(Extent::find(file, bytes.start));
        }
        last.as_ref().is_some_and(|extent| extent.is_hole && bytes.end <= extent.range.end)
    }
}

impl Extent {
    /// Finds the extent that contains a byte. Moves the file's position, which nothing else uses.
    fn find(file: &File, start: u64) -> Self {
        let up_to = |hole_end: Option<u64>| {
            let range = start..hole_end.unwrap_or(u64::MAX);
            Self { range, is_hole: hole_end.is_some() }
        };
        match seek(file, SeekFrom::Data(start)) {
            Ok(data) if data > start => up_to(Some(data)),
            Ok(_) => match seek(file, SeekFrom::Hole(start)) {
                Ok(hole) => Self { range: start..hole.max(start + 1), is_hole: false },
                Err(_) => up_to(None),
            },
            // The rest of the file is a hole, unless `start` is past its end.
            Err(Errno::NXIO) => {
                let len = file.metadata().map_or(0, |metadata| metadata.len());
                if len > start { up_to(Some(len)) } else { up_to(None) }
            }
            Err(_) => up_to(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn holes_are_found_before_between_and_after_data() {
        let file = tempfile::tempfile().expect("a file");
        let mib = 1 << 20;
        file.set_len(16 * mib).expect("a length");
        for start in [2 * mib, 8 * mib] {
            file.write_all_at(&vec![1; 1 << 20], start).expect("written");
        }
        let extents = Extents::default();
        for part in 0..16 {
            let data = part == 2 || part == 8;
            let bytes = part * mib..part * mib + 4096;
            assert_eq!(extents.is_hole(&file, bytes), !data, "{part}");
        }
        assert!(!extents.is_hole(&file, mib..3 * mib), "partly a hole");
        assert!(!extents.is_hole(&file, 16 * mib..17 * mib), "past the end");
    }
}
