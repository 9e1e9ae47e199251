//! Headers and trailers of gzip members (RFC 1952), and the extra field of BGZF (SAM
//! specification, 4.1).

use std::borrow::Cow;

/// Bytes of data in a full block, as in htslib: incompressible data still fits.
pub(crate) const BLOCK_LEN: usize = 0xff00;
/// The maximum data of a BGZF member.
pub(crate) const MAX_BLOCK_LEN: usize = 1 << 16;
/// The maximum length of a BGZF member, including header and trailer: its size minus one has 16
/// bits.
pub(crate) const MAX_MEMBER_LEN: usize = 1 << 16;
/// Bytes before the deflate stream of a block that we write.
pub(crate) const HEADER_LEN: usize = 18;
/// CRC-32 and length.
pub(crate) const TRAILER_LEN: usize = 8;
/// The maximum data per byte of a deflate stream: four matches of length 258, two bits each.
pub(crate) const MAX_DEFLATED: u64 = 1032;
/// A deflate stream without data.
pub(crate) const EMPTY_DEFLATE: [u8; 2] = [3, 0];

/// The empty member at the end of a BGZF file, byte for byte.
pub(crate) const END_MARKER: [u8; 28] = [
    0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0, 27, 0, 3, 0, 0, 0, 0, 0, 0, 0,
    0, 0,
];

/// The first bytes of a member.
pub(crate) const MAGIC: [u8; 2] = [0x1f, 0x8b];
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const HEADER_CRC: u8 = 2;
const RESERVED: u8 = 0xe0;

/// A gzip header is rejected if its name, comment and extra field are longer than this.
pub(crate) const MAX_HEADER_LEN: usize = 192 << 10;

/// A member's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// The header declares the length of the member.
    Block {
        /// Bytes before the deflate stream.
        header_len: usize,
        /// Declared length of the member, which may be wrong.
        len: usize,
    },
    /// The header does not declare it: the end of the member is found by inflating it.
    Unsized {
        /// Bytes before the deflate stream.
        header_len: usize,
    },
    /// More bytes are needed to decide.
    Incomplete,
}

/// Parses the header at the beginning of `bytes`. Returns `Err` with a description if it is
/// invalid, and `None` if it is not a gzip header at all.
pub(crate) fn parse(bytes: &[u8]) -> Option<Result<Header, Cow<'static, str>>> {
    if !MAGIC.starts_with(&bytes[..bytes.len().min(2)]) {
        return None;
    }
    if bytes.len() < 12 {
        return Some(Ok(Header::Incomplete));
    }
    let (method, flags) = (bytes[2], bytes[3]);
    if method != 8 || flags & RESERVED != 0 {
        return Some(Err("unsupported compression method or header flags".into()));
    }
    let header = parse_fields(bytes, flags).unwrap_or(Header::Incomplete);
    Some(check_crc(bytes, flags, header).map(|()| header))
}

/// Verifies the header's checksum, if it has one: the low half of a CRC-32.
fn check_crc(bytes: &[u8], flags: u8, header: Header) -> Result<(), Cow<'static, str>> {
    let (Header::Block { header_len, .. } | Header::Unsized { header_len }) = header else {
        return Ok(());
    };
    if flags & HEADER_CRC == 0 {
        return Ok(());
    }
    let (before, crc) = bytes[..header_len].split_at(header_len - 2);
    if crc == &libdeflater::crc32(before).to_le_bytes()[..2] {
        return Ok(());
    }
    Err("header checksum mismatch".into())
}

/// Parses the fields after the flags; `None` if `bytes` is too short.
fn parse_fields(bytes: &[u8], flags: u8) -> Option<Header> {
    let mut at = 10;
    let mut block_len = None;
    if flags & EXTRA != 0 {
        let len = usize::from(u16_at(bytes, at)?);
        at += 2;
        block_len = find_block_len(bytes.get(at..at + len)?);
        at += len;
    }
    for _ in 0..(flags & (NAME | COMMENT)).count_ones() {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0)? + 1;
    }
    if flags & HEADER_CRC != 0 {
        at += 2;
    }
    if bytes.len() < at {
        return None;
    }
    Some(match block_len {
        Some(len) => Header::Block { header_len: at, len },
        None => Header::Unsized { header_len: at },
    })
}

