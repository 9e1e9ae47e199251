//! The result of parsing: records of literals and matches, and how often each symbol occurs.
//!
//! Records are laid out so that emission needs no branches: three literals, any of which may be
//! absent, a length or a fourth literal, and a distance, which may be "no match". Preparing them
//! and counting symbols during parsing costs little: unlike emission, parsing spends half of its
//! time waiting for memory and mispredicted branches.
//!
//! Symbols are counted per 16 KiB. Similar neighbours are joined; the others get their own codes,
//! as separate blocks of the deflate format.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::input::{Bytes, POSITIONS, diff8};
use crate::symbols::{
    ABSENT, DISTANCES, END_OF_BLOCK, FIRST_LENGTH, LENGTH_SYMBOL, LITERALS, MAX_MATCH, NEAREST,
    NO_DISTANCE, distance_bits, distance_symbol,
};

/// Each record covers at least four bytes, except the first and the last of a block.
const RECORDS: usize = POSITIONS / 4 + 16;
/// Length of a part in bytes, before any are joined.
pub(crate) const PART_LEN: usize = 16384;
/// The number of parts of the longest block.
pub(crate) const MAX_PARTS: usize = POSITIONS / PART_LEN;

/// For each number of literals before a match, masks that turn a byte into the literal's symbol or
/// into an absent one.
static PRESENT: [[u16; 3]; 4] = [[ABSENT; 3], [0, ABSENT, ABSENT], [0, 0, ABSENT], [0; 3]];

/// The records of a block, in one or more parts that may get their own codes.
pub(crate) struct Tokens {
    records: Box<[Record; RECORDS]>,
    len: usize,
    parts: Box<[Part; MAX_PARTS]>,
    /// Index of the current part.
    part: usize,
    /// Counts of the current part.
    counts: RunningCounts,
}

/// Up to four literals, or up to three and a match.
#[derive(Clone, Copy)]
pub(crate) struct Record {
    /// Literals; the last may instead be an item of [`LENGTH_SYMBOL`]. [`ABSENT`] and above stand
    /// for no literal.
    pub(crate) symbols: [u16; 4],
    /// The result of [`distance_bits`], or [`NO_DISTANCE`].
    pub(crate) distance: u32,
}

/// Consecutive records, and how often each symbol occurs in them.
#[derive(Clone)]
pub(crate) struct Part {
    records: Range<usize>,
    bytes: Range<usize>,
    counts: Counts,
}

/// How often symbols have occurred in the current part so far.
struct RunningCounts {
    /// Counts from [`ABSENT`] on are those of absent literals. They are unused and never cleared,
    /// but skipping them would take a branch.
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
    /// Allocates 200 KiB. Parts and counts pass through the stack, in separate calls because in
    /// unoptimised builds each of them takes several KiB.
    pub(crate) fn new() -> Box<Self> {
        let records = new_records();
        let parts = new_parts();
        Self::from_tables(records, parts)
    }

    fn from_tables(records: Box<[Record; RECORDS]>, parts: Box<[Part; MAX_PARTS]>) -> Box<Self> {
        Box::new(Self {
            records,
            len: 0,
            parts,
            part: 0,
            counts: RunningCounts {
                literals: [0; 512],
                lengths: [0; DISTANCES],
                distances: [0; DISTANCES],
            },
        })
    }

    /// Removes all records. The first part begins at `at`.
    pub(crate) fn start(&mut self, at: usize) {
        self.len = 0;
        self.part = 0;
        self.begin(at);
    }

    /// Ends the current part at `at` and begins another.
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

    /// Ends the last part at `at`.
    pub(crate) fn finish(&mut self, at: usize) {
        let part = &mut self.parts[self.part];
        part.records.end = self.len;
        part.bytes.end = at;
        let RunningCounts { literals, lengths, distances } = &self.counts;
        let counts = &mut part.counts;
        counts.literals.copy_from_slice(&literals[..END_OF_BLOCK]);
        counts.lengths = *lengths;
        counts.distances = *distances;
        counts.distances[0] = core::mem::take(&mut counts.distances[usize::from(NEAREST)]);
    }

