//! Finds matches in one pass over the block.
//!
//! A step looks up four positions at once, takes the longest match among them, and continues after
//! it: lazy matching without a branch. Its cost is the latency from one position to the next (load,
//! hash, table, candidate, comparison, selection, extension: some 40 cycles) and mispredicted
//! branches: a misprediction repeats the latency up to the branch. So selections are conditional
//! moves, and matches are extended to 24 bytes without a branch. Two branches remain: "no match
//! here", a third of the steps, and "longer than 23", a tenth. Work off the critical path, such as
//! adding records, costs less as long as it takes no registers.
//!
//! Inserting positions into the hash table takes time, so only a few of a match's positions are
//! inserted: two at its end, and some within long matches. Matches that begin elsewhere in it are
//! found by extending backwards: see [`Tokens::push_extended`].

use core::hint::select_unpredictable;
use core::ops::Range;

use crate::hash::{self, HashTable};
use crate::input::{Bytes, POSITIONS, diff8, eight, load8};
use crate::symbols::MAX_MATCH;
use crate::tokens::{PART_LEN, Tokens};

/// Bytes after its position that a step may read. While this many are left, no match has to be
/// clipped.
const STEP_REACH: usize = 40;
/// Consecutive records without a match after which steps get longer.
const MISSES_UNTIL_SKIP: u32 = 32;
/// Distance in bytes between the positions inserted within a long match. Without them, data that
/// repeats at a distance, like database pages, is found late.
const INSERT_STRIDE: usize = 16;
const FAST_INSERT_STRIDE: usize = 32;
/// Longest match, in bytes, that is extended without a branch.
const BRANCHLESS_LEN: usize = 24;

/// Parses the block at `range` of `bytes`. The bytes before it are its history.
///
/// No match begins more than `window` bytes back.
pub(crate) fn parse<const BITS: u32, const FAST: bool>(
    bytes: &Bytes,
    range: Range<usize>,
    window: usize,
    table: &mut HashTable,
    tokens: &mut Tokens,
) {
    let parser = Parser { bytes, end: range.end, window };
    tokens.start(range.start);
    let mut at = range.start;
    if at == 0 && range.end > 0 {
        // At the first position, the candidate would be the position itself.
        tokens.push_literals(bytes, 0, 1);
        hash::insert::<BITS>(table, bytes, 0);
        at = 1;
    }
    let mut until = range.start;
    loop {
        until = (until + PART_LEN).min(range.end);
        let clear = until.min((range.end + 1).saturating_sub(STEP_REACH));
        // Up to here no candidate of a step's four positions is too far back.
        let near = clear.min(window - 3);
        at = parser.steps::<BITS, FAST, false, false>(at, near, table, tokens);
        at = parser.steps::<BITS, FAST, true, false>(at, clear, table, tokens);
        at = parser.steps::<BITS, FAST, true, true>(at, until, table, tokens);
        if at == range.end {
            break;
        }
        tokens.cut(at);
    }
    tokens.finish(range.end);
}

/// Adds the records of the block if all its bytes are equal, and returns whether they are.
pub(crate) fn parse_constant(bytes: &Bytes, range: Range<usize>, tokens: &mut Tokens) -> bool {
    let block = &bytes[range.clone()];
    // Most blocks differ early.
    if block.len() < 16
        || block[0] != block[block.len() - 1]
        || block[1..] != block[..block.len() - 1]
    {
        return false;
    }
    tokens.start(range.start);
    tokens.push_literals(bytes, range.start as u16, 1);
    let mut rest = block.len() - 1;
    while rest > 0 {
        // Leaves enough bytes for another match.
        let len = if rest > MAX_MATCH { MAX_MATCH.min(rest - 3) } else { rest };
        tokens.push_match(bytes, 0, 0, len, 1);
        rest -= len;
    }
    tokens.finish(range.end);
    true
}

struct Parser<'a> {
    bytes: &'a Bytes,
    end: usize,
    window: usize,
}

