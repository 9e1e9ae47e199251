//! What parsing gives: records of up to four literals and a match, and how often each symbol occurs.
//!
//! The records are laid out for emission, which then works without branches: three literals of which
//! any may be absent, a length or a fourth literal, a distance that may be "no match". To prepare this
//! and to count symbols while parsing costs little, since parsing waits for memory and for
//! mispredicted branches half of the time; emission does not.
//!
//! Symbols are counted for each 16 KiB. Neighbours that are alike are joined; those that aren't
//! are written with codes of their own, as blocks of the deflate format.

use alloc::boxed::Box;
use alloc::vec;
use core::ops::Range;

use crate::input::{Bytes, POSITIONS, diff8};
use crate::symbols::{
    ABSENT, DISTANCES, END_OF_BLOCK, FIRST_LENGTH, LENGTH_SYMBOL, LITERALS, MAX_MATCH, NEAREST,
    NO_DISTANCE, distance_bits, distance_symbol,
};

/// Each record covers at least four bytes, the last one of a block and the first excepted.
const RECORDS: usize = POSITIONS / 4 + 16;
/// Bytes of a part, before any are joined.
pub(crate) const PART: usize = 16384;
/// Parts of the longest block.
pub(crate) const PARTS: usize = POSITIONS / PART;

/// For each number of literals before a match what makes a byte the literal's symbol, or an absent one.
static PRESENT: [[u16; 3]; 4] = [[ABSENT; 3], [0, ABSENT, ABSENT], [0, 0, ABSENT], [0; 3]];

/// The records of a block, in one or more parts that may get codes of their own.
pub(crate) struct Tokens {
    records: Box<[Record; RECORDS]>,
    len: usize,
    parts: Box<[Part; PARTS]>,
    /// Which part grows.
    part: usize,
    /// Its counts so far.
    counts: Growing,
}

/// Up to four literals, or up to three and a match.
#[derive(Clone, Copy)]
pub(crate) struct Record {
    /// Literals; in the last place also what [`LENGTH_SYMBOL`] has. [`ABSENT`] and above are neither.
    pub(crate) symbols: [u16; 4],
    /// What [`distance_bits`] gives, or [`NO_DISTANCE`].
    pub(crate) distance: u32,
}

/// Records one behind the other, and how often each symbol occurs in them.
#[derive(Clone)]
pub(crate) struct Part {
    records: Range<usize>,
    bytes: Range<usize>,
    counts: Counts,
}

/// How often symbols occurred in a part so far.
struct Growing {
    /// From [`ABSENT`] on, how often a byte was taken for a literal that isn't there: of no use, but to
    /// leave it out would take a branch. Never cleared.
    literals: [u32; 512],
    lengths: [u32; DISTANCES],
    distances: [u32; DISTANCES],
}

#[derive(Clone)]
struct Counts {
    literals: [u32; END_OF_BLOCK],
    lengths: [u32; DISTANCES],
    distances: [u32; DISTANCES],
}

impl Tokens {
    /// Allocates 200 KiB. What goes by way of the stack is small and made one piece after the other,
    /// which counts in unoptimised builds.
    pub(crate) fn new() -> Box<Self> {
        let records = new_records();
        let parts = new_parts();
        Self::from_tables(records, parts)
    }

    fn from_tables(records: Box<[Record; RECORDS]>, parts: Box<[Part; PARTS]>) -> Box<Self> {
        Box::new(Self {
            records,
            len: 0,
            parts,
            part: 0,
            counts: Growing {
                literals: [0; 512],
                lengths: [0; DISTANCES],
                distances: [0; DISTANCES],
            },
        })
    }

    /// Forgets all records. What follows begins at this position.
    pub(crate) fn start(&mut self, at: usize) {
        self.len = 0;
        self.part = 0;
        self.begin(at);
    }

    /// Begins another part at this position.
    pub(crate) fn cut(&mut self, at: usize) {
        self.finish(at);
        self.part += 1;
        self.begin(at);
    }

    fn begin(&mut self, at: usize) {
        let part = &mut self.parts[self.part];
        part.records.start = self.len;
        part.bytes.start = at;
        self.counts.literals[..END_OF_BLOCK].fill(0);
        self.counts.lengths.fill(0);
        self.counts.distances.fill(0);
    }

