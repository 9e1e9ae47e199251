//! Finding matches: one pass over the block that looks for the next match and jumps behind it.
//!
//! A step looks up four positions at once and takes the best of the matches there, which is lazy
//! matching without a branch for it. What a step costs is the way from one position to the next
//! (load, hash, table, candidate, comparison, selection, extension: some 40 cycles) and mispredicted
//! branches, each of which costs the way up to it once more. So selections are conditional moves,
//! matches are extended to 30 bytes without a branch, and the two branches left are "no match here", a
//! quarter of the steps, and "longer than 30", a fifteenth. Work that is not on that way (preparing records) costs little: processors have time
//! for it meanwhile.

use core::hint::select_unpredictable;
use core::ops::Range;

use crate::hash::{FOUR_BYTES, HashTable};
use crate::input::{self, Bytes, diff8, eight, four, load8};
use crate::symbols::MAX_MATCH;
use crate::tokens::{Recorder, Tokens};

/// What a step may read behind its position: while that much is left, nothing has to be clipped.
const MARGIN: usize = 40;
/// Records without a match after which steps get longer.
const PATIENCE: u32 = 32;
/// So many bits longer must a match be for each literal before it.
const PENALTY: usize = 4;
/// The longest match found without a branch.
const SHORT: usize = 30;
/// Every so many positions of a long match are noted.
const STRIDE: usize = 6;

/// Parses the block at `range` of `bytes`, with what is before it as history.
///
/// No match begins more than `window` bytes back; with `CHECK` unset the caller promises that
/// nothing is that far back.
pub(crate) fn parse<const BITS: u32, const FAST: bool, const CHECK: bool>(
    bytes: &Bytes,
    range: Range<usize>,
    window: usize,
    table: &mut HashTable,
    tokens: &mut Tokens,
) {
    let mut parser = Parser { bytes, at: range.start, end: range.end, window, misses: 0 };
    let mut recorder = tokens.start();
    let tokens = &mut recorder;
    if parser.at == 0 && parser.end > 0 {
        // The first position: a candidate would be the position itself.
        tokens.push_literals(u32::from(bytes[0]), 1);
        table.insert::<BITS>(bytes, 0);
        parser.at = 1;
    }
    while parser.at + MARGIN <= parser.end {
        parser.step::<BITS, FAST, CHECK, false>(table, tokens);
    }
    while parser.at < parser.end {
        parser.step::<BITS, FAST, true, true>(table, tokens);
    }
    recorder.finish();
}

/// Records of a block whose bytes are all equal, if it is one.
pub(crate) fn parse_constant(block: &[u8], tokens: &mut Tokens) -> bool {
    // Most blocks differ at once.
    if block.len() < 16
        || block[0] != block[block.len() - 1]
        || block[1..] != block[..block.len() - 1]
    {
        return false;
    }
    let mut tokens = tokens.start();
    tokens.push_literals(u32::from(block[0]), 1);
    let mut rest = block.len() - 1;
    while rest > 0 {
        // Not so much that less than a match is left.
        let len = if rest > MAX_MATCH { MAX_MATCH.min(rest - 3) } else { rest };
        tokens.push_match(0, 0, len, 1);
        rest -= len;
    }
    tokens.finish();
    true
}

struct Parser<'a> {
    bytes: &'a Bytes,
    at: usize,
    end: usize,
    window: usize,
    misses: u32,
}

