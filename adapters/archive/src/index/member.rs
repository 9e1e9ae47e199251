//! Hides bytes in gzip members that hold no data.
//!
//! They are in the extra field of an empty member, which gzip skips. htslib accepts no extra field
//! but its own of 6 bytes. So an empty BGZF block precedes that member, with a size that covers
//! both: htslib skips both, having found an empty deflate stream at the beginning and the checksum
//! and length of nothing at the end.

use std::io::{self, Read};

use crate::gzip::{EMPTY_DEFLATE, END_MARKER, TRAILER_LEN};

/// Kinds of contents: index records, and the footer.
pub(super) const RECORDS: u8 = b'R';
pub(super) const FOOTER: u8 = b'F';

const SUBFIELD: [u8; 2] = *b"UI";
/// Bytes of the empty block, and of the empty member's header up to and including the kind.
pub(super) const BEFORE: usize = END_MARKER.len() + 12 + 4 + 1;
/// Bytes around the contents.
pub(super) const OVERHEAD: usize = BEFORE + EMPTY_DEFLATE.len() + TRAILER_LEN;

/// Wraps `contents`, of at most 65,000 bytes, in the two members.
pub(super) fn wrap(kind: u8, contents: &[u8]) -> Vec<u8> {
    let len = OVERHEAD + contents.len();
    let mut bytes = Vec::with_capacity(len);
    bytes.extend(END_MARKER);
    bytes[16..18].copy_from_slice(&((len - 1) as u16).to_le_bytes());
    bytes.extend([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff]);
    bytes.extend((contents.len() as u16 + 5).to_le_bytes());
    bytes.extend(SUBFIELD);
    bytes.extend((contents.len() as u16 + 1).to_le_bytes());
    bytes.push(kind);
    bytes.extend(contents);
    bytes.extend(EMPTY_DEFLATE);
    bytes.extend([0; TRAILER_LEN]);
    bytes
}

/// Reads the two members by the size that the first one declares.
pub(super) fn read_members(input: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    const HEADER: usize = 18;
    bytes.clear();
    input.by_ref().take(HEADER as u64).read_to_end(bytes)?;
    if let [.., a, b] = bytes[..]
        && bytes.len() == HEADER
    {
        let len = u64::from(u16::from_le_bytes([a, b])) + 1;
        input.take(len.saturating_sub(HEADER as u64)).read_to_end(bytes)?;
    }
    Ok(())
}

/// Returns the kind and contents of the two members at the beginning of `bytes`, and the bytes
/// after them.
pub(super) fn unwrap(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let len = usize::from(u16::from_le_bytes([*bytes.get(16)?, *bytes.get(17)?])) + 1;
    let member = bytes.get(..len)?;
    let contents = member.get(BEFORE..len.checked_sub(EMPTY_DEFLATE.len() + TRAILER_LEN)?)?;
    let kind = member[BEFORE - 1];
    // Accepted only if `wrap` would have made the same bytes.
    let fits = contents.len() <= 65_000;
    (fits && wrap(kind, contents) == member).then_some((kind, contents, &bytes[len..]))
}
