//! Records of the index: one for each entry, delta-encoded against the previous one.

use super::footer::Footer;
use crate::gzip::{Ahead, MAX_DEFLATED, Place, Segment, Segments};
use crate::{Entry, EntryKind, Error, Result};

/// Bytes of a tar block.
const BLOCK: u64 = 512;

/// Encodes records, with or without the place of each entry. Without it, a table of segments
/// determines the places.
#[derive(Debug)]
pub(super) struct Encoder {
    places: bool,
    path: Vec<u8>,
    block: u64,
}

impl Encoder {
    pub(super) const fn new(places: bool) -> Self {
        Self { places, path: Vec::new(), block: 0 }
    }

    pub(super) fn encode(&mut self, entry: &Entry, out: &mut Vec<u8>) {
        let place = entry.place.unwrap_or_default();
        let shared = self.path.iter().zip(&entry.path).take_while(|(a, b)| a == b).count();
        out.push(entry.kind.byte());
        for number in [shared as u64, (entry.path.len() - shared) as u64] {
            put(out, number);
        }
        out.extend(&entry.path[shared..]);
        put(out, entry.link.len() as u64);
        out.extend(&entry.link);
        for number in [entry.tar_len / BLOCK, entry.header_len / BLOCK, entry.size] {
            put(out, number);
        }
        if self.places {
            put(out, place.block - self.block);
            put(out, u64::from(place.within));
            self.block = place.block;
        }
        for number in [u64::from(entry.mode), zigzag(entry.mtime), entry.uid, entry.gid] {
            put(out, number);
        }
        out.extend(entry.checksum.to_le_bytes());
        self.path.clear();
        self.path.extend(&entry.path);
    }
}

/// What is known about the records before they are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    /// Their number.
    pub(super) entries: u64,
    /// The end of the last entry in the tar.
    pub(super) end: u64,
    pub(super) places: Places<'a>,
}

/// The source of the entries' places in the file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Places<'a> {
    /// The records; no place is after block `last`.
    Recorded { last: u64 },
    /// These segments.
    Segments(Ahead<'a>),
}

impl Footer {
    pub(super) const fn expected(&self) -> Expected<'static> {
        let places = Places::Recorded { last: self.end_place.block };
        Expected { entries: self.entries, end: self.end, places }
    }
}

/// Decodes all records of an index.
pub(super) fn decode(raw: &[u8], expected: Expected<'_>) -> Result<Vec<Entry>> {
    if expected.entries > expected.end / BLOCK {
        return Err(Error::index("more entries than the tar can hold"));
    }
    // A record has more than ten bytes, which bounds the number to allocate for.
    let likely = usize::try_from(expected.entries).unwrap_or(usize::MAX).min(raw.len() / 10);
    let mut entries: Vec<Entry> = Vec::with_capacity(likely);
    let mut input = Input(raw);
    let (mut start, mut block) = (0, 0);
    let mut places = expected.places;
    // A few bytes can repeat a long name any number of times.
    let mut names_left = raw.len().saturating_mul(64).max(64 << 20);
    while !input.0.is_empty() {
        let before = entries.last().map_or(&[][..], |entry| &entry.path);
        let entry = input
            .entry(before, start, block, &mut places)
            .ok_or_else(|| Error::index(format!("invalid record of entry {}", entries.len())))?;
        names_left = names_left
            .checked_sub(entry.path.len())
            .ok_or_else(|| Error::index("implausibly long names"))?;
        start = entry.end();
        block = entry.place.map_or(block, |place| place.block);
        let is_after = match expected.places {
            Places::Recorded { last } => block > last,
            Places::Segments(_) => false,
        };
        if start > expected.end || is_after {
            let name = String::from_utf8_lossy(&entry.path);
            return Err(Error::index(format!("{name} extends past the end of the archive")));
        }
        if entries.len() as u64 == expected.entries {
            return Err(Error::index("more records than entries"));
        }
        entries.push(entry);
    }
    if entries.len() as u64 != expected.entries || start != expected.end {
        return Err(Error::index("the records do not cover all entries"));
    }
    Ok(entries)
}

/// Encodes the table of segments.
pub(super) fn encode_segments(segments: &Segments, out: &mut Vec<u8>) {
    for segment in segments.as_slice() {
        put(out, u64::from(segment.len));
        put(out, u64::from(segment.data_len));
        out.extend(segment.crc.to_le_bytes());
    }
}

