//! Splits data into literals and matches: hash chains and lazy matching.

use std::cell::RefCell;

/// Matches this long are taken at once.
const NICE_LEN: usize = 256;
/// Matches of 3 bytes are not worth a greater offset.
const MAX_SHORT_OFFSET: usize = 256;
/// Positions that the chains reach back, at least twice the largest window.
const RING: usize = 1 << 16;
const MAX_HASH_BITS: u32 = 16;
/// After so many literals in a row another position is skipped.
const LITERALS_PER_STEP: usize = 512;
/// What one byte of a match is worth, in the unit of [`Match::gain`]: bits of an offset.
const BYTE_GAIN: i64 = 4;

thread_local! {
    static TABLES: RefCell<Tables> = const { RefCell::new(Tables::new()) };
}

/// Literals, and a match after them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) literals: u32,
    pub(super) length: u32,
    pub(super) offset: u32,
}

/// What a parse looks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    /// The greatest offset.
    pub(super) window: usize,
    /// The shortest match: 3 or 4.
    pub(super) min_match: usize,
    /// The shortest match with an offset that is not one of the last: 3 to 8.
    pub(super) worthwhile: usize,
    /// The number of candidates tried for each position.
    pub(super) depth: u32,
    /// Whether a better match that begins at the next byte is preferred.
    pub(super) lazy: bool,
    /// Whether the offsets of the last matches are preferred.
    pub(super) repeats: bool,
    /// No match begins in this many bytes at the end.
    pub(super) end_start: usize,
    /// No match reaches into this many bytes at the end.
    pub(super) end_literals: usize,
}

/// Parses `src`. What follows the last match is literals.
pub(super) fn parse(src: &[u8], search: &Search) -> Vec<Sequence> {
    TABLES.with_borrow_mut(|tables| {
        tables.reset(src.len());
        Parser { src, search, tables, recent: [0; 2] }.run()
    })
}

/// A hash table of positions, and a chain from each position to the previous one with its hash.
struct Tables {
    /// By hash: the last position plus 1, or 0.
    heads: Vec<u32>,
    /// By position modulo the length: the previous position plus 1, or 0.
    chain: Vec<u32>,
    bits: u32,
}

impl Tables {
    const fn new() -> Self {
        Self { heads: Vec::new(), chain: Vec::new(), bits: 0 }
    }

    fn reset(&mut self, len: usize) {
        self.bits = (len.max(1).ilog2() + 1).clamp(8, MAX_HASH_BITS);
        self.heads.clear();
        self.heads.resize(1 << self.bits, 0);
        self.chain.resize(RING, 0);
    }

    /// Inserts a position. Returns the previous one with the same hash, plus 1.
    fn insert(&mut self, hash: usize, at: usize) -> u32 {
        let previous = std::mem::replace(&mut self.heads[hash], at as u32 + 1);
        self.chain[at % RING] = previous;
        previous
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Match {
    length: usize,
    offset: usize,
    /// Bits that its offset costs.
    cost: u32,
}

impl Match {
    fn gain(&self) -> i64 {
        i64::from(self.length as u32) * BYTE_GAIN - i64::from(self.cost)
    }
}

struct Parser<'a> {
    src: &'a [u8],
    search: &'a Search,
    tables: &'a mut Tables,
    /// The last two offsets, or 0.
    recent: [usize; 2],
}

impl Parser<'_> {
    fn run(mut self) -> Vec<Sequence> {
        let mut sequences = Vec::new();
        let tail = self.search.end_start.max(self.search.min_match);
        let Some(end) = self.src.len().checked_sub(tail) else { return sequences };
        let (mut at, mut anchor) = (0, 0);
        // A match may begin at `end` itself.
        while at <= end {
            let mut found = self.find(at);
            if found.length == 0 {
                let next = at + 1 + (at - anchor) / LITERALS_PER_STEP;
                self.insert_all(at + 1, next);
                at = next;
                continue;
            }
            // Lazy matching: a better match may begin at the next byte.
            while self.search.lazy && found.length < NICE_LEN && at < end {
                let next = self.find(at + 1);
                if next.length == 0 || next.gain() <= found.gain() + BYTE_GAIN {
                    // `find` has inserted that position.
                    self.insert_all(at + 2, at + found.length);
                    break;
                }
                at += 1;
                found = next;
            }
            if !self.search.lazy || found.length >= NICE_LEN || at >= end {
                self.insert_all(at + 1, at + found.length);
            }
            // Steps may have skipped the beginning.
            while at > anchor && at > found.offset && self.is_repeat(at - 1, found.offset) {
                at -= 1;
                found.length += 1;
            }
            sequences.push(Sequence {
                literals: (at - anchor) as u32,
                length: found.length as u32,
                offset: found.offset as u32,
            });
            if self.recent[0] != found.offset {
                self.recent = [found.offset, self.recent[0]];
            }
            at += found.length;
            anchor = at;
        }
        sequences
    }

    /// Finds the best match at a position, and inserts the position. The length is 0 if there is
    /// none.
    fn find(&mut self, at: usize) -> Match {
        let most = self.src.len() - self.search.end_literals - at;
        let mut best = Match::default();
        if self.search.repeats {
            for offset in self.recent {
                if (1..=at).contains(&offset) {
                    let length = self.common(at, offset, most);
                    self.consider(&mut best, Match { length, offset, cost: 1 });
                }
            }
        }
        let mut candidate = self.tables.insert(self.hash(at), at);
        for _ in 0..self.search.depth {
            let Some(from) = (candidate as usize).checked_sub(1) else { break };
            let offset = at - from;
            if offset > self.search.window || best.length >= NICE_LEN {
                break;
            }
            // Only a longer match can be better.
            let longer =
                best.length < most && self.src[from + best.length] == self.src[at + best.length];
            if longer {
                let length = self.common(at, offset, most);
                let cost = offset.ilog2() + 1;
                self.consider(&mut best, Match { length, offset, cost });
            }
            candidate = self.tables.chain[from % RING];
        }
        best
    }

