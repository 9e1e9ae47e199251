//! Sequences as zstd stores them.

use block_zstd::{CodedSequence, CodedSequences, Sequence};

/// Codes sequences as in a frame's first block: with a repeat code wherever one means the offset.
/// Returns `None` if a number is too large for its field, or an offset is 0.
pub(crate) fn code(sequences: &[Sequence]) -> Option<Vec<CodedSequence>> {
    let mut last = [1, 4, 8];
    sequences.iter().map(|&sequence| code_next(&mut last, sequence)).collect()
}

fn code_next(last: &mut [u32; 3], sequence: Sequence) -> Option<CodedSequence> {
    let Sequence { literals, match_len, offset } = sequence;
    // RFC 8878, 3.1.1.5: without literals, the codes mean the next one.
    let meanings = match literals {
        0 => [last[1], last[2], last[0].wrapping_sub(1)],
        _ => *last,
    };
    let code = meanings.iter().position(|&meaning| meaning == offset);
    let new = offset.checked_add(3).filter(|&new| new > 3)?;
    let number = code.map_or(new, |code| code as u32 + 1);
    match code.map(|code| code + usize::from(literals == 0)) {
        Some(at @ 0..=2) => last[..=at].rotate_right(1),
        _ => *last = [offset, last[0], last[1]],
    }
    coded(number, literals, match_len)
}

/// Returns a sequence with the number that stands for its offset.
pub(crate) fn coded(number: u32, literals: u32, match_len: u32) -> Option<CodedSequence> {
    let literals = u16::try_from(literals).ok()?;
    let match_base = u16::try_from(match_len.checked_sub(3)?).ok()?;
    let all = u64::from(number) | u64::from(literals) << 32 | u64::from(match_base) << 48;
    Some(all.to_le_bytes())
}

/// Returns the sequences of a block, with the right number of literals.
pub(crate) fn of<'a>(list: &'a [CodedSequence], src: &[u8]) -> CodedSequences<'a> {
    let matched = |coded: &CodedSequence| usize::from(u16::from_le_bytes([coded[6], coded[7]])) + 3;
    let literals = src.len().wrapping_sub(list.iter().map(matched).sum());
    CodedSequences { list, literals }
}
