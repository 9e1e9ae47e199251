//! The hash table: for each hash of a few bytes, the last position that had it.
//!
//! One way and no chains. An entry that was never written says 0, which is a position like any other:
//! what a lookup gives is always compared, so that a table needs no mark for "nothing".
//!
//! The table of [`FOUR_BYTES`] bits finds all matches of four bytes. The others go by five bytes, which
//! finds fewer but longer matches: in long blocks those of four are often far away and gain little.

use alloc::boxed::Box;

use crate::input::{Bytes, HISTORY, load8};

/// Entries of the largest table.
const ENTRIES: usize = 1 << 14;
/// The bits of the table whose hash is of four bytes.
pub(crate) const FOUR_BYTES: u32 = 13;

/// The table; blocks use the first `1 << BITS` entries.
pub(crate) struct HashTable {
    entries: [u16; ENTRIES],
}

impl HashTable {
    #[allow(clippy::large_stack_arrays)]
    pub(crate) fn new() -> Box<Self> {
        Box::new(Self { entries: [0; ENTRIES] })
    }

    /// Forgets the entries that blocks with so many bits use.
    pub(crate) fn clear<const BITS: u32>(&mut self) {
        // By a part of known length: another would be cleared entry by entry.
        match BITS {
            12 => self.clear_first::<{ 1 << 12 }>(),
            13 => self.clear_first::<{ 1 << 13 }>(),
            _ => self.clear_first::<ENTRIES>(),
        }
    }

    #[allow(clippy::large_stack_arrays)]
    fn clear_first<const N: usize>(&mut self) {
        if let Some(first) = self.entries.first_chunk_mut::<N>() {
            *first = [0; N];
        }
    }

    /// Follows [`Input::slide`](crate::input::Input::slide). Positions that are gone become 0.
    pub(crate) fn slide(&mut self) {
        for entry in &mut self.entries {
            *entry = entry.saturating_sub(HISTORY as u16);
        }
    }

    /// Puts `position` in the place of what is there for the first of `eight` bytes, which it gives.
    #[inline(always)]
    pub(crate) fn exchange<const BITS: u32>(&mut self, eight: u64, position: u16) -> u16 {
        core::mem::replace(&mut self.entries[hash::<BITS>(eight)], position)
    }

    /// What is there for the first of `eight` bytes.
    #[inline(always)]
    pub(crate) fn get<const BITS: u32>(&self, eight: u64) -> u16 {
        self.entries[hash::<BITS>(eight)]
    }

    /// Notes `position` under the bytes at it.
    #[inline(always)]
    pub(crate) fn insert<const BITS: u32>(&mut self, bytes: &Bytes, position: u16) {
        self.entries[hash::<BITS>(load8(bytes, position))] = position;
    }
}

/// Fibonacci hashing: the high bits of a product with 2^31 or 2^64 over the golden ratio. The former is
/// positive as a signed number, which makes it part of the instruction on x86-64.
#[inline(always)]
fn hash<const BITS: u32>(eight: u64) -> usize {
    if BITS == FOUR_BYTES {
        ((eight as u32).wrapping_mul(0x1e37_79b1) >> (32 - BITS)) as usize
    } else {
        ((eight << 24).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as usize
    }
}
