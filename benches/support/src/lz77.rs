//! A match finder that stands in for a device: two hash tables and lazy matching.

/// Literals and the match after them, with a real offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// Number of literals before the match.
    pub literals: u32,
    /// Length of the match.
    pub len: u32,
    /// Distance back to the bytes that it repeats.
    pub offset: u32,
}

const HASH_BITS: u32 = 14;
/// The shortest match, except at a repeated offset.
const MIN_MATCH: usize = 4;
/// The shortest match at a repeated offset.
const MIN_REPEAT: usize = 3;
/// Matches of this length are taken without a look at the next position.
const LONG: usize = 64;
/// Bytes that the longer hash covers: there are no matches in the last ones of a block.
const EIGHT: usize = 8;

/// Finds matches in blocks of any length.
#[derive(Clone, Debug)]
pub struct Parser {
    window: usize,
    /// For each hash of eight and of five bytes, the last position and 1.
    tables: [Vec<u32>; 2],
    /// Positions before this are in the tables.
    inserted: usize,
}

/// A match at some position.
#[derive(Clone, Copy, Default)]
struct Found {
    len: usize,
    offset: usize,
}

impl Found {
    /// Returns roughly the bits that it saves: four per byte, less those of the offset.
    fn gain(self, last: [usize; 2]) -> i64 {
        let offset = if last.contains(&self.offset) { 1 } else { self.offset + 3 };
        4 * self.len.cast_signed() as i64 - i64::from(offset.ilog2())
    }
}

impl Parser {
    /// Returns a match finder for a window of this many bytes.
    #[must_use]
    pub fn new(window: usize) -> Self {
        let table = || vec![0; 1 << HASH_BITS];
        Self { window, tables: [table(), table()], inserted: 0 }
    }

    /// Returns the matches in `block`. The bytes after the last one are literals.
    pub fn parse(&mut self, block: &[u8]) -> Vec<Match> {
        for table in &mut self.tables {
            table.fill(0);
        }
        self.inserted = 0;
        let mut matches = Vec::new();
        let mut last = [1, 4];
        let (mut at, mut anchor) = (0, 0);
        while at + EIGHT <= block.len() {
            let mut found = self.find(block, at, last);
            if found.len == 0 {
                // Steps get longer where nothing is found.
                at += 1 + (at - anchor) / 256;
                continue;
            }
            while found.len < LONG && at + 1 + EIGHT <= block.len() {
                let next = self.find(block, at + 1, last);
                // One literal more costs about as much as a byte of a match saves.
                if next.gain(last) <= found.gain(last) + 4 {
                    break;
                }
                (found, at) = (next, at + 1);
            }
            while at > anchor && at > found.offset && block[at - 1] == block[at - 1 - found.offset]
            {
                (found.len, at) = (found.len + 1, at - 1);
            }
            matches.push(Match {
                literals: (at - anchor) as u32,
                len: found.len as u32,
                offset: found.offset as u32,
            });
            if found.offset != last[0] {
                last = [found.offset, last[0]];
            }
            at += found.len;
            anchor = at;
        }
        matches
    }

    /// Returns the best match at a position, or one of length 0.
    fn find(&mut self, block: &[u8], at: usize, last: [usize; 2]) -> Found {
        let mut best = Found::default();
        for offset in last.into_iter().filter(|&offset| offset <= at) {
            let len = common(block, at - offset, at);
            if len >= MIN_REPEAT && len > best.len {
                best = Found { len, offset };
            }
        }
        while self.inserted < at {
            for (table, hash) in self.tables.iter_mut().zip(hashes(block, self.inserted)) {
                table[hash] = self.inserted as u32 + 1;
            }
            self.inserted += 1;
        }
        for (table, hash) in self.tables.iter().zip(hashes(block, at)) {
            let Some(from) = (table[hash] as usize).checked_sub(1) else { continue };
            if at - from <= self.window {
                let found = Found { len: common(block, from, at), offset: at - from };
                if found.len >= MIN_MATCH && found.gain(last) > best.gain(last) {
                    best = found;
                }
            }
        }
        best
    }
}

/// Returns the hashes of eight and of five bytes.
fn hashes(block: &[u8], at: usize) -> [usize; 2] {
    let mut eight = [0; EIGHT];
    eight.copy_from_slice(&block[at..at + EIGHT]);
    let eight = u64::from_le_bytes(eight);
    [eight, eight << 24]
        .map(|bytes| (bytes.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - HASH_BITS)) as usize)
}

/// Returns how many bytes at `from` and at `at` are the same.
fn common(block: &[u8], from: usize, at: usize) -> usize {
    block[from..].iter().zip(&block[at..]).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_repeat_what_they_state() {
        let words = b"one two three one two four one three, and one more, and two more";
        let block: Vec<u8> = words.iter().copied().cycle().take(50_000).collect();
        let block = [&block[..777], &words[..], &[0; 300], &block].concat();
        let mut restored: Vec<u8> = Vec::new();
        let matches = Parser::new(4096).parse(&block);
        for found in &matches {
            let at = restored.len();
            restored.extend_from_slice(&block[at..at + found.literals as usize]);
            assert!(found.offset <= 4096);
            for _ in 0..found.len {
                restored.push(restored[restored.len() - found.offset as usize]);
            }
        }
        assert!(block.starts_with(&restored));
        assert!(matches.len() < 50 && block.len() - restored.len() < 10);
    }
}
