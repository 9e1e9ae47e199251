//! The figures that the device reports with a result of LZ77.

/// What the device reports for a request that failed.
const GARBAGE: u32 = 0xe7e7_e7e7;

/// The figures that the device reports with a result of LZ77.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) literals: u32,
    pub(crate) sequences: u32,
    pub(super) overflow_count: u32,
    pub(super) overflow_position: u32,
}

impl Figures {
    /// The figures of a request that failed.
    pub(crate) const GARBAGE: Self = Self {
        literals: GARBAGE,
        sequences: GARBAGE,
        overflow_count: GARBAGE,
        overflow_position: GARBAGE,
    };
}