/// Decodes a table of segments, the first of which begins at file offset `file`.
pub(super) fn decode_segments(raw: &[u8], mut file: u64) -> Option<Segments> {
    let (mut input, mut data) = (Input(raw), 0);
    let mut segments = Segments::default();
    while !input.0.is_empty() {
        let number = |input: &mut Input<'_>| {
            u32::try_from(input.number()?).ok().filter(|len| *len <= MAX_SEGMENT_LEN)
        };
        let (len, data_len) = (number(&mut input)?, number(&mut input)?);
        let crc = u32::from_le_bytes(input.bytes(4)?.try_into().ok()?);
        if len == 0 || u64::from(data_len) > u64::from(len) * MAX_DEFLATED {
            return None;
        }
        segments.push(Segment { file, len, data, data_len, crc });
        file = file.checked_add(u64::from(len))?;
        data += u64::from(data_len);
    }
    Some(segments)
}

/// The maximum length of a segment, both in the file and uncompressed.
const MAX_SEGMENT_LEN: u32 = 4 << 20;

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn entry(
        &mut self,
        before: &[u8],
        start: u64,
        block: u64,
        places: &mut Places<'_>,
    ) -> Option<Entry> {
        let kind = EntryKind::from_byte(self.bytes(1)?[0]);
        let shared = before.get(..usize::try_from(self.number()?).ok()?)?;
        let rest = self.string()?;
        let mut path = Vec::with_capacity(shared.len() + rest.len());
        path.extend(shared);
        path.extend(rest);
        let link = self.string()?.into();
        let tar_len = self.number()?.checked_mul(BLOCK)?;
        let header_len = self.number()?.checked_mul(BLOCK)?;
        start.checked_add(tar_len)?;
        let size = self.number()?;
        let place = match places {
            Places::Recorded { .. } => Place {
                block: block.checked_add(self.number()?)?,
                within: u32::try_from(self.number()?).ok().filter(|within| *within <= 1 << 16)?,
            },
            Places::Segments(ahead) => ahead.place(start)?,
        };
        let entry = Entry {
            path: path.into_boxed_slice(),
            link,
            kind,
            size,
            mode: u32::try_from(self.number()?).ok()?,
            mtime: unzigzag(self.number()?),
            uid: self.number()?,
            gid: self.number()?,
            start,
            tar_len,
            header_len,
            checksum: u32::from_le_bytes(self.bytes(4)?.try_into().ok()?),
            place: Some(place),
            details: None,
        };
        let whole = header_len > 0 && header_len <= tar_len && !entry.path.is_empty();
        whole.then_some(entry)
    }

    fn bytes(&mut self, n: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(bytes)
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        self.bytes(len)
    }

    /// Reads a LEB128 number: seven bits per byte, lowest first; the high bit is set if another
    /// byte follows.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.bytes(1)?[0];
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Maps small numbers of either sign to small unsigned numbers.
const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn footer(entries: u64, blocks: u64) -> Footer {
        let end = blocks * BLOCK;
        let end_place = Place::default();
        Footer { index_start: 0, entries, raw_len: 0, raw_crc: 0, tar_len: end, end, end_place }
    }

    fn entry(path: &[u8], start: u64) -> Entry {
        Entry {
            path: path.into(),
            link: Box::default(),
            kind: EntryKind::File,
            size: 0,
            mode: 0o644,
            mtime: -5,
            uid: 0,
            gid: 0,
            start,
            tar_len: BLOCK,
            header_len: BLOCK,
            checksum: 7,
            place: Some(Place::default()),
            details: None,
        }
    }

    #[test]
    fn records_are_read_as_written() {
        let entries = [entry(b"a/b", 0), entry(b"a/c", BLOCK), entry(b"", 2 * BLOCK)];
        let (mut encoder, mut raw) = (Encoder::new(true), Vec::new());
        entries[..2].iter().for_each(|entry| encoder.encode(entry, &mut raw));
        assert_eq!(decode(&raw, footer(2, 2).expected()).expect("valid records"), entries[..2]);
        assert!(decode(&raw, footer(3, 2).expected()).is_err(), "a missing record");
        encoder.encode(&entries[2], &mut raw);
        assert!(decode(&raw, footer(3, 3).expected()).is_err(), "an empty name");
    }

    #[test]
    fn names_that_would_exhaust_memory_are_refused() {
        let long = entry(&vec![b'x'; 1 << 20], 0);
        let (mut encoder, mut raw) = (Encoder::new(true), Vec::new());
        (0..1000)
            .for_each(|i| encoder.encode(&Entry { start: i * BLOCK, ..long.clone() }, &mut raw));
        let error = decode(&raw, footer(1000, 1000).expected()).unwrap_err();
        assert!(error.to_string().contains("names"), "{error}");
    }

    #[test]
    fn numbers_are_read_as_written() {
        for number in [0, 1, 127, 128, 300, 1 << 35, u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            assert_eq!(Input(&bytes).number(), Some(number));
            assert_eq!(Input(&bytes[..bytes.len() - 1]).number(), None);
        }
        assert_eq!(Input(&[0xff; 9]).number(), None);
        for number in [0, -1, 1, i64::MIN, i64::MAX] {
            assert_eq!(unzigzag(zigzag(number)), number);
        }
    }
}
