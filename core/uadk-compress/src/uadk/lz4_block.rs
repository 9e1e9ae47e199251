//! LZ4 blocks from sequences.
//!
//! Source: the LZ4 block format (`lz4_Block_format.md`).

use block_zstd::Sequence;

use crate::Error;

/// LZ4 has no shorter matches.
const MIN_MATCH: usize = 4;
/// The last bytes of a block are literals.
const LAST_LITERALS: usize = 5;
/// The last match begins at least this many bytes before the end.
const MATCH_LIMIT: usize = 12;

/// Encodes `src` in `dst`, with those of the matches that LZ4 can express.
///
/// # Errors
///
/// [`Error::OutputFull`], or [`Error::Corrupt`] if a match differs from the bytes that it repeats,
/// or is not within `src`.
pub(super) fn encode(src: &[u8], sequences: &[Sequence], dst: &mut [u8]) -> Result<usize, Error> {
    let mut out = Writer { dst, len: 0 };
    let match_limit = src.len().saturating_sub(MATCH_LIMIT);
    let end = src.len().saturating_sub(LAST_LITERALS);
    // The literals since the last match begin here.
    let mut anchor = 0;
    let mut position = 0_usize;
    for sequence in sequences {
        let start = position + sequence.literals as usize;
        position = start + sequence.match_len as usize;
        let offset = sequence.offset as usize;
        let from = start.checked_sub(offset).filter(|_| offset > 0).ok_or(Error::Corrupt)?;
        let matched = src.get(start..position).ok_or(Error::Corrupt)?;
        // It may overlap what it repeats: the source has all bytes already.
        if *matched != src[from..from + matched.len()] {
            return Err(Error::Corrupt);
        }
        let len = position.min(end).saturating_sub(start);
        if len < MIN_MATCH || start > match_limit || offset > usize::from(u16::MAX) {
            continue;
        }
        out.sequence(&src[anchor..start], Some((offset as u16, len - MIN_MATCH)))?;
        anchor = start + len;
    }
    out.sequence(&src[anchor..], None)?;
    Ok(out.len)
}

struct Writer<'a> {
    dst: &'a mut [u8],
    len: usize,
}

impl Writer<'_> {
    /// Writes literals, and a match's offset and length, from which [`MIN_MATCH`] has been
    /// subtracted.
    #[inline]
    fn sequence(&mut self, literals: &[u8], matched: Option<(u16, usize)>) -> Result<(), Error> {
        let match_len = matched.map_or(0, |(_, len)| len);
        let token = literals.len().min(15) << 4 | match_len.min(15);
        self.bytes(&[token as u8])?;
        self.extension(literals.len())?;
        self.bytes(literals)?;
        if let Some((offset, len)) = matched {
            self.bytes(&offset.to_le_bytes())?;
            self.extension(len)?;
        }
        Ok(())
    }

    /// Writes what does not fit into the token's four bits.
    #[inline]
    fn extension(&mut self, len: usize) -> Result<(), Error> {
        let Some(mut rest) = len.checked_sub(15) else { return Ok(()) };
        while rest >= 255 {
            self.bytes(&[255])?;
            rest -= 255;
        }
        self.bytes(&[rest as u8])
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let end = self.len + bytes.len();
        self.dst.get_mut(self.len..end).ok_or(Error::OutputFull)?.copy_from_slice(bytes);
        self.len = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the sequences of a greedy search, with matches of 3 bytes and more up to the end.
    fn parse(src: &[u8]) -> Vec<Sequence> {
        let (mut sequences, mut position, mut literals) = (Vec::new(), 0, 0);
        while position < src.len() {
            let found = (1..=position.min(300))
                .map(|offset| {
                    let repeated = src[position - offset..].iter().zip(&src[position..]);
                    (repeated.take_while(|(a, b)| a == b).count(), offset)
                })
                .max()
                .filter(|&(len, _)| len >= 3);
            if let Some((len, offset)) = found {
                let (match_len, offset) = (len as u32, offset as u32);
                sequences.push(Sequence { literals, match_len, offset });
                (position, literals) = (position + len, 0);
            } else {
                (position, literals) = (position + 1, literals + 1);
            }
        }
        sequences
    }

    fn samples() -> Vec<Vec<u8>> {
        let mut samples: Vec<Vec<u8>> = (0..40).map(|len| vec![7; len]).collect();
        samples.extend((0..40).map(|len| (0..len).map(|i| i % 3).collect()));
        samples.push((0..5000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 30) as u8).collect());
        samples.push((0..5000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect());
        samples.push(vec![0; 100_000]);
        samples
    }

    #[test]
    fn lz4_decodes_every_block() {
        for src in samples() {
            let mut block = vec![0; src.len() + src.len() / 255 + 16];
            let len = encode(&src, &parse(&src), &mut block).expect("the bound holds");
            let restored = lz4_flex::decompress(&block[..len], src.len());
            assert_eq!(restored.ok(), Some(src));
        }
    }

    #[test]
    fn the_end_of_a_block_keeps_the_rules() {
        // A match of the last bytes is cut, or becomes literals: they begin with the last token.
        let block = |src: &[u8]| {
            let mut block = vec![0; 100];
            let len = encode(src, &parse(src), &mut block).expect("enough space");
            block.truncate(len);
            block
        };
        assert_eq!(block(&[7; 12]), [&[0xc0][..], &[7; 12]].concat(), "too short for a match");
        assert_eq!(block(&[7; 13]), [0x13, 7, 1, 0, 0x50, 7, 7, 7, 7, 7]);
    }

    #[test]
    fn too_little_space_and_wrong_matches_are_errors() {
        let src = [7; 100];
        let sequences = parse(&src);
        let mut block = [0; 20];
        let len = encode(&src, &sequences, &mut block).expect("enough space");
        for short in 0..len {
            assert_eq!(encode(&src, &sequences, &mut block[..short]), Err(Error::OutputFull));
        }
        let mut other = src;
        other[50] = 8;
        assert_eq!(encode(&other, &sequences, &mut block), Err(Error::Corrupt));
        for (literals, match_len, offset) in [(1, 9, 0), (1, 9, 2), (1, 100, 1), (u32::MAX, 9, 1)] {
            let wrong = [Sequence { literals, match_len, offset }];
            assert_eq!(encode(&src, &wrong, &mut block), Err(Error::Corrupt));
        }
    }
}