impl Parser<'_> {
    /// Steps from `at` to `until` or slightly past it, and returns the position reached.
    #[inline(never)]
    fn steps<const BITS: u32, const FAST: bool, const CHECK: bool, const TAIL: bool>(
        &self,
        mut at: usize,
        until: usize,
        table: &mut HashTable,
        tokens: &mut Tokens,
    ) -> usize {
        // Changes nothing, but tells the compiler that steps stay within the array.
        let until = until.min(POSITIONS);
        let mut misses = 0;
        while at < until {
            at = self.step::<BITS, FAST, CHECK, TAIL>(at, &mut misses, table, tokens);
        }
        at
    }

    /// Adds one record. `TAIL` is for the end of the block, where matches have to be clipped.
    #[inline(always)]
    fn step<const BITS: u32, const FAST: bool, const CHECK: bool, const TAIL: bool>(
        &self,
        from: usize,
        misses: &mut u32,
        table: &mut HashTable,
        tokens: &mut Tokens,
    ) -> usize {
        let here = &self.bytes[from..from + 12];
        let mut found = [(0, 0); 4];
        // Whether there is a match at all, computed before the longest one is known: the earlier,
        // the less a mispredicted branch costs.
        let mut any = 0;
        let base = (from as u32) << 16;
        for (j, found) in found.iter_mut().enumerate() {
            let eight = eight(&here[j..j + 8]);
            let position = (from + j) as u16;
            let candidate = if TAIL && from + j >= self.end {
                hash::get::<BITS>(table, eight)
            } else {
                hash::exchange::<BITS>(table, eight, position)
            };
            let diff = eight ^ load8(self.bytes, candidate);
            // Smaller for more equal bytes; ties don't matter.
            let mut key = diff.swap_bytes();
            if TAIL && from + j + 4 > self.end {
                key = u64::MAX;
            }
            let four = if TAIL { key >> 32 } else { u64::from(diff as u32) };
            any |= four.wrapping_sub(1);
            *found = (key, base.wrapping_add(((j as u32) << 16) + u32::from(candidate)));
        }
        // Four equal bytes are a match.
        if any >> 63 == 0 {
            return self.miss::<TAIL>(from, misses, tokens);
        }
        let (mut key, mut positions) = longest(found);
        if CHECK && self.is_far(positions) {
            (key, positions) = self.longest_near(found);
            if key >> 32 != 0 {
                return self.miss::<TAIL>(from, misses, tokens);
            }
        }
        *misses = 0;

        let start = (positions >> 16) as usize;
        let candidate = positions as u16;
        let bytes = (key.swap_bytes().trailing_zeros() / 8) as usize;
        let extended = self.extend(start as u16, candidate);
        let mut at = select_unpredictable(bytes == 8, extended, start + bytes);
        if at - start == BRANCHLESS_LEN {
            at = self.extend_long::<BITS, FAST>(start as u16, candidate, table);
        }
        if TAIL {
            at = at.min(self.end);
        }
        if FAST {
            let literals = start.wrapping_sub(from) & 3;
            let distance = (start as u16).wrapping_sub(candidate);
            tokens.push_match(self.bytes, from as u16, literals, at - start, distance);
        } else {
            tokens.push_extended(self.bytes, from as u16, [start as u16, candidate], at);
            if !TAIL {
                // `extend_long` inserts some more.
                for back in [1, 3] {
                    hash::insert::<BITS>(table, self.bytes, (at - back) as u16);
                }
            }
        }
        at
    }

    #[inline(always)]
    fn is_far(&self, positions: u32) -> bool {
        usize::from(((positions >> 16) as u16).wrapping_sub(positions as u16)) > self.window
    }

    /// Returns the longest match that isn't too far back.
    #[cold]
    #[inline(never)]
    fn longest_near(&self, found: [(u64, u32); 4]) -> (u64, u32) {
        longest(found.map(|(key, positions)| {
            (if self.is_far(positions) { u64::MAX } else { key }, positions)
        }))
    }

    /// Adds four literals, or more after many misses.
    #[inline(always)]
    fn miss<const TAIL: bool>(&self, from: usize, misses: &mut u32, tokens: &mut Tokens) -> usize {
        if TAIL {
            let literals = (self.end - from).min(4);
            tokens.push_literals(self.bytes, from as u16, literals);
            return from + literals;
        }
        tokens.push_four(self.bytes, from as u16);
        let mut at = from + 4;
        *misses += 1;
        if *misses > MISSES_UNTIL_SKIP {
            for _ in 0..(*misses / MISSES_UNTIL_SKIP).min(16) {
                if at + STEP_REACH > self.end {
                    break;
                }
                tokens.push_four(self.bytes, at as u16);
                at += 4;
            }
        }
        at
    }

    /// Returns the end of a match whose first [`BRANCHLESS_LEN`] bytes are known to be equal, and
    /// inserts some of its positions.
    #[inline(never)]
    fn extend_long<const BITS: u32, const FAST: bool>(
        &self,
        start: u16,
        candidate: u16,
        table: &mut HashTable,
    ) -> usize {
        let from = usize::from(start);
        // It may be extended backwards by three bytes.
        let max = if FAST { MAX_MATCH } else { MAX_MATCH - 3 };
        let max = max.min(self.end - from);
        let mut len = BRANCHLESS_LEN;
        while len < max {
            let diff = diff8(self.bytes, start, candidate, len);
            if diff != 0 {
                len += (diff.trailing_zeros() / 8) as usize;
                break;
            }
            len += 8;
        }
        let len = len.min(max);
        let stride = if FAST { FAST_INSERT_STRIDE } else { INSERT_STRIDE };
        for offset in (stride..len).step_by(stride) {
            hash::insert::<BITS>(table, self.bytes, start.wrapping_add(offset as u16));
        }
        if FAST {
            hash::insert::<BITS>(table, self.bytes, start.wrapping_add(len as u16 - 1));
        }
        from + len
    }

    /// Returns the end of a match whose first eight bytes are equal, at most [`BRANCHLESS_LEN`]
    /// bytes after its start.
    #[inline(always)]
    fn extend(&self, position: u16, candidate: u16) -> usize {
        let diff = |offset| diff8(self.bytes, position, candidate, offset);
        let start = usize::from(position);
        let first = (diff(8), start + 8);
        let second = (diff(16), start + 16);
        let (diff, at) = select_unpredictable(first.0 != 0, first, second);
        at + (diff.trailing_zeros() / 8) as usize
    }
}

#[inline(always)]
fn longest([a, b, c, d]: [(u64, u32); 4]) -> (u64, u32) {
    longer(longer(a, b), longer(c, d))
}

#[inline(always)]
fn longer(a: (u64, u32), b: (u64, u32)) -> (u64, u32) {
    let second = b.0 < a.0;
    (select_unpredictable(second, b.0, a.0), select_unpredictable(second, b.1, a.1))
}
