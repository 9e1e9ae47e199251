//! Reads the sequences: checks them, gathers the literals, finds repeated offsets, and makes
//! records in the form that encoding needs. All in one pass.

use alloc::boxed::Box;
use alloc::vec;

use crate::error::Error;
use crate::frame::MAX_BLOCK_LEN;
use crate::offsets::RepeatOffsets;
use crate::sequence::Sequence;
use crate::symbols::{self, MIN_MATCH, SYMBOLS, Symbol};

/// The most sequences of a block.
const MAX_SEQUENCES: usize = MAX_BLOCK_LEN / MIN_MATCH as usize;
/// Literals are copied this many bytes at a time.
const WIDE: usize = 32;

/// How often each symbol occurs.
pub(crate) type Counts = [u32; SYMBOLS];

/// The literals and the records of a block.
pub(crate) struct Records {
    records: Box<[Symbol]>,
    len: usize,
    literals: Box<[u8; MAX_BLOCK_LEN + WIDE]>,
    literals_len: usize,
    counts: [Counts; 3],
}

impl Records {
    pub(crate) fn new() -> Self {
        let literals = vec![0; MAX_BLOCK_LEN + WIDE].into_boxed_slice();
        Self {
            records: vec![Symbol::default(); MAX_SEQUENCES].into_boxed_slice(),
            len: 0,
            literals: literals.try_into().unwrap_or_else(|_| unreachable!()),
            literals_len: 0,
            counts: [[0; SYMBOLS]; 3],
        }
    }

    /// Reads the sequences of `src`, which is at most [`MAX_BLOCK_LEN`] bytes, and updates the last
    /// offsets.
    ///
    /// After an error, the records are meaningless.
    pub(crate) fn read(
        &mut self,
        src: &[u8],
        sequences: &[Sequence],
        offsets: &mut RepeatOffsets,
    ) -> Result<(), Error> {
        let Self { records, literals, counts, .. } = self;
        *counts = [[0; SYMBOLS]; 3];
        let [literal_lengths, match_lengths, offset_counts] = counts;
        self.len = sequences.len();
        let records = records.get_mut(..sequences.len()).ok_or(Error::InvalidSequences)?;

        let mut last = *offsets;
        let (mut at, mut gathered) = (0_u32, 0_u32);
        for (record, &Sequence { literals: run, match_len, offset }) in
            records.iter_mut().zip(sequences)
        {
            let end = u64::from(at) + u64::from(run) + u64::from(match_len);
            if match_len < MIN_MATCH || end > src.len() as u64 {
                return Err(Error::InvalidSequences);
            }
            let start = at + run;
            if offset.wrapping_sub(1) >= start {
                return Err(Error::InvalidSequences);
            }
            copy(literals, gathered, src, at, run);
            if !is_copy(src, start, offset, match_len) {
                return Err(Error::InvalidSequences);
            }
            gathered += run;
            at = end as u32;

            let symbol = Symbol::join(
                symbols::literal_length(run),
                symbols::match_length(match_len),
                symbols::offset(last.number(run, offset)),
            );
            literal_lengths[symbol.literal_length()] += 1;
            match_lengths[symbol.match_length()] += 1;
            offset_counts[symbol.offset()] += 1;
            *record = symbol;
        }
        let rest = &src[at as usize..];
        literals[gathered as usize..][..rest.len()].copy_from_slice(rest);
        self.literals_len = gathered as usize + rest.len();
        *offsets = last;
        Ok(())
    }

    pub(crate) fn records(&self) -> &[Symbol] {
        &self.records[..self.len]
    }

    pub(crate) fn literals(&self) -> &[u8] {
        &self.literals[..self.literals_len]
    }

    /// Returns the counts of the symbols of literal lengths, match lengths and offsets.
    pub(crate) const fn counts(&self) -> &[Counts; 3] {
        &self.counts
    }
}

/// Copies a run of literals. Few are longer than one wide copy.
#[inline(always)]
fn copy(literals: &mut [u8; MAX_BLOCK_LEN + WIDE], to: u32, src: &[u8], from: u32, len: u32) {
    let (to, from, len) = (to as usize, from as usize, len as usize);
    if len <= WIDE
        && let Some(bytes) = src.get(from..from + WIDE)
    {
        literals[to..to + WIDE].copy_from_slice(bytes);
    } else {
        literals[to..to + len].copy_from_slice(&src[from..from + len]);
    }
}

/// Returns whether the `len` bytes at `at` repeat those at the offset before.
#[inline(always)]
fn is_copy(src: &[u8], at: u32, offset: u32, len: u32) -> bool {
    let (at, before, len) = (at as usize, (at - offset) as usize, len as usize);
    if let Some(mask) = MASKS.get(len)
        && let (Some(a), Some(b)) = (sixteen(src, at), sixteen(src, before))
    {
        let different = [(a[0] ^ b[0]) & mask[0], (a[1] ^ b[1]) & mask[1]];
        different[0] | different[1] == 0
    } else {
        src[at..at + len] == src[before..before + len]
    }
}

/// For each length of a short match, its bytes among sixteen.
static MASKS: [[u64; 2]; 17] = {
    let mut masks = [[0; 2]; 17];
    let mut len = 1;
    while len <= 16 {
        let ones = u128::MAX >> (128 - 8 * len as u32);
        masks[len] = [ones as u64, (ones >> 64) as u64];
        len += 1;
    }
    masks
};

/// Returns sixteen bytes as two numbers.
#[inline(always)]
fn sixteen(src: &[u8], at: usize) -> Option<[u64; 2]> {
    let bytes: &[u8; 16] = src.get(at..)?.first_chunk()?;
    let (low, high) = bytes.split_at(8);
    Some([low, high].map(|half| u64::from_le_bytes(half.try_into().expect("eight bytes"))))
}
