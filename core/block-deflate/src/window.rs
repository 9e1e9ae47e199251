//! The window: how far back matches reach.

/// How far back a match may begin.
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
    /// The base-2 logarithm of [`Self::size`].
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::Kib4 => 12,
            Self::Kib8 => 13,
            Self::Kib16 => 14,
            Self::Kib32 => 15,
        }
    }

    /// The size in bytes.
    #[must_use]
    pub const fn size(self) -> usize {
        1 << self.bits()
    }
}
