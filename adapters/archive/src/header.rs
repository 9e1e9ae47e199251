//! The headers of an entry: POSIX ustar, PAX records for values that don't fit into it, and GNU
//! long names, the only long names that `BusyBox` supports.

mod name;
mod number;
mod pax;

use tar::Header;

use crate::{EntryKind, Error, Result};
pub(crate) use pax::Time;

/// Block size of a tar.
const BLOCK: usize = 512;
/// Lengths of the header fields for the target of a link, and for the name of a user.
const LINK_LEN: usize = 100;
const USER_LEN: usize = 32;
/// The name of all PAX headers, as in Python. Individual names and times, as in GNU tar, would cost
/// about 30 bytes of the archive per entry.
const PAX_NAME: &[u8] = b"././@PaxHeader";
/// Maximum length of a GNU long name; `BusyBox` rejects archives with a longer one.
const LONG_LEN: usize = 4094;

/// The contents of the headers of an entry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    /// The type flag of the entry.
    pub(crate) kind: u8,
    /// The target, if the entry is a link.
    pub(crate) link: Vec<u8>,
    pub(crate) mode: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    pub(crate) mtime: Time,
    pub(crate) user: Vec<u8>,
    pub(crate) group: Vec<u8>,
    /// Major and minor number.
    pub(crate) device: (u32, u32),
    /// PAX records in addition to those for the other fields.
    pub(crate) records: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Fields {
    /// Converts a header from the caller. Also returns the size of the contents.
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] without a name if the type is that of an extension header, or the size is
    /// not a number.
    pub(crate) fn from_header(header: &Header) -> Result<(Self, u64)> {
        let kind = header.entry_type().as_byte();
        if matches!(kind, b'x' | b'X' | b'g' | b'L' | b'K' | b'S' | b'N' | b'V' | b'M') {
            let kind = char::from(kind);
            return Err(Error::unnamed(format!(
                "an entry of type {kind} can't be added by itself"
            )));
        }
        let invalid = |error| Error::unnamed_from("invalid header", Error::from(error));
        let kind = if kind == 0 { b'0' } else { kind };
        let has_data = EntryKind::from_byte(kind).has_data();
        let size = if has_data { header.entry_size().map_err(invalid)? } else { 0 };
        let device = |number: std::io::Result<Option<u32>>| number.ok().flatten().unwrap_or(0);
        let fields = Self {
            kind,
            link: header.link_name_bytes().map_or_else(Vec::new, std::borrow::Cow::into_owned),
            // Fields that were not set get a number: not every reader accepts a blank one as 0.
            mode: header.mode().unwrap_or(0o644) & 0o7777,
            uid: header.uid().unwrap_or(0),
            gid: header.gid().unwrap_or(0),
            mtime: Time { seconds: header.mtime().unwrap_or(0).cast_signed(), nanoseconds: 0 },
            user: header.username_bytes().unwrap_or_default().to_vec(),
            group: header.groupname_bytes().unwrap_or_default().to_vec(),
            device: (device(header.device_major()), device(header.device_minor())),
            records: Vec::new(),
        };
        Ok((fields, size))
    }

    /// Encodes the blocks before the contents of an entry named `path` with `size` bytes.
    pub(crate) fn encode(&self, path: &[u8], size: u64) -> Vec<u8> {
        let long = [
            (b'L', "path", path, name::split(path).is_none()),
            (b'K', "linkpath", &self.link, self.link.len() > LINK_LEN),
        ];
        let (mut records, mut names) = (Vec::new(), Vec::new());
        for (kind, key, name, _) in long.into_iter().filter(|(.., is_long)| *is_long) {
            if name.len() > LONG_LEN {
                records.push((key.into(), name.to_vec()));
            } else {
                push_long_name(&mut names, kind, name);
            }
        }
        let mut blocks = self.encode_pax(size, records);
        blocks.extend(names);
        blocks.extend(self.block(path, size));
        blocks
    }

    /// Like [`encode`](Self::encode), for a sparse file in PAX format 1.0, whose map is at the
    /// beginning of the `size` bytes. Readers that don't support it extract a file with another
    /// name.
    pub(crate) fn encode_sparse(&self, path: &[u8], size: u64, real_size: u64) -> Vec<u8> {
        let fallback = name::in_subdirectory(path, b"GNUSparseFile.0");
        let mut records = Vec::new();
        if name::split(&fallback).is_none() {
            records.push((b"path".to_vec(), fallback.clone()));
        }
        // After the path: if a reader supports both names, the last one counts.
        let sparse = [
            ("major", b"1".to_vec()),
            ("minor", b"0".to_vec()),
            ("name", path.to_vec()),
            ("realsize", real_size.to_string().into_bytes()),
        ];
        records
            .extend(sparse.map(|(key, value)| (format!("GNU.sparse.{key}").into_bytes(), value)));
        let mut blocks = self.encode_pax(size, records);
        blocks.extend(self.block(&fallback, size));
        blocks
    }

    /// Encodes a PAX header, if one is needed.
    fn encode_pax(&self, size: u64, mut records: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<u8> {
        let numbers = [("uid", self.uid, 7), ("gid", self.gid, 7), ("size", size, 11)];
        for (key, value, digits) in numbers {
            if !number::fits(value, digits) {
                records.push((key.into(), value.to_string().into_bytes()));
            }
        }
        if !self.mtime.fits_header() {
            records.push((b"mtime".to_vec(), self.mtime.to_string().into_bytes()));
        }
        for (key, value) in [("uname", &self.user), ("gname", &self.group)] {
            if value.len() > USER_LEN {
                records.push((key.into(), value.clone()));
            }
        }
        records.extend_from_slice(&self.records);
        if records.is_empty() {
            return Vec::new();
        }
        let data = pax::encode(&records);
        let extension = Self { kind: b'x', mode: 0o644, ..Self::default() };
        let mut blocks = extension.block(PAX_NAME, data.len() as u64);
        push_padded(&mut blocks, &data);
        blocks
    }

    /// Encodes the header itself. Values that don't fit are truncated; the extension headers before
    /// it have them in full.
    fn block(&self, path: &[u8], size: u64) -> Vec<u8> {
        let (prefix, name) = name::split(path).unwrap_or((b"", name::truncated(path)));
        let mut block = vec![0; BLOCK];
        let mut put = |at: usize, bytes: &[u8], max_len: usize| {
            let bytes = &bytes[..bytes.len().min(max_len)];
            block[at..at + bytes.len()].copy_from_slice(bytes);
        };
        put(0, name, name::LEN);
        put(157, &self.link, LINK_LEN);
        put(257, b"ustar\x0000", 8);
        // A truncated name could be that of another user.
        for (at, user) in [(265, &self.user), (297, &self.group)] {
            put(at, if user.len() > USER_LEN { b"" } else { user }, USER_LEN);
        }
        put(345, prefix, name::PREFIX_LEN);
        block[156] = self.kind;
        number::write(&mut block[100..108], u64::from(self.mode));
        number::write(&mut block[108..116], self.uid);
        number::write(&mut block[116..124], self.gid);
        number::write(&mut block[124..136], size);
        number::write(&mut block[136..148], self.mtime.seconds.max(0).cast_unsigned());
        number::write(&mut block[329..337], u64::from(self.device.0));
        number::write(&mut block[337..345], u64::from(self.device.1));
        block[148..156].fill(b' ');
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        number::write(&mut block[148..155], sum);
        block
    }
}

