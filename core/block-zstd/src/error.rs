//! The error type.

use core::fmt;

/// Why a block wasn't encoded. Nothing was written, and the encoder is as before the call.
///
/// ```
/// use block_zstd::{Encoder, Error, Sequence};
///
/// let mut encoder = Encoder::new();
/// let mut frame = [0; 5];
/// let Err(Error::DoesNotFit { needed }) = encoder.compress(b"some bytes", &[], &mut frame) else {
///     panic!("five bytes are too few");
/// };
/// let mut frame = vec![0; needed];
/// assert_eq!(encoder.compress(b"some bytes", &[], &mut frame), Ok(needed));
///
/// let before_the_start = [Sequence { literals: 4, match_len: 3, offset: 5 }];
/// let result = encoder.compress(b"some bytes", &before_the_start, &mut frame);
/// assert_eq!(result, Err(Error::InvalidSequences));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The output buffer is too small.
    DoesNotFit {
        /// Bytes needed.
        needed: usize,
    },
    /// The sequences don't describe the block: they are longer, an offset is 0 or reaches before
    /// the start, a match is shorter than 3 bytes, or differs from the bytes that it repeats.
    InvalidSequences,
    /// The block is longer than [`MAX_BLOCK_LEN`](crate::MAX_BLOCK_LEN).
    TooLong,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DoesNotFit { needed } => {
                write!(f, "output buffer too small: {needed} bytes needed")
            }
            Self::InvalidSequences => f.write_str("the sequences don't describe the block"),
            Self::TooLong => f.write_str("block longer than 128 KiB"),
        }
    }
}

impl core::error::Error for Error {}
