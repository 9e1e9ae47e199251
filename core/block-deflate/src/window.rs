//! The window: how far back matches reach.

/// How far back a match may begin.
///
/// ```
/// use block_deflate::{Encoder, Format, Mode, Window};
///
/// let encoder = Encoder::new(Mode::Default).with_format(Format::Zlib);
/// let mut encoder = encoder.with_window(Window::Kib4);
/// let mut output = vec![0; encoder.bound(1000)];
/// encoder.compress(&[7; 1000], &mut output)?;
/// // zlib's header states the window size, as its logarithm minus 8.
/// assert_eq!(u32::from(output[0] >> 4) + 8, Window::Kib4.bits());
/// # Ok::<(), block_deflate::DoesNotFit>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// 4 KiB.
    Kib4,
    /// 8 KiB.
    Kib8,
    /// 16 KiB.
    Kib16,
    /// 32 KiB, the largest window of the format.
    #[default]
    Kib32,
}

impl Window {
    /// Returns the base-2 logarithm of [`Self::size`].
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::Kib4 => 12,
            Self::Kib8 => 13,
            Self::Kib16 => 14,
            Self::Kib32 => 15,
        }
    }

    /// Returns the size in bytes.
    #[must_use]
    pub const fn size(self) -> usize {
        1 << self.bits()
    }
}
