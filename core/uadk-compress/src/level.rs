//! Compression levels.

/// Compression level of the software engine: higher is smaller and slower.
///
/// The numbers are libdeflate's: zlib's levels from 1 to 9, extended to 12. Kunpeng's ZIP device
/// ignores the level for deflate, zlib and gzip.
///
/// ```
/// use uadk_compress::Level;
///
/// assert_eq!(Level::new(6), Some(Level::BALANCED));
/// assert_eq!(Level::new(13), None);
/// assert_eq!(Level::nearest(22), Level::BEST); // zstd's highest level
/// assert_eq!(Level::default(), Level::FAST);
/// assert!(Level::FASTEST < Level::FAST && Level::BALANCED < Level::BEST);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u8);

impl Level {
    /// Level 0: the least CPU per block that an engine offers.
    pub const FASTEST: Self = Self(0);
    /// Level 1, the default: for blocks that are read and written all the time. Filling a database
    /// takes less than half the CPU of level 6; files of 4, 16 and 64 KiB blocks are 3, 6 and 15 %
    /// larger (the bench `rocksdb`).
    pub const FAST: Self = Self(1);
    /// Level 6, zlib's default: for archives, and data written once.
    pub const BALANCED: Self = Self(6);
    /// Level 12: several times the CPU of level 6, for output a few per cent smaller.
    pub const BEST: Self = Self(12);

    /// Returns level `n`, from 0 ([`Level::FASTEST`]) to 12; `None` above.
    #[must_use]
    pub const fn new(n: u8) -> Option<Self> {
        if n <= Self::BEST.0 { Some(Self(n)) } else { None }
    }

    /// Returns the nearest level: numbers below 0 become [`Level::FASTEST`], those above 12
    /// [`Level::BEST`].
    #[must_use]
    pub const fn nearest(n: i32) -> Self {
        match n {
            ..=0 => Self::FASTEST,
            1..=11 => Self(n.unsigned_abs() as u8),
            12.. => Self::BEST,
        }
    }

    /// Returns the number, 0 for [`Level::FASTEST`].
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for Level {
    /// Returns [`Level::FAST`], which a [`Compressor`](crate::Compressor) uses by default.
    fn default() -> Self {
        Self::FAST
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn numbers_outside_the_range_are_rejected_or_clamped() {
        assert_eq!(Level::new(12), Some(Level::BEST));
        assert_eq!(Level::new(13), None);
        assert_eq!(Level::nearest(i32::MIN), Level::FASTEST);
        assert_eq!(Level::nearest(7).get(), 7);
        assert_eq!(Level::nearest(i32::MAX), Level::BEST);
    }
}