    /// Ends the last part at this position.
    pub(crate) fn finish(&mut self, at: usize) {
        let part = &mut self.parts[self.part];
        part.records.end = self.len;
        part.bytes.end = at;
        let Growing { literals, lengths, distances } = &self.counts;
        let counts = &mut part.counts;
        counts.literals.copy_from_slice(&literals[..END_OF_BLOCK]);
        counts.lengths = *lengths;
        counts.distances = *distances;
        counts.distances[0] = core::mem::take(&mut counts.distances[usize::from(NEAREST)]);
    }

    /// Joins parts that are so much alike that codes of their own would gain less than `worth` bits.
    pub(crate) fn join(&mut self, worth: f32) {
        let mut last = 0;
        for next in 1..=self.part {
            let (before, behind) = self.parts.split_at_mut(next);
            let (part, next) = (&mut before[last], &behind[0]);
            if part.counts.lost_with(&next.counts) < worth {
                part.join(next);
            } else {
                last += 1;
                if last < before.len() {
                    before[last] = next.clone();
                }
            }
        }
        self.part = last;
    }

    /// The parts.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts[..=self.part]
    }

    /// The records of a part.
    pub(crate) fn records(&self, part: &Part) -> &[Record] {
        &self.records[part.records.clone()]
    }

    /// A record of `count` literals, at most four, from a position on.
    #[inline(always)]
    pub(crate) fn push_literals(&mut self, bytes: &Bytes, from: u16, count: usize) {
        let mut symbols = [ABSENT; 4];
        for (j, symbol) in symbols.iter_mut().enumerate().take(count) {
            let literal = bytes[usize::from(from) + j];
            *symbol = u16::from(literal);
            self.counts.literals[usize::from(literal)] += 1;
        }
        self.push(symbols, NO_DISTANCE);
    }

    /// The same of four.
    ///
    /// This and those for matches are calls, which leaves parsing more registers: of those it is short.
    #[inline(never)]
    pub(crate) fn push_four(&mut self, bytes: &Bytes, from: u16) {
        self.push_literals(bytes, from, 4);
    }

    /// A record of literals, at most three, from a position on, and the match behind them.
    #[inline(never)]
    pub(crate) fn push_match(
        &mut self,
        bytes: &Bytes,
        from: u16,
        literals: usize,
        len: usize,
        distance: u16,
    ) {
        self.take(bytes, from, literals, len, distance);
    }

    /// A record of the literals from a position on, and the match from `start` to `end` with what is at
    /// `candidate`: at most three literals, or less, since as many of the last ones become part of the
    /// match as are equal to what is before the candidate.
    #[inline(never)]
    pub(crate) fn push_extended(
        &mut self,
        bytes: &Bytes,
        from: u16,
        [start, candidate]: [u16; 2],
        end: usize,
    ) {
        let literals = usize::from(start.wrapping_sub(from) & 3);
        let len = end - usize::from(start);
        // Of the four bytes before each.
        let diff = diff8(bytes, start.wrapping_sub(4), candidate.wrapping_sub(4), 0) as u32;
        // The byte that differs, counted from the end, the first that is no literal at the latest.
        let differ = diff.swap_bytes() | 1 << (8 * literals);
        let mut back = (differ.trailing_zeros() / 8) as usize;
        // What is before these may be no position.
        if candidate < 4 {
            back = 0;
        }
        let distance = start.wrapping_sub(candidate);
        self.take(bytes, from, literals - back, len + back, distance);
    }

    #[inline(always)]
    fn take(&mut self, bytes: &Bytes, from: u16, literals: usize, len: usize, distance: u16) {
        debug_assert!((3..=MAX_MATCH).contains(&len), "length {len}");
        let length = LENGTH_SYMBOL[len & 511];
        let distance = distance_bits(distance);
        let present = &PRESENT[literals & 3];
        let mut symbols = [length; 4];
        for (j, (symbol, present)) in symbols.iter_mut().zip(present).enumerate() {
            *symbol = u16::from(bytes[usize::from(from) + j]) | present;
            let count = &mut self.counts.literals[usize::from(*symbol)];
            *count = count.wrapping_add(1);
        }
        self.counts.lengths[usize::from(length) % DISTANCES] += 1;
        self.counts.distances[distance_symbol(distance)] += 1;
        self.push(symbols, distance);
    }

    #[inline(always)]
    fn push(&mut self, symbols: [u16; 4], distance: u32) {
        let at = self.len;
        self.records[at] = Record { symbols, distance };
        self.len = at + 1;
    }
}

