//! The hash table: maps a hash of a few bytes to the last position where it occurred.
//!
//! One entry per hash, no chains. Unused entries hold 0, which is a valid position: candidates are
//! always compared, so the table needs no marker for "empty".
//!
//! The table of [`FOUR_BYTES`] bits hashes four bytes and finds all matches of that length. The
//! others hash five bytes and find fewer but longer matches: in long blocks, matches of four bytes
//! are often far away and gain little.

use alloc::boxed::Box;
use alloc::vec;

use crate::input::{Bytes, HISTORY, load8};

/// Entries of the largest table.
const ENTRIES: usize = 1 << 14;
/// The size, in bits, of the table whose hash covers four bytes.
pub(crate) const FOUR_BYTES: u32 = 13;

/// The table; blocks use the first `1 << BITS` entries.
///
/// A plain array, so that loops hold its address in a register, and so that it can be allocated
/// without a copy on the stack.
pub(crate) type HashTable = [u16; ENTRIES];

/// Allocates a table.
pub(crate) fn new_table() -> Box<HashTable> {
    let entries = vec![0; ENTRIES].into_boxed_slice();
    entries.try_into().unwrap_or_else(|_| unreachable!("the length matches the array"))
}

/// Clears the entries used by blocks whose tables have `BITS` bits.
pub(crate) fn clear<const BITS: u32>(table: &mut HashTable) {
    // Arrays of known length: a slice would be cleared entry by entry.
    match BITS {
        12 => clear_first::<{ 1 << 12 }>(table),
        13 => clear_first::<{ 1 << 13 }>(table),
        _ => clear_first::<ENTRIES>(table),
    }
}

fn clear_first<const N: usize>(table: &mut HashTable) {
    if let Some(first) = table.first_chunk_mut::<N>() {
        first.fill(0);
    }
}

/// Adjusts positions after `Input::slide`. Positions that slid out become 0.
pub(crate) fn slide(table: &mut HashTable) {
    for entry in table {
        *entry = entry.saturating_sub(HISTORY as u16);
    }
}

/// Inserts `position` for the first bytes of `eight` and returns the previous entry.
#[inline(always)]
pub(crate) fn exchange<const BITS: u32>(table: &mut HashTable, eight: u64, position: u16) -> u16 {
    core::mem::replace(&mut table[hash::<BITS>(eight)], position)
}

/// Returns the entry for the first bytes of `eight`.
#[inline(always)]
pub(crate) fn get<const BITS: u32>(table: &HashTable, eight: u64) -> u16 {
    table[hash::<BITS>(eight)]
}

/// Inserts `position` for the bytes there.
#[inline(always)]
pub(crate) fn insert<const BITS: u32>(table: &mut HashTable, bytes: &Bytes, position: u16) {
    table[hash::<BITS>(load8(bytes, position))] = position;
}

/// Fibonacci hashing: the high bits of a product with 2^31 or 2^64 divided by the golden ratio. The
/// former is positive as a signed number, so that it fits an immediate operand on x86-64.
#[inline(always)]
fn hash<const BITS: u32>(eight: u64) -> usize {
    if BITS == FOUR_BYTES {
        ((eight as u32).wrapping_mul(0x1e37_79b1) >> (32 - BITS)) as usize
    } else {
        ((eight << 24).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as usize
    }
}
