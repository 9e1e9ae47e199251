//! The formats of the results: sequences of two kinds, and LZ4 blocks.

use uadk_sys::abi::{MIN_MATCH, SEQUENCE_LEN};

use super::parser::Sequence;

/// The greatest length of a match that a sequence can have.
const MAX_MATCH: u32 = MIN_MATCH as u32 + u16::MAX as u32;
/// The repeat offsets at the start of a zstd frame.
const FIRST_REPEATS: [u32; 3] = [1, 4, 8];
/// The shortest match in LZ4.
pub(super) const MIN_LZ4_MATCH: u32 = 4;
/// The length that continues in further bytes of LZ4.
const LZ4_CONTINUES: u32 = 15;

/// Splits matches that are too long for a sequence.
pub(super) fn split_long(sequences: Vec<Sequence>) -> Vec<Sequence> {
    if sequences.iter().all(|sequence| sequence.length <= MAX_MATCH) {
        return sequences;
    }
    let mut split = Vec::with_capacity(sequences.len() + 1);
    for mut rest in sequences {
        while rest.length > MAX_MATCH {
            // The rest must be a match too.
            let length = MAX_MATCH.min(rest.length - MIN_MATCH as u32);
            split.push(Sequence { length, ..rest });
            rest = Sequence { literals: 0, length: rest.length - length, ..rest };
        }
        split.push(rest);
    }
    split
}

/// Appends the literals of all sequences and those after them.
pub(super) fn push_literals(src: &[u8], sequences: &[Sequence], out: &mut Vec<u8>) {
    let mut rest = src;
    for sequence in sequences {
        let (literals, after) = rest.split_at(sequence.literals as usize);
        out.extend_from_slice(literals);
        rest = &after[sequence.length as usize..];
    }
    out.extend_from_slice(rest);
}

/// Returns the index of the sequence with more literals than its field can hold. There is at
/// most one in 128 KiB.
pub(super) fn overflow(sequences: &[Sequence]) -> Option<usize> {
    sequences.iter().position(|sequence| sequence.literals > u16::MAX.into())
}

/// Appends sequences of `lz77_zstd`: `offBase`, `litLength`, `mlBase`.
pub(super) fn push_zstd(sequences: &[Sequence], out: &mut Vec<u8>) {
    out.reserve(sequences.len() * SEQUENCE_LEN);
    let mut repeats = FIRST_REPEATS;
    for sequence in sequences {
        let offset = code(sequence, &mut repeats);
        out.extend_from_slice(&offset.to_le_bytes());
        out.extend_from_slice(&(sequence.literals as u16).to_le_bytes());
        out.extend_from_slice(&match_field(sequence));
    }
}

/// Appends sequences of `lz77_only`: the number of literals, the offset - 1, the length - 3.
pub(super) fn push_plain(sequences: &[Sequence], out: &mut Vec<u8>) {
    out.reserve(sequences.len() * SEQUENCE_LEN);
    for sequence in sequences {
        out.extend_from_slice(&sequence.literals.to_le_bytes());
        out.extend_from_slice(&(sequence.offset.wrapping_sub(1) as u16).to_le_bytes());
        out.extend_from_slice(&match_field(sequence));
    }
}

fn match_field(sequence: &Sequence) -> [u8; 2] {
    (sequence.length.wrapping_sub(MIN_MATCH as u32) as u16).to_le_bytes()
}

/// Returns zstd's code for an offset: 1 to 3 if it repeats an earlier one, otherwise the offset
/// plus 3. Updates the earlier ones.
fn code(sequence: &Sequence, repeats: &mut [u32; 3]) -> u32 {
    let offset = sequence.offset;
    let [first, second, third] = *repeats;
    // Directly after a match, the last offset can't repeat, so the codes shift by one.
    let meanings = if sequence.literals == 0 {
        [second, third, first.wrapping_sub(1)]
    } else {
        [first, second, third]
    };
    let Some(at) = meanings.iter().position(|meaning| *meaning == offset) else {
        // Only a lie has the offset 0, which has no valid code.
        if offset == 0 {
            return 0;
        }
        *repeats = [offset, first, second];
        return offset + 3;
    };
    // The offset moves to the front.
    match at + usize::from(sequence.literals == 0) {
        0 => {}
        1 => *repeats = [offset, first, third],
        _ => *repeats = [offset, first, second],
    }
    at as u32 + 1
}

/// Appends an LZ4 block.
pub(super) fn push_lz4(mut literals: &[u8], sequences: &[Sequence], out: &mut Vec<u8>) {
    for sequence in sequences {
        let (these, rest) = literals.split_at((sequence.literals as usize).min(literals.len()));
        literals = rest;
        let length = sequence.length.saturating_sub(MIN_LZ4_MATCH);
        push_token(these, length.min(LZ4_CONTINUES), out);
        out.extend_from_slice(&(sequence.offset as u16).to_le_bytes());
        push_length(length, out);
    }
    push_token(literals, 0, out);
}

/// Appends a token with the first 4 bits of a match's length, and literals.
fn push_token(literals: &[u8], length: u32, out: &mut Vec<u8>) {
    let count = literals.len() as u32;
    out.push((count.min(LZ4_CONTINUES) << 4 | length) as u8);
    push_length(count, out);
    out.extend_from_slice(literals);
}

/// Appends the bytes of a length after the first 4 bits.
fn push_length(length: u32, out: &mut Vec<u8>) {
    if let Some(rest) = length.checked_sub(LZ4_CONTINUES) {
        out.resize(out.len() + rest as usize / 255, 255);
        out.push((rest % 255) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(sequences: &[(u32, u32)]) -> Vec<u32> {
        let mut repeats = FIRST_REPEATS;
        let code = |&(literals, offset): &(u32, u32)| {
            code(&Sequence { literals, length: 3, offset }, &mut repeats)
        };
        sequences.iter().map(code).collect()
    }

    #[test]
    fn repeat_codes_are_those_of_the_zstd_format() {
        // The initial history is 1, 4, 8.
        assert_eq!(codes(&[(1, 1), (1, 4), (1, 8)]), [1, 2, 3]);
        // After 100: 100, 1, 4.
        assert_eq!(codes(&[(1, 100), (1, 100), (1, 1), (1, 100), (1, 4)]), [103, 1, 2, 2, 3]);
        // Without literals: the second, the third, the first minus 1.
        assert_eq!(codes(&[(1, 100), (0, 1), (0, 4)]), [103, 1, 2]);
        assert_eq!(codes(&[(1, 100), (0, 99), (1, 99), (1, 100)]), [103, 3, 1, 2]);
        assert_eq!(codes(&[(1, 100), (0, 100)]), [103, 103]);
    }

    #[test]
    fn a_long_match_is_split_into_matches() {
        for length in [65_538, 65_539, 65_540, 65_541, 65_542, 200_000] {
            let split = split_long(vec![Sequence { literals: 5, length, offset: 9 }]);
            assert_eq!(split.iter().map(|sequence| sequence.length).sum::<u32>(), length);
            assert!(split.iter().all(|sequence| (3..=65_538).contains(&sequence.length)));
            assert!(split.iter().all(|sequence| sequence.offset == 9));
            assert_eq!(split.iter().map(|sequence| sequence.literals).sum::<u32>(), 5);
        }
    }
}
