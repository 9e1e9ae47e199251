//! Bytes in gzip members that hold no data.
//!
//! They are in the extra field of an empty member, which gzip skips. htslib takes no other extra field
//! than its own of 6 bytes, so an empty block of BGZF goes before that member and says that it is as
//! long as both together: htslib skips both, having found an empty deflate stream at the
//! beginning and the checksum and length of nothing at the end.

use std::io::{self, Read};

use crate::gzip::{EMPTY_DEFLATE, END_MARKER, TRAILER_LEN};

/// Kinds of contents.
pub(super) const RECORDS: u8 = b'R';
pub(super) const FOOTER: u8 = b'F';

const SUBFIELD: [u8; 2] = *b"UI";
/// The empty block, and the empty member's header up to and with the kind.
pub(super) const BEFORE: usize = END_MARKER.len() + 12 + 4 + 1;
/// Bytes around the contents.
pub(super) const OVERHEAD: usize = BEFORE + EMPTY_DEFLATE.len() + TRAILER_LEN;

/// The two members around `contents`, of 65,000 bytes at most.
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

/// Reads as many bytes as the two members say that they have.
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

/// Kind and contents of the two members at the beginning of `bytes`, and what is behind them.
pub(super) fn unwrap(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let len = usize::from(u16::from_le_bytes([*bytes.get(16)?, *bytes.get(17)?])) + 1;
    let member = bytes.get(..len)?;
    let contents = member.get(BEFORE..len.checked_sub(EMPTY_DEFLATE.len() + TRAILER_LEN)?)?;
    let kind = member[BEFORE - 1];
    // It is ours if it is what we would have made of it.
    let fits = contents.len() <= 65_000;
    (fits && wrap(kind, contents) == member).then_some((kind, contents, &bytes[len..]))
}
