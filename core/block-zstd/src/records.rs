//! Converts sequences to what encoding needs: finds repeated offsets and indices, and counts them.

use alloc::vec::Vec;

use crate::frame::MAX_BLOCK_LEN;
use crate::histograms::{Group, Histograms};
use crate::offsets::RepeatOffsets;
use crate::source::{Numbered, Source};
use crate::symbols::{Lengths, MIN_LONG, MIN_MATCH, Offset};

/// The most sequences of a block.
const MAX_SEQUENCES: usize = MAX_BLOCK_LEN / MIN_MATCH as usize;
/// The most sequences of a block with lengths that aren't both short.
const MAX_LONG: usize = MAX_BLOCK_LEN / MIN_LONG;

/// The sequences of a block in reverse order, since encoding starts with the last one.
pub(crate) struct Records {
    /// Grows to the longest list so far, without allocating.
    list: Vec<Record>,
    len: usize,
    long: Vec<Long>,
    histograms: Histograms,
}

/// A sequence, as two numbers, since stores limit the speed of conversion.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Record {
    pub(crate) offset: Offset,
    /// The literals' index, the offset's symbol, which encoding would take time to find, and the
    /// match's index. The indices are meaningless unless both lengths are short.
    symbols: [u8; 4],
}

impl Record {
    #[inline(always)]
    fn new(offset: Offset, lengths: Lengths) -> Self {
        let Lengths { literals, match_len } = lengths;
        let symbols =
            u32::from(literals) | u32::from(offset.symbol()) << 8 | u32::from(match_len) << 16;
        Self { offset, symbols: symbols.to_le_bytes() }
    }

    /// Returns the offset's symbol.
    #[inline(always)]
    pub(crate) const fn symbol(self) -> u8 {
        self.symbols[1]
    }

    /// Returns the lengths, if both are short.
    #[inline(always)]
    pub(crate) const fn lengths(self) -> Lengths {
        Lengths { literals: self.symbols[0], match_len: self.symbols[2] }
    }
}

/// The lengths of a sequence that aren't both short.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Long {
    /// The record's index.
    pub(crate) at: usize,
    pub(crate) lengths: Lengths,
    /// Their extra bits.
    pub(crate) extra: [u64; 2],
}

impl Records {
    pub(crate) fn new() -> Self {
        Self {
            list: Vec::with_capacity(MAX_SEQUENCES),
            len: 0,
            long: Vec::with_capacity(MAX_LONG),
            histograms: Histograms::new(),
        }
    }

    /// Reads sequences that are valid, updates the last offsets, and counts the literals too.
    pub(crate) fn read<S: Source>(
        &mut self,
        sequences: S,
        last: &mut RepeatOffsets,
        literals: &[u8],
    ) {
        self.len = sequences.len();
        if self.list.len() < self.len {
            self.list.resize(self.len, Record::default());
        }
        self.long.clear();
        self.histograms.clear();

        // One group of literals per sequence, with the last sequences if there are fewer groups.
        let (groups, rest) = literals.as_chunks();
        let (with, more) = groups.split_at(groups.len().min(sequences.len()));
        let (first, second) = sequences.split_at(sequences.len() - with.len());
        self.convert::<S, false>(first, with.len(), last, &[]);
        self.convert::<S, true>(second, 0, last, with);
        let mut counter = self.histograms.counter();
        counter.add_all_literals(more.as_flattened());
        counter.add_all_literals(rest);
    }

    /// Converts sequences to the records from `start` on, and counts a group of literals with each.
    #[inline(never)]
    fn convert<S: Source, const COUNT: bool>(
        &mut self,
        sequences: S,
        start: usize,
        last: &mut RepeatOffsets,
        groups: &[Group],
    ) {
        let Self { list, long, histograms, .. } = self;
        let len = sequences.len();
        let records = &mut list[start..start + len];
        let groups = if COUNT { &groups[..len] } else { &[] };
        let mut counter = histograms.counter();
        let mut now = *last;
        for i in 0..len {
            let Numbered { literals, match_len, number } = sequences.numbered(i, &mut now);
            let at = len - 1 - i;
            if COUNT {
                counter.add_literals(&groups[at]);
            }
            let offset = Offset::new(number);
            counter.add_offset(offset);
            // Meaningless, if they aren't short.
            let match_base = match_len - MIN_MATCH;
            let lengths = Lengths { literals: literals as u8, match_len: match_base as u8 };
            records[at] = Record::new(offset, lengths);
            if let Some(lengths) = Lengths::short(literals, match_len) {
                counter.add_lengths(lengths);
            } else {
                let (lengths, extra) = Lengths::any(literals, match_len);
                counter.add_lengths(lengths);
                long.push(Long { at: start + at, lengths, extra });
            }
        }
        *last = now;
    }

    /// Returns the sequences, the last one first.
    pub(crate) fn list(&self) -> &[Record] {
        &self.list[..self.len]
    }

    /// Returns the lengths that aren't short, those of the first sequence first.
    pub(crate) fn long(&self) -> &[Long] {
        &self.long
    }

    /// Returns how often literals and symbols occur.
    pub(crate) const fn histograms(&self) -> &Histograms {
        &self.histograms
    }
}
