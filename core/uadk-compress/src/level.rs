//! Compression levels.

/// Compression level: higher is smaller and slower.
///
/// The numbers are those of the format's software encoder. Numbers beyond its range mean its
/// nearest level, so that any level works with any format.
///
/// | format | levels |
/// |---|---|
/// | deflate, zlib, gzip | zlib's 1 to 9, extended to 12; 0 is `block-deflate`'s faster speed |
/// | zstd | libzstd's -131072 (fastest) to 22; 0 means -1, and not libzstd's default 3 |
/// | LZ4 | up to 2 the fast encoder, with negative numbers as acceleration; 3 to 12 LZ4 HC |
///
/// Kunpeng's ZIP device ignores the level.
///
/// ```
/// use uadk_compress::Level;
///
/// assert_eq!(Level::new(6), Some(Level::BALANCED));
/// assert_eq!(Level::new(23), None);
/// assert_eq!(Level::nearest(100), Level::BEST);
/// assert_eq!(Level::default(), Level::FAST);
/// assert!(Level::nearest(-5) < Level::FASTEST && Level::FASTEST < Level::FAST);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(i32);

/// libzstd's lowest level (`ZSTD_minCLevel`).
const LOWEST: i32 = -131_072;
/// libzstd's highest level (`ZSTD_maxCLevel`).
const HIGHEST: i32 = 22;

impl Level {
    /// Level 0: the least CPU per block without giving up more output size than necessary.
    pub const FASTEST: Self = Self(0);
    /// Level 1, the default: for blocks that are read and written all the time. Filling a database
    /// with deflate takes less than half the CPU of level 6; files of 4, 16 and 64 KiB blocks are
    /// 3, 6 and 15 % larger (the bench `rocksdb`).
    pub const FAST: Self = Self(1);
    /// Level 6, zlib's default: for archives, and data written once.
    pub const BALANCED: Self = Self(6);
    /// Level 22: the smallest output of every format, at many times the CPU. For deflate and LZ4 it
    /// is the same as level 12.
    pub const BEST: Self = Self(HIGHEST);

    /// Returns level `n`, from -131072 to 22 ([`Level::BEST`]); `None` outside this range.
    #[must_use]
    pub const fn new(n: i32) -> Option<Self> {
        if n >= LOWEST && n <= HIGHEST { Some(Self(n)) } else { None }
    }

    /// Returns the level nearest to `n`.
    #[must_use]
    pub const fn nearest(n: i32) -> Self {
        match n {
            ..LOWEST => Self(LOWEST),
            LOWEST..=HIGHEST => Self(n),
            _ => Self::BEST,
        }
    }

    /// Returns the number, 0 for [`Level::FASTEST`].
    #[must_use]
    pub const fn get(self) -> i32 {
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
        assert_eq!(Level::new(22), Some(Level::BEST));
        assert_eq!(Level::new(23), None);
        assert_eq!(Level::new(-131_072), Some(Level::nearest(i32::MIN)));
        assert_eq!(Level::new(-131_073), None);
        assert_eq!(Level::nearest(7).get(), 7);
        assert_eq!(Level::nearest(i32::MAX), Level::BEST);
    }

    #[test]
    fn the_range_is_that_of_libzstd() {
        assert_eq!(Level::nearest(i32::MIN).get(), zstd_safe::min_c_level());
        assert_eq!(Level::BEST.get(), zstd_safe::max_c_level());
    }
}
