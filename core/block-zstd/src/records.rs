//! Converts sequences to what encoding needs: finds repeated offsets and indices, and counts them.

use alloc::vec::Vec;

use crate::frame::MAX_BLOCK_LEN;
use crate::histograms::{Group, Histograms};
use crate::offsets::RepeatOffsets;
use crate::sequence::Sequence;
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

/// A sequence.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Record {
    pub(crate) offset: Offset,
    /// The offset's symbol, which encoding would take time to find.
    pub(crate) symbol: u8,
    /// Meaningless unless both are short.
    pub(crate) lengths: Lengths,
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
    pub(crate) fn read(
        &mut self,
        sequences: &[Sequence],
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
        self.convert::<false>(first, with.len(), last, &[]);
        self.convert::<true>(second, 0, last, with);
        let mut counter = self.histograms.counter();
        counter.add_all_literals(more.as_flattened());
        counter.add_all_literals(rest);
    }

    /// Converts sequences to the records from `start` on, and counts a group of literals with each.
    #[inline(never)]
    fn convert<const COUNT: bool>(
        &mut self,
        sequences: &[Sequence],
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
        #[expect(
            clippy::needless_range_loop,
            reason = "one index takes less time than two iterators"
        )]
        for i in 0..len {
            let Sequence { literals, match_len, offset } = sequences[i];
            let at = len - 1 - i;
            if COUNT {
                counter.add_literals(&groups[at]);
            }
            let offset = Offset::new(now.number(literals, offset));
            counter.add_offset(offset);
            let record = &mut records[at];
            record.offset = offset;
            record.symbol = offset.symbol();
            if let Some(lengths) = Lengths::short(literals, match_len) {
                counter.add_lengths(lengths);
                record.lengths = lengths;
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
