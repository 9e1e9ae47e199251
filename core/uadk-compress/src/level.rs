//! Compression levels.

/// Compression level of the software engine: more is smaller and slower.
///
/// The numbers are those of libdeflate, which keep zlib's meaning from 1 to 9 and go on to 12.
/// Kunpeng's ZIP device ignores the level for deflate, zlib and gzip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u8);

impl Level {
    /// The least CPU per block that an engine offers.
    pub const FASTEST: Self = Self(0);
    /// Level 1, the default: for blocks that are read and written all the time. It takes less than
    /// half of the CPU that level 6 takes to fill a database; files of 4, 16 and 64 KiB blocks are
    /// 3, 6 and 15 % larger (the bench `rocksdb`).
    pub const FAST: Self = Self(1);
    /// Level 6, zlib's default: for archives, and data written once.
    pub const BALANCED: Self = Self(6);
    /// Level 12: several times the CPU of level 6 for a few per cent.
    pub const BEST: Self = Self(12);

    /// Level `n` from 1 to 12, or 0 for [`Level::FASTEST`]; `None` above.
    #[must_use]
    pub const fn new(n: u8) -> Option<Self> {
        if n <= Self::BEST.0 { Some(Self(n)) } else { None }
    }

    /// The nearest level: numbers below 0 become [`Level::FASTEST`], those above 12
    /// [`Level::BEST`].
    #[must_use]
    pub const fn nearest(n: i32) -> Self {
        match n {
            ..=0 => Self::FASTEST,
            1..=11 => Self(n.unsigned_abs() as u8),
            12.. => Self::BEST,
        }
    }

    /// The number, 0 for [`Level::FASTEST`].
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for Level {
    /// [`Level::FAST`], what a [`Compressor`](crate::Compressor) uses if no level is set.
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
