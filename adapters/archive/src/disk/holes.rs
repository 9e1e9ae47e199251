//! Where a file has data, and how GNU tar's old format says it, which everybody reads.

use std::fs::File;

use rustix::fs::{SeekFrom, seek};
use tar::{EntryType, GnuExtSparseHeader, GnuSparseHeader, Header};

use crate::scan::Segment;

/// A map of more pieces would cost more than the holes are worth.
const MAX_SEGMENTS: usize = 100_000;

/// The pieces of data; `None` if there are no holes or the file system can't tell.
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
        // So that the file gets its length.
        segments.push(Segment { offset: size, len: 0 });
    }
    Some(segments)
}

fn rewind(file: &File) -> Option<Vec<Segment>> {
    // Where this fails, reading will too, and say so.
    let _ = seek(file, SeekFrom::Start(0));
    None
}

/// Makes the header that of a sparse file; gives the blocks that go behind it.
pub(super) fn write_map(
    header: &mut Header,
    segments: &[Segment],
    size: u64,
    stored: u64,
) -> Vec<u8> {
    header.set_entry_type(EntryType::GNUSparse);
    header.set_size(stored);
    let mut more = Vec::new();
    let Some(gnu) = header.as_gnu_mut() else { return more };
    gnu.set_real_size(size);
    let (first, rest) = segments.split_at(segments.len().min(gnu.sparse.len()));
    fill(&mut gnu.sparse, first);
    gnu.set_is_extended(!rest.is_empty());
    let mut pieces = rest.chunks(21).peekable();
    while let Some(piece) = pieces.next() {
        let mut block = GnuExtSparseHeader::new();
        fill(block.sparse_mut(), piece);
        block.set_is_extended(pieces.peek().is_some());
        more.extend(block.as_bytes());
    }
    more
}

fn fill(headers: &mut [GnuSparseHeader], segments: &[Segment]) {
    for (header, segment) in headers.iter_mut().zip(segments) {
        header.set_offset(segment.offset);
        header.set_length(segment.len);
    }
}
