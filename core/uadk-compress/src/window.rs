//! How far back matches reach.

/// How far back a match may reach.
///
/// Kunpeng's ZIP device has all of them; `block-deflate` has all but 24 KiB and uses 16 KiB instead.
/// libdeflate has 32 KiB alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Window {
    /// 4 KiB.
    Kib4,
    /// 8 KiB.
    Kib8,
    /// 16 KiB, which is what `RocksDB`'s readers have.
    Kib16,
    /// 24 KiB.
    Kib24,
    /// 32 KiB, the most that deflate allows.
    #[default]
    Kib32,
}

impl Window {
    /// All windows, the smallest first.
    pub const ALL: &'static [Self] =
        &[Self::Kib4, Self::Kib8, Self::Kib16, Self::Kib24, Self::Kib32];
}
