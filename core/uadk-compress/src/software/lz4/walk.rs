//! Walks over the tokens of an LZ4 block.

/// Matches are at least this long (LZ4 block format, "Matches").
const MIN_MATCH: u64 = 4;

/// The last bytes of a block are literals ("End of block conditions").
const LAST_LITERALS: u64 = 5;
/// The last match begins at least this many bytes before the end.
const MATCH_LIMIT: u64 = 12;

/// A block as its tokens describe it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Description {
    decompressed_len: u64,
    /// Whether it keeps the rules that decoders rely on without checking all of them.
    is_strict: bool,
}

/// Returns how many bytes a block decompresses to; `None` if it is malformed. Does not check
/// offsets.
pub(super) fn decompressed_len(block: &[u8]) -> Option<u64> {
    Some(describe(block)?.decompressed_len)
}

/// Returns whether a block keeps the rules of the format: offsets within the block, and the
/// conditions for its end. liblz4 decompresses some blocks that don't, and copies what its output
/// contains already for an offset of 0.
pub(super) fn is_strict(block: &[u8]) -> bool {
    describe(block).is_some_and(|description| description.is_strict)
}

fn describe(mut block: &[u8]) -> Option<Description> {
    let mut len = 0_u64;
    let mut is_strict = true;
    // Where the last match begins.
    let mut last_match = None;
    loop {
        let (&token, rest) = block.split_first()?;
        block = rest;
        let literals = extended(u64::from(token >> 4), &mut block)?;
        len = len.checked_add(literals)?;
        block = block.get(usize::try_from(literals).ok()?..)?;
        // The last sequence has no match.
        if block.is_empty() {
            let ends_well = last_match
                .is_none_or(|start| literals >= LAST_LITERALS && len - start >= MATCH_LIMIT);
            return Some(Description { decompressed_len: len, is_strict: is_strict && ends_well });
        }
        let (offset, rest) = block.split_first_chunk::<2>()?;
        block = rest;
        let offset = u64::from(u16::from_le_bytes(*offset));
        is_strict &= offset != 0 && offset <= len;
        last_match = Some(len);
        let matched = extended(u64::from(token & 15), &mut block)?;
        len = len.checked_add(matched + MIN_MATCH)?;
    }
}

/// Returns a length from its four bits in the token and the bytes that extend it.
fn extended(bits: u64, block: &mut &[u8]) -> Option<u64> {
    let mut len = bits;
    if bits == 15 {
        loop {
            let (&byte, rest) = block.split_first()?;
            *block = rest;
            len += u64::from(byte);
            if byte < 255 {
                break;
            }
        }
    }
    Some(len)
}

#[cfg(test)]
mod tests {
    use super::{decompressed_len, is_strict};

    #[test]
    fn lengths_are_those_of_the_format() {
        assert_eq!(decompressed_len(&[0]), Some(0));
        assert_eq!(decompressed_len(&[0x30, 1, 2, 3]), Some(3));
        // One literal, a match of 4 + 15 + 255 + 1 at distance 1, and five literals.
        let block = [0x1f, 7, 1, 0, 255, 1, 0x50, 1, 2, 3, 4, 5];
        assert_eq!(decompressed_len(&block), Some(1 + 275 + 5));
        for cut in [0, 1, 3, 5, 11] {
            assert_eq!(decompressed_len(&block[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn blocks_that_break_the_rules_are_not_strict() {
        // One literal, 13 bytes at distance 1, and five literals.
        let sound = [0x19, 7, 1, 0, 0x50, 1, 2, 3, 4, 5];
        assert!(is_strict(&sound) && is_strict(&[0]) && is_strict(&[0x10, 7]));
        for (at, byte) in [(2, 0), (2, 2), (3, 1)] {
            let mut wrong = sound;
            wrong[at] = byte;
            assert!(!is_strict(&wrong), "{at} {byte}");
            assert_eq!(decompressed_len(&wrong), Some(19));
        }
        assert!(!is_strict(&[0x19, 7, 1, 0, 0x40, 1, 2, 3, 4]), "four literals");
        assert!(!is_strict(&[0x12, 7, 1, 0, 0x50, 1, 2, 3, 4, 5]), "begins 11 before the end");
        assert!(is_strict(&[0x13, 7, 1, 0, 0x50, 1, 2, 3, 4, 5]));
    }
}
