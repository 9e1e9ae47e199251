//! The bytes being compressed, and the history before them, in one array of fixed size.
//!
//! A copy costs a fiftieth of the whole and pays for itself: positions fit `u16`, an index made of
//! one needs no bounds check, and loads of eight bytes may run over the end of the data.

use alloc::boxed::Box;
use alloc::vec;

/// Positions there are: history and block together.
pub(crate) const POSITIONS: usize = 1 << 16;
/// What may be read behind the last position.
const PADDING: usize = 320;
/// How much of the padding is zeroed behind the data, so that equal inputs give equal outputs
/// whatever was compressed before: no comparison that decides anything reads further.
const ZEROED: usize = 64;
/// History that is kept when the array is full: the largest window.
pub(crate) const HISTORY: usize = 1 << 15;

/// The array.
pub(crate) type Bytes = [u8; POSITIONS + PADDING];

/// History and block.
pub(crate) struct Input {
    bytes: Box<Bytes>,
    end: usize,
}

impl Input {
    pub(crate) fn new() -> Self {
        let bytes = vec![0; POSITIONS + PADDING].into_boxed_slice();
        Self { bytes: bytes.try_into().unwrap_or_else(|_| unreachable!()), end: 0 }
    }

    /// Forgets everything.
    pub(crate) const fn clear(&mut self) {
        self.end = 0;
    }

    /// Bytes that can be appended, or all could after [`Self::slide`].
    pub(crate) const fn room(&self) -> usize {
        POSITIONS - self.end
    }

    /// Appends a block, which must fit, and gives its range of positions.
    pub(crate) fn append(&mut self, block: &[u8]) -> core::ops::Range<usize> {
        let start = self.end;
        self.end += block.len();
        self.bytes[start..self.end].copy_from_slice(block);
        self.bytes[self.end..][..ZEROED].fill(0);
        start..self.end
    }

    /// Moves a full array's last [`HISTORY`] bytes to its front.
    pub(crate) fn slide(&mut self) {
        debug_assert_eq!(self.end, POSITIONS);
        self.bytes.copy_within(POSITIONS - HISTORY..POSITIONS, 0);
        self.end = HISTORY;
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

/// Eight bytes from a position on.
#[inline(always)]
pub(crate) fn load8(bytes: &Bytes, at: u16) -> u64 {
    eight(&bytes[usize::from(at)..usize::from(at) + 8])
}

/// The difference of eight bytes at two places, both `offset` behind a position.
#[inline(always)]
pub(crate) fn diff8(bytes: &Bytes, a: u16, b: u16, offset: usize) -> u64 {
    let (a, b) = (usize::from(a) + offset, usize::from(b) + offset);
    eight(&bytes[a..a + 8]) ^ eight(&bytes[b..b + 8])
}

/// Eight bytes as a number.
#[inline(always)]
pub(crate) fn eight(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("eight bytes"))
}
