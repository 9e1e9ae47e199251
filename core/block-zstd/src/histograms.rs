//! Counts literals and the indices of sequences.
//!
//! All tables are at one address, since the loop that counts has no registers for more. Any byte is
//! an index, so no index has to be checked.

use alloc::boxed::Box;
use alloc::vec;

use crate::symbols::{LITERAL_SYMBOLS, Lengths, MATCH_SYMBOLS, Offset, SYMBOLS};

/// Number of different literals.
pub(crate) const LITERALS: usize = 256;
/// Tables of literals that take turns, so that equal ones in a row don't wait for each other.
const TURNS: usize = 4;
/// Literals that are counted together.
pub(crate) type Group = [u8; TURNS];

type Table = [u32; 256];
/// Of literals, of the lengths of literals and of matches, and of offsets, whose exponents take
/// nine bits.
type Tables = [Table; TURNS + 4];

/// How often each symbol of an alphabet occurs.
pub(crate) type Counts = [u32; SYMBOLS];

/// The histograms of a block.
pub(crate) struct Histograms(Box<Tables>);

impl Histograms {
    pub(crate) fn new() -> Self {
        let tables = vec![[0; 256]; TURNS + 4].into_boxed_slice();
        Self(tables.try_into().unwrap_or_else(|_| unreachable!("as many as in the array")))
    }

    /// Clears the counts of literals and of indices that exist.
    pub(crate) fn clear(&mut self) {
        let [literals @ .., runs, matches, low, high] = &mut *self.0;
        literals.as_flattened_mut().fill(0);
        runs[..LITERAL_SYMBOLS.len()].fill(0);
        matches[..MATCH_SYMBOLS.len()].fill(0);
        low.fill(0);
        high.fill(0);
    }

    /// Returns the means to count.
    pub(crate) fn counter(&mut self) -> Counter<'_> {
        Counter(&mut self.0)
    }

    /// Sets `counts` to how often each literal occurs.
    pub(crate) fn literals(&self, counts: &mut [u32; LITERALS]) {
        let [a, b, c, d, ..] = &*self.0;
        for (i, count) in counts.iter_mut().enumerate() {
            *count = a[i] + b[i] + c[i] + d[i];
        }
    }

    /// Returns the counts of symbols of literal lengths.
    pub(crate) fn literal_lengths(&self) -> Counts {
        sum(&self.0[TURNS], &LITERAL_SYMBOLS)
    }

    /// Returns the counts of symbols of match lengths.
    pub(crate) fn match_lengths(&self) -> Counts {
        sum(&self.0[TURNS + 1], &MATCH_SYMBOLS)
    }

    /// Returns the counts of symbols of offsets.
    pub(crate) fn offsets(&self) -> Counts {
        let mut counts = [0; SYMBOLS];
        let from = &self.0[TURNS + 2..].as_flattened()[Offset::FIRST..];
        counts.copy_from_slice(&from[..SYMBOLS]);
        counts
    }
}

/// Counts into histograms. Holds their address, which saves loading it for each sequence.
pub(crate) struct Counter<'a>(&'a mut Tables);

impl Counter<'_> {
    #[inline(always)]
    pub(crate) fn add_lengths(&mut self, lengths: Lengths) {
        self.0[TURNS][usize::from(lengths.literals)] += 1;
        self.0[TURNS + 1][usize::from(lengths.match_len)] += 1;
    }

    #[inline(always)]
    pub(crate) fn add_offset(&mut self, offset: Offset) {
        self.0[TURNS + 2..].as_flattened_mut()[offset.exponent()] += 1;
    }

    #[inline(always)]
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "bytes are loaded one by one")]
    pub(crate) fn add_literals(&mut self, group: &Group) {
        for (table, &literal) in self.0.iter_mut().zip(group) {
            table[usize::from(literal)] += 1;
        }
    }

    /// Counts any number of literals.
    #[inline(never)]
    pub(crate) fn add_all_literals(&mut self, literals: &[u8]) {
        let (groups, rest) = literals.as_chunks();
        let (pairs, last) = groups.as_chunks::<2>();
        for [a, b] in pairs {
            self.add_literals(a);
            self.add_literals(b);
        }
        for group in last {
            self.add_literals(group);
        }
        for &literal in rest {
            self.0[0][usize::from(literal)] += 1;
        }
    }
}

/// Returns how often symbols occur, if indices occur this often.
fn sum(counts: &[u32], symbols: &[u8]) -> Counts {
    let mut sums = [0; SYMBOLS];
    for (&count, &symbol) in counts.iter().zip(symbols) {
        sums[usize::from(symbol) % SYMBOLS] += count;
    }
    sums
}