    /// Joins neighbouring parts for which separate codes would gain less than `min_gain` bits.
    pub(crate) fn join(&mut self, min_gain: f32) {
        let mut last = 0;
        for next in 1..=self.part {
            let (before, after) = self.parts.split_at_mut(next);
            let (part, next) = (&mut before[last], &after[0]);
            if part.counts.joining_cost(&next.counts) < min_gain {
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

    /// Returns the parts.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts[..=self.part]
    }

    /// Returns the records of a part.
    pub(crate) fn records(&self, part: &Part) -> &[Record] {
        &self.records[part.records.clone()]
    }

    /// Adds a record of `count` literals, at most four, starting at `from`.
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

    /// Adds a record of four literals.
    ///
    /// This and the functions for matches aren't inlined because parsing is short of registers.
    #[inline(never)]
    pub(crate) fn push_four(&mut self, bytes: &Bytes, from: u16) {
        self.push_literals(bytes, from, 4);
    }

    /// Adds a record of up to three literals, starting at `from`, and the match after them.
    #[inline(never)]
    pub(crate) fn push_match(
        &mut self,
        bytes: &Bytes,
        from: u16,
        literals: usize,
        len: usize,
        distance: u16,
    ) {
        self.add_match(bytes, from, literals, len, distance);
    }

    /// Adds a record of up to three literals, starting at `from`, and the match of `start..end`
    /// with the bytes at `candidate`. The match is extended backwards into the literals as far as
    /// they equal the bytes before the candidate.
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
        // Compares the four bytes before the match with those before the candidate.
        let diff = diff8(bytes, start.wrapping_sub(4), candidate.wrapping_sub(4), 0) as u32;
        // The first difference going backwards, within the literals.
        let differ = diff.swap_bytes() | 1 << (8 * literals);
        let mut back = (differ.trailing_zeros() / 8) as usize;
        // Fewer than four bytes before the candidate: the comparison is meaningless.
        if candidate < 4 {
            back = 0;
        }
        let distance = start.wrapping_sub(candidate);
        self.add_match(bytes, from, literals - back, len + back, distance);
    }

    #[inline(always)]
    fn add_match(&mut self, bytes: &Bytes, from: u16, literals: usize, len: usize, distance: u16) {
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
    records.try_into().unwrap_or_else(|_| unreachable!("the length matches the array"))
}

fn new_parts() -> Box<[Part; MAX_PARTS]> {
    // In unoptimised builds, collecting an iterator holds a part in each of six frames.
    let mut parts = Vec::with_capacity(MAX_PARTS);
    for _ in 0..MAX_PARTS {
        parts.push(Part::new());
    }
    let parts = parts.into_boxed_slice();
    parts.try_into().unwrap_or_else(|_| unreachable!("the length matches the array"))
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

    /// Returns the positions of its bytes.
    pub(crate) fn bytes(&self) -> Range<usize> {
        self.bytes.clone()
    }

    /// Returns whether almost none of its bytes are in matches.
    pub(crate) fn matches_are_rare(&self) -> bool {
        let literals: u32 = self.counts.literals.iter().sum();
        let len = self.bytes.len();
        self.records.len() > 64 && len - literals as usize <= len / 64
    }

    /// Returns how often each distance symbol occurs.
    pub(crate) const fn distance_counts(&self) -> &[u32; DISTANCES] {
        &self.counts.distances
    }

    /// Returns how often each symbol of the literal and length alphabet occurs, including the end
    /// of the block.
    pub(crate) fn literal_counts(&self) -> [u32; LITERALS] {
        let mut counts = [0; LITERALS];
        counts[..END_OF_BLOCK].copy_from_slice(&self.counts.literals);
        counts[END_OF_BLOCK] = 1;
        counts[FIRST_LENGTH..].copy_from_slice(&self.counts.lengths[..LITERALS - FIRST_LENGTH]);
        counts
    }
}

impl Counts {
    /// Estimates how many more bits both parts take with shared codes than with separate ones.
    ///
    /// Approximates the difference of the entropies by its first non-zero term, Pearson's
    /// chi-squared: no logarithms, and simple enough for the compiler to vectorise.
    fn joining_cost(&self, other: &Self) -> f32 {
        let matches = [total(&self.lengths), total(&other.lengths)];
        let symbols = [matches[0] + total(&self.literals), matches[1] + total(&other.literals)];
        let sum = chi_squared(&self.literals, &other.literals, symbols)
            + chi_squared(&self.lengths, &other.lengths, symbols)
            + chi_squared(&self.distances, &other.distances, matches);
        sum * core::f32::consts::LOG2_E / 2.0
    }
}

fn total(counts: &[u32]) -> f32 {
    counts.iter().sum::<u32>() as f32
}

/// Returns Pearson's chi-squared for the counts of two samples with these totals.
fn chi_squared(a: &[u32], b: &[u32], totals: [f32; 2]) -> f32 {
    let mut sums = [0_f32; 4];
    for (a, b) in a.chunks_exact(4).zip(b.chunks_exact(4)) {
        for (i, sum) in sums.iter_mut().enumerate() {
            // Signed numbers have a conversion instruction.
            let (a, b) = (a[i].cast_signed() as f32, b[i].cast_signed() as f32);
            let diff = a * totals[1] - b * totals[0];
            *sum += diff * diff / (a + b).max(1.0);
        }
    }
    sums.iter().sum::<f32>() / (totals[0] * totals[1]).max(1.0)
}
