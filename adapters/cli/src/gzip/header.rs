//! The header of a gzip member (RFC 1952), as far as the commands need it.

const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const HEADER_CRC: u8 = 2;
const ENCRYPTED: u8 = 0x20;
const RESERVED: u8 = 0xc0;

/// The length of a member's trailer: CRC-32 and length of the data.
pub(super) const TRAILER_LEN: u64 = 8;

/// The result of parsing the beginning of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A gzip member.
    Member(Header),
    /// More bytes are needed.
    Incomplete,
    /// Another format, with its name if it is known.
    Foreign(Option<&'static str>),
    /// A gzip header that is unsupported or damaged, with a description.
    Unsupported(String),
}

/// A member's header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    /// The length of the header.
    pub(super) len: u64,
    /// Seconds since 1970; 0 means none.
    pub(super) mtime: u32,
    pub(super) name: Option<Vec<u8>>,
    /// The length of the member, in block gzip.
    pub(super) member_len: Option<u64>,
}

/// Parses the beginning of a file.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    match bytes {
        [] | [0x1f] => return Parsed::Incomplete,
        [0x1f, 0x8b, ..] => {}
        [0x1f, 0x9d, ..] => return Parsed::Foreign(Some("compress's format (LZW)")),
        [0x1f, 0x1e, ..] => return Parsed::Foreign(Some("pack's format")),
        [0x1f, 0xa0, ..] => return Parsed::Foreign(Some("compress -H's format (LZH)")),
        [b'P', b'K', 3, 4, ..] => return Parsed::Foreign(Some("a zip archive")),
        _ => return Parsed::Foreign(None),
    }
    let Some(&[method, flags]) = bytes.get(2..4) else { return Parsed::Incomplete };
    if method != 8 {
        return Parsed::Unsupported(format!("unknown method {method} -- not supported"));
    }
    if flags & ENCRYPTED != 0 {
        return Parsed::Unsupported("is encrypted -- not supported".to_owned());
    }
    if flags & RESERVED != 0 {
        return Parsed::Unsupported(format!("has flags 0x{flags:x} -- not supported"));
    }
    fields(bytes, flags).unwrap_or(Parsed::Incomplete)
}

/// Parses the rest of a header; `None` if there are not enough bytes.
fn fields(bytes: &[u8], flags: u8) -> Option<Parsed> {
    let mut header = Header {
        mtime: u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?),
        ..Header::default()
    };
    let mut at = 10;
    if flags & EXTRA != 0 {
        let len = usize::from(u16_at(bytes, at)?);
        header.member_len = member_len(bytes.get(at + 2..at + 2 + len)?);
        at += 2 + len;
    }
    if flags & NAME != 0 {
        let name = until_nul(bytes.get(at..)?)?;
        at += name.len() + 1;
        header.name = Some(name.to_vec());
    }
    if flags & COMMENT != 0 {
        at += until_nul(bytes.get(at..)?)?.len() + 1;
    }
    if flags & HEADER_CRC != 0 {
        let (stored, computed) = (u16_at(bytes, at)?, libdeflater::crc32(&bytes[..at]) as u16);
        if stored != computed {
            return Some(Parsed::Unsupported(format!(
                "header checksum 0x{stored:04x} != computed checksum 0x{computed:04x}"
            )));
        }
        at += 2;
    }
    header.len = at as u64;
    (bytes.len() >= at).then_some(Parsed::Member(header))
}

/// Returns the length in BGZF's subfield.
fn member_len(mut extra: &[u8]) -> Option<u64> {
    while let [a, b, low, high, rest @ ..] = extra {
        let len = usize::from(u16::from_le_bytes([*low, *high]));
        let value = rest.get(..len)?;
        if (*a, *b, len) == (b'B', b'C', 2) {
            return Some(u64::from(u16::from_le_bytes([value[0], value[1]])) + 1);
        }
        extra = &rest[len..];
    }
    None
}

fn until_nul(bytes: &[u8]) -> Option<&[u8]> {
    bytes.iter().position(|byte| *byte == 0).map(|end| &bytes[..end])
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_fields_are_parsed_and_truncated_headers_are_incomplete() {
        let mut bytes = vec![0x1f, 0x8b, 8, EXTRA | NAME | COMMENT | HEADER_CRC, 1, 2, 0, 0, 0, 3];
        bytes.extend([10, 0, b'x', b'y', 0, 0, b'B', b'C', 2, 0, 99, 1]);
        bytes.extend(b"a name\0a comment\0");
        let crc = libdeflater::crc32(&bytes) as u16;
        bytes.extend(crc.to_le_bytes());
        for len in 0..bytes.len() {
            assert_eq!(parse(&bytes[..len]), Parsed::Incomplete, "{len}");
        }
        let header = Header {
            len: bytes.len() as u64,
            mtime: 0x201,
            name: Some(b"a name".to_vec()),
            member_len: Some(0x163 + 1),
        };
        assert_eq!(parse(&bytes), Parsed::Member(header));
        bytes[5] ^= 1;
        assert!(matches!(parse(&bytes), Parsed::Unsupported(_)));
    }
}
