//! The bytes to compress and the history before them, in one array of fixed size.
//!
//! Copying the input takes 2 % of the time and pays for itself: positions fit `u16`, indexing by
//! them needs no bounds check, and loads of eight bytes may run past the end of the data.

use alloc::boxed::Box;
use alloc::vec;

/// Number of positions: history and block together.
pub(crate) const POSITIONS: usize = 1 << 16;
/// Bytes that may be read after the last position.
const PADDING: usize = 320;
/// How much of the padding is zeroed after the data, so that the output doesn't depend on earlier
/// inputs: no comparison that matters reads further.
const ZEROED: usize = 64;
/// Length of the history that is kept when the array is full: the largest window.
pub(crate) const HISTORY: usize = 1 << 15;

/// The array type.
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

    /// Removes all bytes.
    pub(crate) const fn clear(&mut self) {
        self.end = 0;
    }

    /// Returns the free space in bytes. When it is 0, call [`Self::slide`] first.
    pub(crate) const fn free_space(&self) -> usize {
        POSITIONS - self.end
    }

    /// Appends a block, which must fit, and returns its range of positions.
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

/// Loads eight bytes at a position.
#[inline(always)]
pub(crate) fn load8(bytes: &Bytes, at: u16) -> u64 {
    eight(&bytes[usize::from(at)..usize::from(at) + 8])
}

/// Returns the difference (exclusive or) of the eight bytes at `a + offset` and `b + offset`.
#[inline(always)]
pub(crate) fn diff8(bytes: &Bytes, a: u16, b: u16, offset: usize) -> u64 {
    let (a, b) = (usize::from(a) + offset, usize::from(b) + offset);
    eight(&bytes[a..a + 8]) ^ eight(&bytes[b..b + 8])
}

/// Converts eight bytes to a number.
#[inline(always)]
pub(crate) fn eight(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("eight bytes"))
}
