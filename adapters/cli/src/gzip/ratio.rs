//! The space saved by compression.

use std::fmt::{self, Display, Formatter};

/// The compressed and uncompressed sizes of a file. Prints the space saved as gzip does: ` 63.5%`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ratio {
    pub(super) compressed: u64,
    /// Header and trailer, which are not counted.
    pub(super) overhead: u64,
    pub(super) uncompressed: u64,
}

impl Display for Ratio {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { compressed, overhead, uncompressed } = *self;
        let percent = if uncompressed == 0 {
            0.0
        } else {
            let saved = uncompressed as f64 - (compressed as f64 - overhead as f64);
            100.0 * saved / uncompressed as f64
        };
        write!(f, "{percent:5.1}%")
    }
}
