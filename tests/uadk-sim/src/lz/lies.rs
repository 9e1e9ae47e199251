//! Wrong results of LZ77 and LZ4.

use super::figures::Figures;
use super::parser::Sequence;

/// How far beyond the window [`Lie::BeyondWindow`] looks for the same bytes.
const REACH: usize = 8192;

/// A result of LZ77 or LZ4 that is wrong, although the request reports success. Other algorithms
/// don't lie.
///
/// If a lie needs a match that the result does not have, the result is correct. With memoised
/// results, a lie is parsed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lie {
    /// LZ77: the reported number of literals is wrong by this much. The sum wraps.
    Literals(i32),
    /// LZ77: the reported number of sequences is wrong by this much. The sum wraps.
    Sequences(i32),
    /// LZ77: this is reported as `lit_length_overflow_cnt`.
    OverflowCount(u32),
    /// LZ77: this is reported as `lit_length_overflow_pos`, with a count of 1.
    OverflowPosition(u32),
    /// The sequence in the middle has this many literals more or fewer than there are. The sum
    /// wraps.
    LiteralLength(i32),
    /// The match in the middle is wrong by this many bytes. The sum wraps.
    MatchLength(i32),
    /// The match in the middle has offset 0. `lz77_only` can't say that, and says 65536.
    ZeroOffset,
    /// `lz77_zstd`: the result begins with a repeat code that means offset 0: the first of the
    /// history, which is 1, minus 1.
    ZeroRepeat,
    /// The first match begins one byte before the data.
    BeforeStart,
    /// The offset of the last match that can have one is greater than the window, with the same
    /// bytes there if there are any.
    BeyondWindow,
    /// The match in the middle has an offset where other bytes are.
    WrongMatch,
    /// LZ4: a match may reach to the end of the block, although the last 5 bytes must be literals
    /// and no match may begin in the last 12.
    NoEndRules,
}

impl Lie {
    /// Changes the matches themselves: the literals are those of the changed sequences.
    pub(super) fn reshape(self, sequences: &mut [Sequence]) {
        if let (Self::ZeroRepeat, Some(first)) = (self, sequences.first_mut()) {
            *first = Sequence { literals: 0, length: first.literals + first.length, offset: 0 };
        }
    }

    /// Changes what sequences say, but not the literals.
    pub(super) fn change(self, sequences: &mut [Sequence], src: &[u8], window: usize) {
        let middle = sequences.len() / 2;
        match self {
            Self::LiteralLength(by) => {
                if let Some(sequence) = sequences.get_mut(middle) {
                    sequence.literals = sequence.literals.wrapping_add_signed(by);
                }
            }
            Self::MatchLength(by) => {
                if let Some(sequence) = sequences.get_mut(middle) {
                    sequence.length = sequence.length.wrapping_add_signed(by);
                }
            }
            Self::ZeroOffset => {
                if let Some(sequence) = sequences.get_mut(middle) {
                    sequence.offset = 0;
                }
            }
            Self::BeforeStart => {
                if let Some(sequence) = sequences.first_mut() {
                    sequence.offset = sequence.literals + 1;
                }
            }
            Self::BeyondWindow => {
                let last = starts(sequences).filter(|(_, at)| *at > window).last();
                if let Some((index, at)) = last {
                    let farther = window + 1..=at.min(window + REACH);
                    let same = |offset: &usize| is_match(src, at, *offset, sequences[index].length);
                    let offset = farther.clone().find(same).unwrap_or(window + 1);
                    sequences[index].offset = offset as u32;
                }
            }
            Self::WrongMatch => {
                let place = starts(sequences).nth(middle);
                if let Some((index, at)) = place {
                    let length = sequences[index].length;
                    let mut offsets = 1..=at.min(window);
                    if let Some(other) = offsets.find(|offset| !is_match(src, at, *offset, length))
                    {
                        sequences[index].offset = other as u32;
                    }
                }
            }
            Self::Literals(_)
            | Self::Sequences(_)
            | Self::OverflowCount(_)
            | Self::OverflowPosition(_)
            | Self::ZeroRepeat
            | Self::NoEndRules => {}
        }
    }

    /// Changes the reported figures.
    pub(super) fn misreport(self, figures: &mut Figures) {
        match self {
            Self::Literals(by) => figures.literals = figures.literals.wrapping_add_signed(by),
            Self::Sequences(by) => figures.sequences = figures.sequences.wrapping_add_signed(by),
            Self::OverflowCount(count) => figures.overflow_count = count,
            Self::OverflowPosition(position) => {
                (figures.overflow_count, figures.overflow_position) = (1, position);
            }
            _ => {}
        }
    }
}

/// Returns the index of each sequence, and where its match begins.
fn starts(sequences: &[Sequence]) -> impl Iterator<Item = (usize, usize)> {
    let mut end = 0;
    sequences.iter().enumerate().map(move |(index, sequence)| {
        let at = end + sequence.literals as usize;
        end = at + sequence.length as usize;
        (index, at)
    })
}

/// Returns whether the bytes at `at` are the same as those `offset` bytes before.
fn is_match(src: &[u8], at: usize, offset: usize, length: u32) -> bool {
    let length = length as usize;
    src[at..at + length] == src[at - offset..at - offset + length]
}
