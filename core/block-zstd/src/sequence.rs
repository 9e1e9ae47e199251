//! The input besides the bytes: what a match finder found.

/// Literals, and the match after them.
///
/// A block is a list of sequences; the bytes after the last one are literals too. Offsets are
/// distances in bytes, without the format's short codes for repeated ones: the encoder finds those
/// itself.
///
/// ```
/// use block_zstd::{Encoder, Sequence, max_compressed_len};
///
/// let block = b"abcdefgh, abcdefgh, ABCDEFGH";
/// let sequence = Sequence { literals: 10, match_len: 10, offset: 10 };
/// let mut frame = vec![0; max_compressed_len(block.len())];
/// let len = Encoder::new().compress(block, &[sequence], &mut frame)?;
/// # Ok::<(), block_zstd::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sequence {
    /// Number of bytes before the match that are literals, 0 or more.
    pub literals: u32,
    /// Length of the match in bytes, at least 3.
    pub match_len: u32,
    /// Distance in bytes from the match back to the bytes that it repeats: at least 1, and not
    /// beyond the start of the block. It may be less than the length.
    pub offset: u32,
}

/// A sequence as zstd itself stores it between search and entropy coding, and as devices write it
/// for zstd: eight bytes, little-endian.
///
/// | bytes | field of `SeqDef` in zstd's `zstd_compress_internal.h` | |
/// |---|---|---|
/// | 0 to 3 | `offBase` | 1 to 3: a repeat code (RFC 8878, 3.1.1.5); else the offset and 3 |
/// | 4 and 5 | `litLength` | number of literals before the match |
/// | 6 and 7 | `mlBase` | length of the match less 3 |
///
/// ```
/// use block_zstd::CodedSequence;
///
/// // Four literals, and 16 bytes at the offset 7.
/// let sequence: CodedSequence = [7 + 3, 0, 0, 0, 4, 0, 16 - 3, 0];
/// ```
pub type CodedSequence = [u8; 8];

/// The sequences of a block that is the first of a frame, as zstd itself stores them.
///
/// ```
/// use block_zstd::CodedSequences;
///
/// let none = CodedSequences { list: &[], literals: 100 };
/// # assert_eq!(none.list.len(), 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CodedSequences<'a> {
    /// The sequences.
    pub list: &'a [CodedSequence],
    /// Number of literals in all, with those after the last match.
    pub literals: usize,
}
