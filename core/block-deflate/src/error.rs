//! The error type.

use core::error::Error;
use core::fmt;

/// The output is too short for the compressed data.
///
/// For inputs of up to 64 KiB this is detected before anything is written. Longer ones are compressed in
/// several blocks, and those that fit are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoesNotFit {
    /// Bytes needed: the exact number for inputs of up to 64 KiB, a lower bound for longer ones.
    pub needed: usize,
}

impl fmt::Display for DoesNotFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the output is too short: {} bytes are needed", self.needed)
    }
}

impl Error for DoesNotFit {}
