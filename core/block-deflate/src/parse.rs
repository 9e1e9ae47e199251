//! Finding matches: one pass over the block that looks for the next match and jumps behind it.
//!
//! A step looks up four positions at once and takes the best of the matches there, which is lazy
//! matching without a branch for it. What a step costs is the way from one position to the next
//! (load, hash, table, candidate, comparison, selection, extension: some 40 cycles) and mispredicted
//! branches, each of which costs the way up to it once more. So selections are conditional moves,
//! matches are extended to 24 bytes without a branch, and the two branches left are "no match here", a
//! third of the steps, and "longer than 23", a tenth. Work that is not on that way (taking records down)
//! costs little as long as it takes no registers: processors have time for it meanwhile.

use core::hint::select_unpredictable;
use core::ops::Range;

use crate::hash::{FOUR_BYTES, HashTable};
use crate::input::{self, Bytes, POSITIONS, diff8, eight, four, load8};
use crate::symbols::MAX_MATCH;
use crate::tokens::{PART, Tokens};

/// What a step may read behind its position: while that much is left, nothing has to be clipped.
const MARGIN: usize = 40;
/// Records without a match after which steps get longer.
const PATIENCE: u32 = 32;
/// So many bits longer must a match be for each literal before it.
const PENALTY: usize = 4;
/// The longest match found without a branch.
const SHORT: usize = 24;
/// Every so many positions of a long match are noted.
const STRIDE: usize = 6;

/// Parses the block at `range` of `bytes`, with what is before it as history.
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
        // The first position: a candidate would be the position itself.
        tokens.push_literals(u32::from(bytes[0]), 1);
        table.insert::<BITS>(bytes, 0);
        at = 1;
    }
    let mut until = range.start;
    loop {
        until = (until + PART).min(range.end);
        let clear = until.min((range.end + 1).saturating_sub(MARGIN));
        // Up to here nothing is too far back, for the four positions of a step.
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

/// Records of a block whose bytes are all equal, if it is one.
pub(crate) fn parse_constant(bytes: &Bytes, range: Range<usize>, tokens: &mut Tokens) -> bool {
    let block = &bytes[range.clone()];
    // Most blocks differ at once.
    if block.len() < 16
        || block[0] != block[block.len() - 1]
        || block[1..] != block[..block.len() - 1]
    {
        return false;
    }
    tokens.start(range.start);
    tokens.push_literals(u32::from(block[0]), 1);
    let mut rest = block.len() - 1;
    while rest > 0 {
        // Not so much that less than a match is left.
        let len = if rest > MAX_MATCH { MAX_MATCH.min(rest - 3) } else { rest };
        tokens.push_match(0, 0, len, 1);
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
    /// Steps from a position up to another or a little further, and gives where that is.
    #[inline(never)]
    fn steps<const BITS: u32, const FAST: bool, const CHECK: bool, const TAIL: bool>(
        &self,
        mut at: usize,
        until: usize,
        table: &mut HashTable,
        tokens: &mut Tokens,
    ) -> usize {
        // The array's end, too, which is never less: so no step checks it again.
        let until = until.min(POSITIONS);
        let mut misses = 0;
        while at < until {
            at = self.step::<BITS, FAST, CHECK, TAIL>(at, &mut misses, table, tokens);
        }
        at
    }

    /// One record. `TAIL`: near the end, where matches have to be clipped.
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
        // Its highest bit says whether there is a match. That is known some cycles before the best one
        // is, and every cycle of these is one more for each branch that was mispredicted.
        let mut any = 0_u64;
        let base = (from as u32) << 16;
        for (j, found) in found.iter_mut().enumerate() {
            let eight = eight(&here[j..j + 8]);
            let position = (from + j) as u16;
            let candidate = if TAIL && from + j >= self.end {
                table.get::<BITS>(eight)
            } else {
                table.exchange::<BITS>(eight, position)
            };
            let there = load8(self.bytes, candidate);
            let (diff, same) = (eight ^ there, !eight ^ there);
            // Which bits count: from the last of four bytes on, and none where no match may be.
            let mut counting = u64::MAX << 31;
            if CHECK {
                let far = usize::from(position.wrapping_sub(candidate)) > self.window;
                counting = u64::from(far).wrapping_sub(1) << 31;
            }
            if TAIL && from + j + 4 > self.end {
                counting = 0;
            }
            any |= u64::from(diff as u32).wrapping_sub(1) & counting;
            // Those below the lowest that differs.
            let weight = diff.wrapping_sub(1) & (same & counting);
            let place = base.wrapping_add(((j as u32) << 16) + u32::from(candidate));
            *found = (weight >> (PENALTY * j), place);
        }
        let [a, b, c, d] = found;
        let (weight, place) = heavier(heavier(a, b), heavier(c, d));
        let four = four(&here[..4]);
        if any >> 63 == 0 {
            return self.miss::<TAIL>(from, misses, four, tokens);
        }
        *misses = 0;

        let start = (place >> 16) as usize;
        let literals = start.wrapping_sub(from) & 3;
        let candidate = place as u16;
        // One above the highest of them, or above all 64: the lowest that differs.
        let lowest = weight.wrapping_add((1 << 31) >> (PENALTY * literals));
        let equal = (lowest.trailing_zeros() as usize + PENALTY * literals) / 8;
        let longer = self.extend(start as u16, candidate);
        let mut at = select_unpredictable(equal == 8, longer, start + equal);
        if at - start == SHORT {
            at = start + extend_far(self.bytes, start, candidate, self.end);
            for position in (from + STRIDE..at).step_by(STRIDE) {
                table.insert::<BITS>(self.bytes, position as u16);
            }
        }
        if TAIL {
            at = at.min(self.end);
        }
        tokens.push_match(four, literals, at - start, (start as u16).wrapping_sub(candidate));
        if !TAIL && !FAST {
            // The match's last positions; of longer ones the rest stays out. In long blocks each is
            // worth more.
            for back in 1..if BITS == FOUR_BYTES { 4 } else { 5 } {
                table.insert::<BITS>(self.bytes, (at - back) as u16);
            }
        }
        at
    }

    /// Four literals, and more at once where nothing was found for long.
    #[inline(always)]
    fn miss<const TAIL: bool>(
        &self,
        from: usize,
        misses: &mut u32,
        four: u32,
        tokens: &mut Tokens,
    ) -> usize {
        let literals = if TAIL { (self.end - from).min(4) } else { 4 };
        tokens.push_literals(four, literals);
        let mut at = from + literals;
        if TAIL {
            return at;
        }
        *misses += 1;
        if *misses > PATIENCE {
            for _ in 0..(*misses / PATIENCE).min(16) {
                if at + MARGIN > self.end {
                    break;
                }
                tokens.push_literals(input::four(&self.bytes[at..at + 4]), 4);
                at += 4;
            }
        }
        at
    }

    /// Where the match of a position ends, given that eight bytes are equal; up to [`SHORT`].
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

/// How many bytes are equal, given that [`SHORT`] are.
fn extend_far(bytes: &Bytes, start: usize, candidate: u16, end: usize) -> usize {
    let max = (end - start).min(MAX_MATCH);
    let mut len = SHORT;
    while len < max {
        let diff = diff8(bytes, start as u16, candidate, len);
        if diff != 0 {
            len += (diff.trailing_zeros() / 8) as usize;
            break;
        }
        len += 8;
    }
    len.min(max)
}

#[inline(always)]
fn heavier(a: (u64, u32), b: (u64, u32)) -> (u64, u32) {
    let second = b.0 > a.0;
    (select_unpredictable(second, b.0, a.0), select_unpredictable(second, b.1, a.1))
}
