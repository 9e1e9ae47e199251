//! The two forms of sequences that the encoder accepts, as its loops read them.

use crate::offsets::RepeatOffsets;
use crate::sequence::{CodedSequence, Sequence};
use crate::symbols::MIN_MATCH;

/// A list of sequences, to be read twice.
pub(crate) trait Source: Copy {
    fn len(self) -> usize;

    /// Returns a sequence with its offset, and updates the last ones.
    fn located(self, i: usize, last: &mut RepeatOffsets) -> Located;

    /// Returns a sequence with the number that stands for its offset. `last` are a decoder's
    /// offsets before it.
    fn numbered(self, i: usize, last: &mut RepeatOffsets) -> Numbered;

    /// Splits the list.
    fn split_at(self, i: usize) -> (Self, Self);
}

/// A sequence whose offset is known, but nothing has been checked.
#[derive(Clone, Copy)]
pub(crate) struct Located {
    pub(crate) literals: u32,
    /// The length less [`MIN_MATCH`]. A shorter match has one above `u32::MAX - MIN_MATCH`.
    pub(crate) match_base: u32,
    /// May be 0, or too far.
    pub(crate) offset: u32,
}

/// A sequence whose offset is as in the format.
#[derive(Clone, Copy)]
pub(crate) struct Numbered {
    pub(crate) literals: u32,
    pub(crate) match_len: u32,
    /// See [`RepeatOffsets::number`].
    pub(crate) number: u32,
}

impl Source for &[Sequence] {
    #[inline(always)]
    fn len(self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn located(self, i: usize, _last: &mut RepeatOffsets) -> Located {
        let Sequence { literals, match_len, offset } = self[i];
        Located { literals, match_base: match_len.wrapping_sub(MIN_MATCH), offset }
    }

    #[inline(always)]
    fn numbered(self, i: usize, last: &mut RepeatOffsets) -> Numbered {
        let Sequence { literals, match_len, offset } = self[i];
        Numbered { literals, match_len, number: last.number(literals, offset) }
    }

    fn split_at(self, i: usize) -> (Self, Self) {
        self.split_at(i)
    }
}

impl Source for &[CodedSequence] {
    #[inline(always)]
    fn len(self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn located(self, i: usize, last: &mut RepeatOffsets) -> Located {
        let (number, literals, match_base) = fields(&self[i]);
        Located { literals, match_base, offset: last.offset(literals, number) }
    }

    #[inline(always)]
    fn numbered(self, i: usize, _last: &mut RepeatOffsets) -> Numbered {
        let (number, literals, match_base) = fields(&self[i]);
        Numbered { literals, match_len: match_base + MIN_MATCH, number }
    }

    fn split_at(self, i: usize) -> (Self, Self) {
        self.split_at(i)
    }
}

/// Returns the number that stands for the offset, the number of literals, and the length less
/// [`MIN_MATCH`].
#[inline(always)]
pub(crate) fn fields(coded: &CodedSequence) -> (u32, u32, u32) {
    let (number, lengths) = coded.split_at(4);
    let [literals, match_base] = [&lengths[..2], &lengths[2..]]
        .map(|field| u32::from(u16::from_le_bytes(field.try_into().expect("two bytes"))));
    (u32::from_le_bytes(number.try_into().expect("four bytes")), literals, match_base)
}
