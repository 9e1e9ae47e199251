//! The sequences that the device finds: checked, and with real offsets.
//!
//! Layouts and meaning are documented at [`abi::wd_lz77_zstd_data`].

use std::hint::select_unpredictable;
use std::slice::ChunksExact;

use block_zstd::{CodedSequences, Sequence};
use uadk_sys::abi;

/// The repeat offsets at the start of a request, as of a zstd frame (RFC 8878, 3.1.1.5).
const FIRST_REPEATS: [u32; 3] = [1, 4, 8];
/// The device's largest window.
const MAX_OFFSET: u32 = 32 << 10;
/// What `lit_length_overflow_pos` adds to the literals of a sequence.
const OVERFLOW: u32 = 1 << 16;

/// What the device says about its output. Nothing has been checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Bytes of literals.
    pub(super) literals: u32,
    pub(super) sequences: u32,
    /// The number of sequences with more literals than their field can hold, and the index of one.
    pub(super) overflows: u32,
    pub(super) overflow_at: u32,
}

/// Returns the bytes of the sequences in the device's output for a source of `src_len` bytes, or
/// `None` if there are more than fit.
pub(super) fn stored(output: &[u8], src_len: usize, counts: Counts) -> Option<&[u8]> {
    let sequences = output.get(src_len + abi::LITERALS_RESERVE..)?;
    sequences.get(..(counts.sequences as usize).checked_mul(abi::SEQUENCE_LEN)?)
}

/// Returns the sequences of `lz77_zstd` in the form of [`block_zstd`], whose encoder checks them.
/// No sequence may have more literals than its field holds.
pub(super) fn coded(stored: &[u8], counts: Counts) -> CodedSequences<'_> {
    CodedSequences { list: stored.as_chunks().0, literals: counts.literals as usize }
}

/// Reads the sequences of `alg_type` for a source of `src_len` bytes. Returns `None` if they are
/// impossible: their number, sums or repeat codes, or an offset beyond the window. The encoders
/// find out whether each match is within the source and equal to what it repeats.
pub(super) fn read(
    alg_type: u32,
    src_len: usize,
    stored: &[u8],
    counts: Counts,
    sequences: &mut Vec<Sequence>,
) -> Option<()> {
    let stored = stored.chunks_exact(abi::SEQUENCE_LEN);
    let len = counts.sequences as usize;
    if len != stored.len() {
        return None;
    }
    if alg_type == abi::WD_LZ77_ONLY {
        sequences.clear();
        sequences.extend(stored.map(plain));
    } else {
        let overflow_at = match counts.overflows {
            // No sequence has this number.
            0 => usize::MAX,
            1 if counts.overflow_at < counts.sequences => counts.overflow_at as usize,
            _ => return None,
        };
        resolve(stored, overflow_at, sequences);
    }
    let mut sums = [0_u64; 2];
    let mut farthest = 0;
    for sequence in &*sequences {
        sums[0] += u64::from(sequence.literals);
        sums[1] += u64::from(sequence.match_len);
        // An impossible offset of 0 becomes the farthest.
        farthest = farthest.max(sequence.offset.wrapping_sub(1));
    }
    // The rest of the literals is behind the last match.
    let sound = sums[0] <= u64::from(counts.literals)
        && u64::from(counts.literals) + sums[1] == src_len as u64
        && farthest < MAX_OFFSET;
    sound.then_some(())
}

/// Returns a sequence of `lz77_only`.
#[inline]
fn plain(bytes: &[u8]) -> Sequence {
    let (literals, offset, match_len) = fields(bytes);
    Sequence {
        literals,
        match_len: u32::from(match_len) + abi::MIN_MATCH as u32,
        offset: u32::from(offset) + 1,
    }
}

/// Reads the sequences of `lz77_zstd`, and replaces their repeat codes. An impossible one becomes
/// the offset 0. Nothing here branches, since no branch could be predicted, and the last offsets
/// stay in registers.
fn resolve(stored: ChunksExact<'_, u8>, overflow_at: usize, sequences: &mut Vec<Sequence>) {
    // All are overwritten.
    sequences.resize(stored.len(), Sequence { literals: 0, match_len: 0, offset: 0 });
    let [mut first, mut second, mut third] = FIRST_REPEATS;
    for (i, (bytes, sequence)) in stored.zip(sequences).enumerate() {
        let (base, literals, match_len) = fields(bytes);
        let overflow = if i == overflow_at { OVERFLOW } else { 0 };
        let literals = u32::from(literals) + overflow;
        // RFC 8878, 3.1.1.5: without literals, the codes mean the next one, and the last one means
        // the first offset less 1.
        let code = base + u32::from(literals == 0);
        let is_first = code == 1 && base == 1;
        let is_second = code == 2;
        let repeated = select_unpredictable(code == 3, third, first.wrapping_sub(1));
        let repeated = select_unpredictable(is_second, second, repeated);
        let repeated = select_unpredictable(is_first, first, repeated);
        let offset = select_unpredictable(base > 3, base.wrapping_sub(3), repeated);
        let offset = select_unpredictable(base == 0, 0, offset);
        third = select_unpredictable(is_first || is_second, third, second);
        second = select_unpredictable(is_first, second, first);
        first = offset;
        let match_len = u32::from(match_len) + abi::MIN_MATCH as u32;
        *sequence = Sequence { literals, match_len, offset };
    }
}

