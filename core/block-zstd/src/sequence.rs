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