impl Parser<'_> {
    /// One record. `TAIL`: near the end, where matches have to be clipped.
    #[inline(always)]
    fn step<const BITS: u32, const FAST: bool, const CHECK: bool, const TAIL: bool>(
        &mut self,
        table: &mut HashTable,
        tokens: &mut Recorder<'_>,
    ) {
        let from = self.at;
        let here = &self.bytes[from..from + 12];
        let mut found = [(0, 0); 4];
        // Its highest bit says whether there is a match. That is known some cycles before the best one
        // is, and every cycle of these is one more for each branch that was mispredicted.
        let mut any = 0_u64;
        for (j, found) in found.iter_mut().enumerate() {
            let eight = eight(&here[j..j + 8]);
            let position = (from + j) as u16;
            let candidate = if TAIL && from + j >= self.end {
                table.get::<BITS>(eight)
            } else {
                table.exchange::<BITS>(eight, position)
            };
            let mut diff = eight ^ load8(self.bytes, candidate);
            if CHECK {
                diff |= u64::from(usize::from(position.wrapping_sub(candidate)) > self.window);
            }
            if TAIL {
                diff |= u64::from(from + j + 4 > self.end);
            }
            any |= u64::from(diff as u32).wrapping_sub(1);
            *found = (weight(diff) >> (PENALTY * j), (j as u32) << 16 | u32::from(candidate));
        }
        let [a, b, c, d] = found;
        let (weight, place) = heavier(heavier(a, b), heavier(c, d));
        let four = four(&here[..4]);
        if any >> 63 == 0 {
            self.miss::<TAIL>(four, tokens);
            return;
        }
        self.misses = 0;

        let literals = (place >> 16) as usize;
        let candidate = place as u16;
        let start = from + literals;
        let equal = (weight.trailing_zeros() as usize + PENALTY * literals) / 8;
        let mut len = select_unpredictable(equal == 7, self.extend(start as u16, candidate), equal);
        if len == SHORT {
            len = extend_far(self.bytes, start, candidate, self.end);
            for position in (from + STRIDE..start + len).step_by(STRIDE) {
                table.insert::<BITS>(self.bytes, position as u16);
            }
        }
        if TAIL {
            len = len.min(self.end - start);
        }
        self.at = start + len;
        tokens.push_match(four, literals, len, (start as u16).wrapping_sub(candidate));
        if !TAIL && !FAST {
            // The match's last positions; of longer ones the rest stays out. In long blocks each is
            // worth more.
            for back in 1..if BITS == FOUR_BYTES { 4 } else { 5 } {
                table.insert::<BITS>(self.bytes, (self.at - back) as u16);
            }
        }
    }

    /// Four literals, and more at once where nothing was found for long.
    #[inline(always)]
    fn miss<const TAIL: bool>(&mut self, four: u32, tokens: &mut Recorder<'_>) {
        let literals = if TAIL { (self.end - self.at).min(4) } else { 4 };
        tokens.push_literals(four, literals);
        self.at += literals;
        if TAIL {
            return;
        }
        self.misses += 1;
        if self.misses > PATIENCE {
            for _ in 0..(self.misses / PATIENCE).min(16) {
                if self.at + MARGIN > self.end {
                    break;
                }
                let at = self.at;
                tokens.push_literals(input::four(&self.bytes[at..at + 4]), 4);
                self.at += 4;
            }
        }
    }

    /// How many bytes are equal, given that seven are, up to [`SHORT`].
    #[inline(always)]
    fn extend(&self, position: u16, candidate: u16) -> usize {
        let diff = |offset| diff8(self.bytes, position, candidate, offset);
        let (first, second, third) = (diff(7), diff(15), diff(23));
        let (diff, len) = select_unpredictable(second != 0, (second, 15), (third, 23));
        let (diff, len) = select_unpredictable(first != 0, (first, 7), (diff, len));
        len + ((diff | 1 << 63).trailing_zeros() / 8) as usize
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

/// The lowest bit that differs, or the highest of all; 0 if one of the low 32 bits does: no match.
#[inline(always)]
const fn weight(diff: u64) -> u64 {
    let diff = diff | 1 << 63;
    diff & diff.wrapping_neg() & 0xffff_ffff_0000_0000
}

#[inline(always)]
fn heavier(a: (u64, u32), b: (u64, u32)) -> (u64, u32) {
    let second = b.0 > a.0;
    (select_unpredictable(second, b.0, a.0), select_unpredictable(second, b.1, a.1))
}
