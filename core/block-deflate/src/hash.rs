//! The hash table: for each hash of four bytes, the last position that had it.
//!
//! One way and no chains. An entry that was never written says 0, which is a position like any other:
//! what a lookup gives is always compared, so that a table needs no mark for "nothing".

use alloc::boxed::Box;

use crate::input::{Bytes, HISTORY, four};

/// Entries of the largest table.
const ENTRIES: usize = 1 << 14;

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
    #[allow(clippy::large_stack_arrays)]
    pub(crate) fn clear<const BITS: u32>(&mut self) {
        // As a whole array or as half of one: a part of another length would be cleared entry by
        // entry.
        match self.entries.first_chunk_mut::<{ ENTRIES / 2 }>() {
            Some(half) if 1 << BITS == half.len() => *half = [0; ENTRIES / 2],
            _ => self.entries = [0; ENTRIES],
        }
    }

    /// Follows [`Input::slide`](crate::input::Input::slide). Positions that are gone become 0.
    pub(crate) fn slide(&mut self) {
        for entry in &mut self.entries {
            *entry = entry.saturating_sub(HISTORY as u16);
        }
    }

    /// Puts `position` in the place of what is there for `four` bytes, which it gives.
    #[inline(always)]
    pub(crate) fn exchange<const BITS: u32>(&mut self, four: u32, position: u16) -> u16 {
        core::mem::replace(&mut self.entries[hash::<BITS>(four)], position)
    }

    /// What is there for `four` bytes.
    #[inline(always)]
    pub(crate) fn get<const BITS: u32>(&self, four: u32) -> u16 {
        self.entries[hash::<BITS>(four)]
    }

    /// Notes `position` under the four bytes at it.
    #[inline(always)]
    pub(crate) fn insert<const BITS: u32>(&mut self, bytes: &Bytes, position: u16) {
        let at = usize::from(position);
        let four = four(&bytes[at..at + 4]);
        self.entries[hash::<BITS>(four)] = position;
    }
}

/// Fibonacci hashing: the high bits of a product with 2^32 over the golden ratio.
#[inline(always)]
fn hash<const BITS: u32>(four: u32) -> usize {
    (four.wrapping_mul(0x9e37_79b1) >> (32 - BITS)) as usize
}