fn new_records() -> Box<[Record; RECORDS]> {
    let records = vec![Record { symbols: [0; 4], distance: 0 }; RECORDS].into_boxed_slice();
    records.try_into().unwrap_or_else(|_| unreachable!("the length is that of the array"))
}

fn new_parts() -> Box<[Part; PARTS]> {
    let parts: Box<[Part]> = (0..PARTS).map(|_| Part::new()).collect();
    parts.try_into().unwrap_or_else(|_| unreachable!("the length is that of the array"))
}

impl Part {
    const fn new() -> Self {
        let counts = Counts {
            literals: [0; END_OF_BLOCK],
            lengths: [0; DISTANCES],
            distances: [0; DISTANCES],
        };
        Self { records: 0..0, bytes: 0..0, counts }
    }

    fn join(&mut self, next: &Self) {
        self.records.end = next.records.end;
        self.bytes.end = next.bytes.end;
        let add = |sums: &mut [u32], counts: &[u32]| {
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum += count;
            }
        };
        add(&mut self.counts.literals, &next.counts.literals);
        add(&mut self.counts.lengths, &next.counts.lengths);
        add(&mut self.counts.distances, &next.counts.distances);
    }

    /// The positions of its bytes.
    pub(crate) fn bytes(&self) -> Range<usize> {
        self.bytes.clone()
    }

    /// Whether next to none of its bytes are in matches.
    pub(crate) fn matches_are_rare(&self) -> bool {
        let literals: u32 = self.counts.literals.iter().sum();
        let len = self.bytes.len();
        self.records.len() > 64 && len - literals as usize <= len / 64
    }

    /// How often each distance symbol occurs.
    pub(crate) const fn distance_counts(&self) -> &[u32; DISTANCES] {
        &self.counts.distances
    }

    /// How often each symbol of the literal and length alphabet occurs, the end of the block
    /// included.
    pub(crate) fn literal_counts(&self) -> [u32; LITERALS] {
        let mut counts = [0; LITERALS];
        counts[..END_OF_BLOCK].copy_from_slice(&self.counts.literals);
        counts[END_OF_BLOCK] = 1;
        counts[FIRST_LENGTH..].copy_from_slice(&self.counts.lengths[..LITERALS - FIRST_LENGTH]);
        counts
    }
}

impl Counts {
    /// Roughly how many bits more both take with common codes than each with its own.
    ///
    /// The difference of the entropies by its first term that isn't zero, Pearson's chi-squared: no
    /// logarithms, and simple enough for the compiler to take four symbols at a time.
    fn lost_with(&self, other: &Self) -> f32 {
        let matches = [total(&self.lengths), total(&other.lengths)];
        let symbols = [matches[0] + total(&self.literals), matches[1] + total(&other.literals)];
        let sum = apart(&self.literals, &other.literals, symbols)
            + apart(&self.lengths, &other.lengths, symbols)
            + apart(&self.distances, &other.distances, matches);
        sum * core::f32::consts::LOG2_E / 2.0
    }
}

fn total(counts: &[u32]) -> f32 {
    counts.iter().sum::<u32>() as f32
}

/// How far frequencies of symbols in two samples of so many are apart.
fn apart(a: &[u32], b: &[u32], totals: [f32; 2]) -> f32 {
    let mut sums = [0_f32; 4];
    for (a, b) in a.chunks_exact(4).zip(b.chunks_exact(4)) {
        for (i, sum) in sums.iter_mut().enumerate() {
            // By way of signed numbers, which there is an instruction for.
            let (a, b) = (a[i].cast_signed() as f32, b[i].cast_signed() as f32);
            let apart = a * totals[1] - b * totals[0];
            *sum += apart * apart / (a + b).max(1.0);
        }
    }
    sums.iter().sum::<f32>() / (totals[0] * totals[1]).max(1.0)
}
