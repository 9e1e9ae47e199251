//! The one thing that can go wrong.

use core::error::Error;
use core::fmt;

/// The output has no room for the compressed data.
///
/// For inputs of up to 64 KiB this is known before anything is written. Longer ones are compressed
/// in several blocks, and those that fit have been written by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoesNotFit {
    /// Bytes that are needed: exactly for inputs of up to 64 KiB, at least for longer ones.
    pub needed: usize,
}

impl fmt::Display for DoesNotFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the output has no room for {} bytes", self.needed)
    }
}

impl Error for DoesNotFit {}
