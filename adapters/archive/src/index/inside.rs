//! An index inside the deflate stream, after the zeros that end the tar.
//!
//! Tar readers don't look there. Those that are told to (`tar --ignore-zeros`) find global PAX
//! headers that contain a comment, and ignore them.

use std::borrow::Cow;

use tar::{EntryType, Header};

/// `uadkidx` and the version.
const MAGIC: [u8; 8] = *b"uadkidx2";
/// Bytes of a tar block.
pub(super) const BLOCK: usize = 512;
/// Bytes of the index in one comment: some readers refuse PAX headers of more than 1 MiB.
const PIECE: usize = 960 << 10;
/// The part of a record between its length and its value.
const KEY: &[u8] = b" comment=";
/// The name that git uses for such headers.
const NAME: &[u8] = b"pax_global_header";
/// Bytes of the footer in the tar: a header and a record that fills a block.
pub(crate) const FOOTER_LEN: usize = 2 * BLOCK;

/// The location of the index, and the extent of its tar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    /// Bytes of the file.
    pub(crate) file_len: u64,
    /// File offset where the segments of the tar end and those of the index begin.
    pub(crate) index_start: u64,
    /// File offset of the first segment.
    pub(crate) data_start: u64,
    pub(crate) entries: u64,
    /// Bytes of the records. The table of segments follows them.
    pub(crate) records_len: u64,
    /// Bytes and CRC-32 of both, uncompressed.
    pub(crate) raw_len: u64,
    pub(crate) raw_crc: u32,
    /// Bytes of both, packed.
    pub(crate) packed_len: u64,
    /// Bytes of the tar.
    pub(crate) tar_len: u64,
    /// The end of the entries in the tar.
    pub(crate) end: u64,
}

impl Footer {
    /// Encodes the footer: the last bytes of the data.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut value = MAGIC.to_vec();
        for word in [
            self.file_len,
            self.index_start,
            self.data_start,
            self.entries,
            self.records_len,
            self.raw_len,
            self.packed_len,
            self.tar_len,
            self.end,
        ] {
            value.extend(word.to_le_bytes());
        }
        value.extend(self.raw_crc.to_le_bytes());
        value.extend(libdeflater::crc32(&value).to_le_bytes());
        // A record of 512 bytes: "512 comment=", the value and a newline.
        value.resize(BLOCK - 3 - KEY.len() - 1, 0);
        wrap_piece(&value)
    }

    /// Decodes the last bytes of the data; `None` if they are something else.
    pub(super) fn decode(bytes: &[u8]) -> Option<Result<Self, Cow<'static, str>>> {
        let value = bytes.get(BLOCK + 3 + KEY.len()..)?;
        let (body, rest) = value.split_at_checked(8 + 9 * 8 + 4)?;
        if body[..7] != MAGIC[..7] {
            return None;
        }
        if rest[..4] != libdeflater::crc32(body).to_le_bytes() {
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
        let footer = Self {
            file_len: word(0),
            index_start: word(1),
            data_start: word(2),
            entries: word(3),
            records_len: word(4),
            raw_len: word(5),
            packed_len: word(6),
            tar_len: word(7),
            end: word(8),
            raw_crc: u32::from_le_bytes([body[80], body[81], body[82], body[83]]),
        };
        if footer.end > footer.tar_len
            || footer.records_len > footer.raw_len
            || footer.data_start > footer.index_start
            || footer.encode() != bytes
        {
            return Some(Err("inconsistent footer".into()));
        }
        Some(Ok(footer))
    }
}

/// Wraps a packed index in PAX headers for the tar stream.
pub(super) fn wrap(packed: &[u8]) -> Vec<u8> {
    packed.chunks(PIECE).flat_map(wrap_piece).collect()
}

