//! The error type.

use core::error::Error;
use core::fmt;

/// The output buffer is too small for the compressed data.
///
/// For inputs of up to 64 KiB this is detected before anything is written. Longer inputs are
/// compressed in several blocks, and those that fit are written.
///
/// ```
/// use block_deflate::{DoesNotFit, Encoder, Mode};
///
/// let mut encoder = Encoder::new(Mode::Default);
/// let block = b"a block that is longer than its buffer";
/// let mut output = vec![0; 10];
/// let mut result = encoder.compress(block, &mut output);
/// if let Err(DoesNotFit { needed, .. }) = result {
///     output.resize(needed, 0);
///     result = encoder.compress(block, &mut output);
/// }
/// assert_eq!(result, Ok(output.len()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoesNotFit {
    /// Bytes needed: the exact number for inputs of up to 64 KiB, a lower bound for longer ones.
    pub needed: usize,
}

impl fmt::Display for DoesNotFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "output buffer too small: {} bytes needed", self.needed)
    }
}

impl Error for DoesNotFit {}
