//! Window sizes: how far back matches reach.

/// How far back a match may reach.
///
/// Kunpeng's ZIP device supports all sizes. `block-deflate` uses 16 KiB instead of 24 KiB, and
/// supports the rest. libdeflate supports only 32 KiB.
///
/// ```
/// use uadk_compress::{BlockCompressor, Format, Level, SoftwareCompressor, Window};
///
/// let codec = SoftwareCompressor::new(Format::Zlib, Level::FAST)?;
/// let codec = codec.with_window_limit(Window::Kib4);
/// let mut compressed = [0; 200];
/// codec.compress(&[7; 1000], &mut compressed)?;
/// // zlib's header states the window size, as its logarithm minus 8.
/// assert_eq!(compressed[0] >> 4, 12 - 8);
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Window {
    /// 4 KiB.
    Kib4,
    /// 8 KiB.
    Kib8,
    /// 16 KiB, the window of `RocksDB`'s readers.
    Kib16,
    /// 24 KiB.
    Kib24,
    /// 32 KiB, the most that deflate allows.
    #[default]
    Kib32,
}

impl Window {
    /// All windows, smallest first.
    pub const ALL: &'static [Self] =
        &[Self::Kib4, Self::Kib8, Self::Kib16, Self::Kib24, Self::Kib32];
}