/// Extracts the index from the PAX headers that [`wrap`] made, in place; `None` if `bytes` is
/// something else.
pub(super) fn unwrap(mut bytes: Vec<u8>, packed_len: usize) -> Option<Vec<u8>> {
    let (mut packed, mut at) = (0, 0);
    while packed < packed_len {
        let len = (packed_len - packed).min(PIECE);
        let start = at + BLOCK + record_len(len).to_string().len() + KEY.len();
        let end = at + BLOCK + record_len(len).next_multiple_of(BLOCK);
        let (before, after) = around(len);
        if bytes.get(at..start)? != before || bytes.get(start + len..end)? != after {
            return None;
        }
        bytes.copy_within(start..start + len, packed);
        (packed, at) = (packed + len, end);
    }
    if at != bytes.len() {
        return None;
    }
    bytes.truncate(packed);
    Some(bytes)
}

/// Returns the length of an index of `packed_len` bytes once wrapped in PAX headers.
pub(super) fn wrapped_len(packed_len: u64) -> u64 {
    let piece = |len: u64| (BLOCK + record_len(len as usize).next_multiple_of(BLOCK)) as u64;
    let (full, rest) = (packed_len / PIECE as u64, packed_len % PIECE as u64);
    full * piece(PIECE as u64) + if rest > 0 { piece(rest) } else { 0 }
}

/// Returns the length of the record "LENGTH comment=VALUE\n" with a value of `len` bytes.
fn record_len(len: usize) -> usize {
    let rest = KEY.len() + len + 1;
    let digits = |n: usize| n.to_string().len();
    let guess = rest + digits(rest);
    rest + digits(guess)
}

/// Returns the number of bytes after a header that [`wrap`] or [`Footer::encode`] made; `None` if
/// `block` is something else, such as a similar header of `git archive`.
pub(super) fn piece_len(block: &[u8]) -> Option<u64> {
    let len = (block.len() == BLOCK).then(|| Header::from_byte_slice(block).entry_size())?.ok()?;
    let is_ours = len <= PIECE as u64 + 64 && header(len as usize).as_bytes()[..] == *block;
    is_ours.then(|| len.next_multiple_of(BLOCK as u64))
}

fn header(len: usize) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::XGlobalHeader);
    header.as_mut_bytes()[..NAME.len()].copy_from_slice(NAME);
    header.set_mode(0o666);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(len as u64);
    header.set_cksum();
    header
}

fn wrap_piece(value: &[u8]) -> Vec<u8> {
    let (before, after) = around(value.len());
    [&before, value, &after].concat()
}

/// Returns the bytes before and after a value of that length.
fn around(value_len: usize) -> (Vec<u8>, Vec<u8>) {
    let len = record_len(value_len);
    let mut before = header(len).as_bytes().to_vec();
    before.extend(len.to_string().bytes());
    before.extend(KEY);
    let mut after = vec![0; len.next_multiple_of(BLOCK) + BLOCK - before.len() - value_len];
    after[0] = b'\n';
    (before, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn footer() -> Footer {
        Footer {
            file_len: 1 << 41,
            index_start: 1 << 40,
            data_start: 10,
            entries: 3,
            records_len: 80,
            raw_len: 99,
            raw_crc: 0xdead_beef,
            packed_len: 50,
            tar_len: 1 << 50,
            end: (1 << 50) - 1024,
        }
    }

    #[test]
    fn footers_are_read_as_written() {
        let bytes = footer().encode();
        assert_eq!(bytes.len(), FOOTER_LEN);
        assert_eq!(bytes[BLOCK..BLOCK + 4], *b"512 ");
        assert_eq!(Footer::decode(&bytes), Some(Ok(footer())));
        for i in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[i] ^= 1;
            assert!(!matches!(Footer::decode(&changed), Some(Ok(_))), "{i}");
        }
    }

    #[test]
    fn pieces_are_unwrapped_at_any_length() {
        for len in [0, 1, 86, 87, 88, 89, 985, 986, 987, 988, 5000, PIECE, PIECE + 1, 2 * PIECE + 7]
        {
            let packed: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let wrapped = wrap(&packed);
            assert_eq!(wrapped.len() as u64, wrapped_len(len as u64));
            assert_eq!(unwrap(wrapped.clone(), len), Some(packed), "{len}");
            assert_eq!(unwrap(wrapped, len + 1), None);
        }
    }
}