/// Returns a `u32` and two `u16`.
#[inline]
fn fields(bytes: &[u8]) -> (u32, u16, u16) {
    let all = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
    (all as u32, (all >> 32) as u16, (all >> 48) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the device's output for a source of `src_len` bytes.
    fn output(src_len: usize, sequences: &[(u32, u16, u16)]) -> Vec<u8> {
        let mut output = vec![0; src_len + abi::LITERALS_RESERVE];
        for &(a, b, c) in sequences {
            output.extend(a.to_le_bytes());
            output.extend(b.to_le_bytes());
            output.extend(c.to_le_bytes());
        }
        output.extend([0xee; 100]);
        output
    }

    fn counts(literals: u32, sequences: usize) -> Counts {
        Counts { literals, sequences: sequences as u32, overflows: 0, overflow_at: 0 }
    }

    fn read_all(
        alg_type: u32,
        src_len: usize,
        stored: &[(u32, u16, u16)],
        counts: Counts,
    ) -> Option<Vec<Sequence>> {
        let mut sequences = Vec::new();
        let output = output(src_len, stored);
        let stored = super::stored(&output, src_len, counts)?;
        read(alg_type, src_len, stored, counts, &mut sequences)?;
        Some(sequences)
    }

    fn offsets(stored: &[(u32, u16, u16)]) -> Option<Vec<u32>> {
        let len: u32 = stored.iter().map(|&(_, literals, len)| u32::from(literals + len) + 3).sum();
        let literals = stored.iter().map(|&(_, literals, _)| u32::from(literals)).sum();
        let counts = counts(literals, stored.len());
        let sequences = read_all(abi::WD_LZ77_ZSTD, len as usize, stored, counts)?;
        Some(sequences.iter().map(|sequence| sequence.offset).collect())
    }

    #[test]
    fn repeat_codes_are_those_of_zstd() {
        // With literals: the first, second and third; then the history is 8, 4, 1.
        assert_eq!(offsets(&[(1, 9, 0), (2, 1, 0), (3, 1, 0), (1, 1, 0)]), Some(vec![1, 4, 8, 8]));
        // Without literals: the second, the third, the first less 1.
        assert_eq!(offsets(&[(1, 9, 0), (1, 0, 0), (2, 0, 0)]), Some(vec![1, 4, 8]));
        assert_eq!(offsets(&[(13, 20, 0), (3, 0, 0), (1, 0, 0)]), Some(vec![10, 9, 10]));
        // A new offset moves the others.
        assert_eq!(offsets(&[(13, 20, 0), (3, 1, 0), (2, 1, 0)]), Some(vec![10, 4, 10]));
        // The first less 1 is 0.
        assert_eq!(offsets(&[(3, 0, 0)]), None);
        assert_eq!(offsets(&[(0, 9, 0)]), None);
    }

    #[test]
    fn impossible_sums_counts_and_offsets_are_refused() {
        let plain = |src_len, stored: &[_], counts| {
            read_all(abi::WD_LZ77_ONLY, src_len, stored, counts).is_some()
        };
        // Four literals, five bytes at distance 4, and one literal.
        let sound = [(4, 3, 2)];
        assert!(plain(10, &sound, counts(5, 1)));
        assert!(plain(3, &[], counts(3, 0)));
        for wrong in [counts(4, 1), counts(6, 1), counts(u32::MAX, 1), counts(5, 0)] {
            assert!(!plain(10, &sound, wrong), "{wrong:?}");
        }
        assert!(!plain(10, &sound, counts(5, 1000)));
        assert!(!plain(10, &sound, counts(5, usize::MAX)));
        assert!(plain(10, &[(4, 4, 2)], counts(5, 1)), "before the start: for the encoders");
        assert!(!plain(10, &[(u32::MAX, 3, 2)], counts(5, 1)));
        assert!(!plain(10, &[(4, 3, 4)], counts(4, 1)), "behind the end");
        let far = 40_000;
        assert!(!plain(far + 3, &[(far as u32, 32_768, 0)], counts(far as u32, 1)), "the window");
        assert!(plain(far + 3, &[(far as u32, 32_767, 0)], counts(far as u32, 1)));
    }

    #[test]
    fn one_sequence_may_have_more_literals_than_its_field_holds() {
        let stored = [(4 + 3, 10, 0), (4 + 3, 7, 0)];
        let with = |overflows, overflow_at| {
            let counts = Counts { literals: 65_553, sequences: 2, overflows, overflow_at };
            read_all(abi::WD_LZ77_ZSTD, 65_559, &stored, counts)
        };
        let sequences = with(1, 1).expect("sound");
        assert_eq!(sequences[1], Sequence { literals: 65_543, match_len: 3, offset: 4 });
        assert!(with(1, 0).is_some());
        // Without the mark, they would be behind the last match: the encoders find out.
        assert!(with(0, 0).is_some());
        for wrong in [(1, 2), (1, u32::MAX), (2, 1)] {
            assert_eq!(with(wrong.0, wrong.1), None, "{wrong:?}");
        }
    }
}