    fn consider(&self, best: &mut Match, found: Match) {
        let shortest = if found.cost == 1 { self.search.min_match } else { self.search.worthwhile };
        let worth = found.length >= shortest
            && (found.length > 3 || found.cost == 1 || found.offset <= MAX_SHORT_OFFSET);
        if worth && (best.length == 0 || found.gain() > best.gain()) {
            *best = found;
        }
    }

    /// Returns whether the byte at `at` is the same as the one `offset` bytes before.
    fn is_repeat(&self, at: usize, offset: usize) -> bool {
        self.src[at] == self.src[at - offset]
    }

    /// Returns how many bytes at `at` are the same as those `offset` bytes before.
    fn common(&self, at: usize, offset: usize, most: usize) -> usize {
        let (here, there) = (&self.src[at..at + most], &self.src[at - offset..]);
        let words = here.chunks_exact(8).zip(there.chunks_exact(8));
        let whole = words.take_while(|(a, b)| a == b).count() * 8;
        let rest = here[whole..].iter().zip(&there[whole..]);
        whole + rest.take_while(|(a, b)| a == b).count()
    }

    fn insert_all(&mut self, from: usize, to: usize) {
        for at in from..to.min((self.src.len() + 1).saturating_sub(self.search.worthwhile)) {
            self.tables.insert(self.hash(at), at);
        }
    }

    /// Hashes the shortest worthwhile match at a position.
    fn hash(&self, at: usize) -> usize {
        let mut word = [0; 8];
        let end = self.src.len().min(at + self.search.worthwhile);
        word[..end - at].copy_from_slice(&self.src[at..end]);
        let product = u64::from_le_bytes(word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (product >> (64 - self.tables.bits)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Search = Search {
        window: 32 << 10,
        min_match: 3,
        worthwhile: 3,
        depth: 8,
        lazy: true,
        repeats: true,
        end_start: 0,
        end_literals: 0,
    };

    /// Rebuilds the data from the sequences, with literals from the data itself.
    fn rebuilt(src: &[u8], sequences: &[Sequence]) -> Vec<u8> {
        let mut out = Vec::new();
        for sequence in sequences {
            out.extend_from_slice(&src[out.len()..out.len() + sequence.literals as usize]);
            for _ in 0..sequence.length {
                out.push(out[out.len() - sequence.offset as usize]);
            }
        }
        out.extend_from_slice(&src[out.len()..]);
        out
    }

    #[test]
    fn a_repetition_is_one_match() {
        assert_eq!(parse(&[7; 1000], &ALL), [Sequence { literals: 1, length: 999, offset: 1 }]);
        let twice = b"a sentence of some length, a sentence of some length";
        assert_eq!(parse(twice, &ALL), [Sequence { literals: 27, length: 25, offset: 27 }]);
    }

    #[test]
    fn short_inputs_are_literals() {
        for len in 0..4 {
            assert_eq!(parse(&b"abcd"[..len], &ALL), []);
        }
        assert_eq!(parse(b"aaaa", &ALL), [Sequence { literals: 1, length: 3, offset: 1 }]);
    }

    #[test]
    fn a_longer_match_one_byte_later_is_preferred() {
        // At the second `xabc`, `xab` matches at once and `abcdefgh` one byte later.
        let data = b"xab-abcdefgh-xabcdefgh";
        let sequences = parse(data, &ALL);
        assert_eq!(rebuilt(data, &sequences), data);
        let longest = sequences.iter().map(|sequence| sequence.length).max();
        assert_eq!(longest, Some(8));
    }

    #[test]
    fn a_short_match_is_worthwhile_only_at_one_of_the_last_offsets() {
        let fast = Search { worthwhile: 6, depth: 1, lazy: false, ..ALL };
        let data = b"abcd-abcd+abcde-abcde+abc--abc";
        for sequence in parse(data, &fast) {
            assert!(sequence.length >= 3);
        }
        assert_eq!(rebuilt(data, &parse(data, &fast)), data);
        assert_eq!(parse(b"abcd-xyz+abcd", &fast), []);
        assert_ne!(parse(b"abcd-xyz+abcd", &ALL), []);
    }

    #[test]
    fn no_match_exceeds_the_window_or_reaches_into_the_end() {
        let mut data: Vec<u8> =
            (0..6000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        data.extend_from_within(..);
        let whole = parse(&data, &ALL);
        assert!(whole.iter().any(|sequence| sequence.offset == 6000 && sequence.length > 5000));
        let narrow = Search { window: 4096, ..ALL };
        assert!(parse(&data, &narrow).iter().all(|sequence| sequence.offset <= 4096));
        let ended = Search { min_match: 4, end_start: 12, end_literals: 5, ..ALL };
        for len in [12, 13, 14, 30, 11_990] {
            let src = if len < 100 { vec![1; len] } else { data[..len].to_vec() };
            let mut at = 0;
            for sequence in parse(&src, &ended) {
                at += sequence.literals as usize;
                assert!(at + 12 <= len);
                at += sequence.length as usize;
                assert!(at + 5 <= len);
            }
        }
    }
}