/// Returns the length in BGZF's subfield.
fn find_block_len(mut extra: &[u8]) -> Option<usize> {
    while let (Some(id), Some(len)) = (extra.get(..2), u16_at(extra, 2)) {
        let value = extra.get(4..4 + usize::from(len))?;
        if id == b"BC" && len == 2 {
            return u16_at(value, 0).map(|len| usize::from(len) + 1);
        }
        extra = &extra[4 + usize::from(len)..];
    }
    None
}

/// Returns the header of a member that is not a block, with the file's name and time, if known.
pub(super) fn plain_header(name: Option<&[u8]>, mtime: u32) -> Vec<u8> {
    const UNIX: u8 = 3;
    let mut header = vec![0x1f, 0x8b, 8, if name.is_some() { NAME } else { 0 }];
    header.extend(mtime.to_le_bytes());
    header.extend([0, UNIX]);
    if let Some(name) = name {
        // A NUL terminates the name.
        header.extend(name.iter().copied().filter(|byte| *byte != 0));
        header.push(0);
    }
    header
}

/// Returns the header of a block of `len` bytes, including the header.
pub(crate) fn block_header(len: usize) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header.copy_from_slice(&END_MARKER[..HEADER_LEN]);
    debug_assert!(len <= MAX_MEMBER_LEN && len > 0);
    header[16..].copy_from_slice(&((len - 1) as u16).to_le_bytes());
    header
}

/// Returns the trailer of a member with data of this CRC-32 and length.
pub(crate) fn trailer(crc: u32, len: u64) -> [u8; TRAILER_LEN] {
    let mut trailer = [0; TRAILER_LEN];
    trailer[..4].copy_from_slice(&crc.to_le_bytes());
    trailer[4..].copy_from_slice(&(len as u32).to_le_bytes());
    trailer
}

/// Returns the CRC-32 and the length modulo 2^32 from the trailer at the end of `member`.
pub(crate) fn read_trailer(member: &[u8]) -> (u32, u32) {
    let trailer = &member[member.len() - TRAILER_LEN..];
    let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| trailer[at + i]));
    (word(0), word(4))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_marker_is_a_block_of_28_bytes() {
        let header = parse(&END_MARKER).expect("gzip").expect("a valid header");
        assert_eq!(header, Header::Block { header_len: 18, len: 28 });
        assert_eq!(read_trailer(&END_MARKER), (0, 0));
        assert_eq!(block_header(28), END_MARKER[..18]);
    }

    #[test]
    fn a_header_is_incomplete_at_every_shorter_length() {
        let mut header = vec![0x1f, 0x8b, 8, EXTRA | NAME | COMMENT | HEADER_CRC];
        header.extend([0; 6]);
        header.extend([4, 0, b'x', b'y', 0, 0]);
        header.extend(b"name\0comment\0");
        let crc = libdeflater::crc32(&header);
        header.extend(&crc.to_le_bytes()[..2]);
        for len in 0..header.len() {
            assert_eq!(parse(&header[..len]), Some(Ok(Header::Incomplete)), "{len}");
        }
        let header_len = header.len();
        assert_eq!(parse(&header), Some(Ok(Header::Unsized { header_len })));
        header[header_len - 1] ^= 1;
        assert!(matches!(parse(&header), Some(Err(_))), "checksum mismatch");
    }

    #[test]
    fn the_size_is_found_after_other_subfields() {
        let mut header = vec![0x1f, 0x8b, 8, EXTRA, 0, 0, 0, 0, 0, 0xff, 13, 0];
        header.extend([b'x', b'y', 3, 0, 1, 2, 3, b'B', b'C', 2, 0, 99, 1]);
        let expected = Header::Block { header_len: 25, len: 0x163 + 1 };
        assert_eq!(parse(&header), Some(Ok(expected)));
    }

    #[test]
    fn other_formats_are_distinguished_from_invalid_gzip() {
        assert_eq!(parse(b"PK"), None);
        assert_eq!(parse(b"\x1f\x8c"), None);
        assert!(matches!(parse(&[0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Some(Err(_))));
    }
}
