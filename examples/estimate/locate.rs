//! Finds the key at a position of a table file, in bytes.
//!
//! Keys are rarely spread evenly, so a random key is not a random position. RocksDB's index knows
//! how many bytes of the files are before a key; a key is found byte by byte from that.

use rocksdb::{ColumnFamily, DB, LiveFile, Range};

/// The key range of a table file.
#[derive(Clone, Copy)]
pub(crate) struct FileRange<'a> {
    db: &'a DB,
    family: &'a ColumnFamily,
    start: &'a [u8],
    end: &'a [u8],
    /// Positions are found up to this many bytes.
    precision: u64,
}

impl<'a> FileRange<'a> {
    /// Returns `None` if the file has no keys.
    pub(crate) fn new(
        db: &'a DB,
        family: &'a ColumnFamily,
        file: &'a LiveFile,
        precision: usize,
    ) -> Option<Self> {
        let (start, end) = (file.start_key.as_deref()?, file.end_key.as_deref()?);
        Some(Self { db, family, start, end, precision: precision as u64 })
    }

    /// Returns a key near the position `part` of the files between the first and the last key, 0 to
    /// 1. A file of another level in this range counts as well: what is read there is both.
    pub(crate) fn key_at(&self, part: f64) -> Vec<u8> {
        let total = self.before(self.end);
        let target = total as f64 * part;
        let shared = self.start.iter().zip(self.end).take_while(|(a, b)| a == b).count();
        let mut key = self.start[..shared].to_vec();
        let mut end = total;
        let longest = self.start.len().max(self.end.len());
        while key.len() < longest {
            let with = |byte: u8| [&key[..], &[byte]].concat();
            // The last byte with at most `target` before it. 0 has no more than the key itself.
            let byte = last_byte(|byte| self.before(&with(byte)) as f64 <= target);
            if byte < u8::MAX {
                end = self.before(&with(byte + 1));
            }
            key.push(byte);
            if end.saturating_sub(self.before(&key)) <= self.precision {
                break;
            }
        }
        key
    }

    /// Returns about how many bytes of files are before the key.
    fn before(&self, key: &[u8]) -> u64 {
        if key <= self.start {
            return 0;
        }
        stored_between(self.db, self.family, self.start, key.min(self.end))
    }
}

/// Returns about how many bytes the records from `first` up to `last` have in files.
pub(crate) fn stored_between(db: &DB, family: &ColumnFamily, first: &[u8], last: &[u8]) -> u64 {
    let sizes = db.get_approximate_sizes_cf(family, &[Range::new(first, last)]);
    sizes.first().copied().unwrap_or_default()
}

/// Returns the largest byte for which `holds`, which is true from 0 up to some byte.
fn last_byte(holds: impl Fn(u8) -> bool) -> u8 {
    let (mut yes, mut no) = (0, u8::MAX as usize + 1);
    while yes + 1 < no {
        let middle = usize::midpoint(yes, no);
        if holds(middle as u8) { yes = middle } else { no = middle }
    }
    yes as u8
}

#[cfg(test)]
mod tests {
    use super::last_byte;

    #[test]
    fn the_last_byte_is_found_at_both_ends_and_between() {
        for last in 0..=u8::MAX {
            assert_eq!(last_byte(|byte| byte <= last), last);
        }
    }
}