/// Adds a GNU header with the long name of the next entry, or the long target of the next link.
fn push_long_name(blocks: &mut Vec<u8>, kind: u8, name: &[u8]) {
    let extension = Fields { kind, mode: 0o644, ..Fields::default() };
    let data = [name, b"\0"].concat();
    blocks.extend(extension.block(b"././@LongLink", data.len() as u64));
    push_padded(blocks, &data);
}

fn push_padded(blocks: &mut Vec<u8>, data: &[u8]) {
    blocks.extend(data);
    blocks.resize(blocks.len().next_multiple_of(BLOCK), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_entries_have_one_block() {
        let fields = Fields { kind: b'0', mode: 0o640, uid: 1000, ..Fields::default() };
        let blocks = fields.encode(b"dir/file", 77);
        assert_eq!(blocks.len(), BLOCK);
        let header = Header::from_byte_slice(&blocks);
        assert_eq!(&*header.path_bytes(), b"dir/file");
        assert_eq!((header.uid().ok(), header.entry_size().ok()), (Some(1000), Some(77)));
        let sum = blocks.iter().enumerate().filter(|(at, _)| !(148..156).contains(at));
        let sum: u32 = sum.map(|(_, byte)| u32::from(*byte)).sum::<u32>() + 8 * 32;
        assert_eq!(header.cksum().ok(), Some(sum));
    }

    #[test]
    fn values_that_do_not_fit_are_in_extension_headers() {
        let fields = Fields {
            kind: b'2',
            link: vec![b'z'; 101],
            uid: 1 << 40,
            user: vec![b'u'; 33],
            ..Fields::default()
        };
        let blocks = fields.encode(&[b'n'; 101], 0);
        let kinds: Vec<_> = blocks.chunks(BLOCK).step_by(2).map(|block| block[156]).collect();
        assert_eq!(kinds, b"xLK2");
        let records = String::from_utf8_lossy(&blocks[BLOCK..2 * BLOCK]).into_owned();
        assert!(records.starts_with("21 uid=1099511627776\n"), "{records}");
        assert!(records.contains(" uname=uuu"), "{records}");
        // Readers without support for records still get the number.
        let last = Header::from_byte_slice(&blocks[blocks.len() - BLOCK..]);
        assert_eq!(last.uid().ok(), Some(1 << 40));
    }

    #[test]
    fn names_that_busybox_rejects_are_in_records() {
        let fields = Fields { kind: b'0', ..Fields::default() };
        assert_eq!(fields.encode(&[b'n'; LONG_LEN], 0)[156], b'L');
        let blocks = fields.encode(&[b'n'; LONG_LEN + 1], 0);
        assert_eq!(blocks[156], b'x');
        assert!(blocks[BLOCK..].starts_with(b"4106 path=nnn"));
    }

    #[test]
    fn sizes_from_8_gib_on_are_in_both_headers() {
        let fields = Fields { kind: b'0', ..Fields::default() };
        assert_eq!(fields.encode(b"f", (1 << 33) - 1).len(), BLOCK);
        let blocks = fields.encode(b"f", 1 << 33);
        assert!(blocks[BLOCK..].starts_with(b"19 size=8589934592\n"));
        let header = Header::from_byte_slice(&blocks[2 * BLOCK..]);
        assert_eq!(header.entry_size().ok(), Some(1 << 33));
    }

    #[test]
    fn extension_headers_are_refused() {
        for kind in [tar::EntryType::XHeader, tar::EntryType::GNUSparse] {
            let mut header = Header::new_gnu();
            header.set_entry_type(kind);
            assert!(Fields::from_header(&header).is_err());
        }
    }
}
