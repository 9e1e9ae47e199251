//! The footer: the last member before the end marker, which says where the index begins.

use std::borrow::Cow;

use super::member;
use crate::gzip::Place;

/// `uadkidx` and the version.
const MAGIC: [u8; 8] = *b"uadkidx1";
const LEN: usize = 8 + 7 * 8 + 2 * 4 + 4;
/// Bytes of the footer in the file, including its members.
pub(crate) const MEMBER_LEN: usize = LEN + member::OVERHEAD;

/// The location of the index, and the extent of its tar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    /// File offset of the index.
    pub(crate) index_start: u64,
    pub(crate) entries: u64,
    /// Bytes and CRC-32 of all records, uncompressed.
    pub(crate) raw_len: u64,
    pub(crate) raw_crc: u32,
    /// Bytes of the tar.
    pub(crate) tar_len: u64,
    /// The end of the entries in the tar and in the file.
    pub(crate) end: u64,
    pub(crate) end_place: Place,
}

impl Footer {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for word in [
            self.index_start,
            self.entries,
            self.raw_len,
            self.tar_len,
            self.end,
            self.end_place.block,
            u64::from(self.end_place.within),
        ] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(self.raw_crc.to_le_bytes());
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend(libdeflater::crc32(&bytes).to_le_bytes());
        member::wrap(member::FOOTER, &bytes)
    }
}

/// Decodes a footer's member; `None` if it is something else.
pub(super) fn decode(member: &[u8]) -> Option<Result<Footer, Cow<'static, str>>> {
    let contents = member::unwrap(member).filter(|(kind, bytes, _)| {
        *kind == member::FOOTER && bytes.len() == LEN && bytes[..7] == MAGIC[..7]
    });
    let Some((_, bytes, _)) = contents else {
        // A damaged footer is still recognised by the part that is intact.
        let sample = member::wrap(member::FOOTER, &[0; LEN]);
        let (before, after) = member.split_at_checked(member::BEFORE)?;
        let is_like = before == &sample[..before.len()] || after.starts_with(&MAGIC[..7]);
        return is_like.then(|| Err("damaged footer".into()));
    };
    let (body, crc) = bytes.split_at(LEN - 4);
    if libdeflater::crc32(body).to_le_bytes() != crc {
        return Some(Err("footer checksum mismatch".into()));
    }
    if body[7] != MAGIC[7] {
        let version = char::from(body[7]);
        return Some(Err(format!("unsupported version {version:?}").into()));
    }
    let word = |i: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&body[8 + 8 * i..16 + 8 * i]);
        u64::from_le_bytes(word)
    };
    let footer = Footer {
        index_start: word(0),
        entries: word(1),
        raw_len: word(2),
        tar_len: word(3),
        end: word(4),
        end_place: Place { block: word(5), within: word(6) as u32 },
        raw_crc: word(7) as u32,
    };
    if word(6) > 1 << 16 || footer.end > footer.tar_len {
        return Some(Err("inconsistent footer".into()));
    }
    Some(Ok(footer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn footer() -> Footer {
        Footer {
            index_start: 1 << 40,
            entries: 3,
            raw_len: 99,
            raw_crc: 0xdead_beef,
            tar_len: 1 << 50,
            end: (1 << 50) - 1024,
            end_place: Place { block: 77, within: 65_535 },
        }
    }

    #[test]
    fn footers_are_read_as_written() {
        let member = footer().encode();
        assert_eq!(member.len(), MEMBER_LEN);
        assert_eq!(decode(&member), Some(Ok(footer())));
    }

    #[test]
    fn a_changed_byte_is_detected() {
        let member = footer().encode();
        for i in 0..member.len() {
            let mut changed = member.clone();
            changed[i] ^= 1;
            assert!(matches!(decode(&changed), Some(Err(_))), "{i}");
        }
    }
}
