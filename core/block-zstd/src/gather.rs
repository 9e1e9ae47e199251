//! Checks the sequences and gathers the literals, in one pass.

use alloc::boxed::Box;
use alloc::vec;

use crate::frame::MAX_BLOCK_LEN;
use crate::offsets::RepeatOffsets;
use crate::source::{Located, Source};
use crate::symbols::MIN_MATCH;

/// Bytes that are copied or compared at a time. Few runs of literals and few matches are longer.
const WIDE: usize = 32;

/// The literals of a block, and bytes after them that may be overwritten.
type Padded = [u8; MAX_BLOCK_LEN + WIDE];

/// Gathers literals.
pub(crate) struct Gatherer {
    literals: Box<Padded>,
    len: usize,
}

impl Gatherer {
    pub(crate) fn new() -> Self {
        let literals = vec![0; MAX_BLOCK_LEN + WIDE].into_boxed_slice();
        let literals = literals.try_into().unwrap_or_else(|_| unreachable!("as long as the array"));
        Self { literals, len: 0 }
    }

    /// Returns the literals gathered last.
    pub(crate) fn literals(&self) -> &[u8] {
        &self.literals[..self.len]
    }

    /// Gathers the literals of `src`, at most [`MAX_BLOCK_LEN`] bytes. Returns `None` if the
    /// sequences don't describe it; the literals are meaningless then. `last` are the offsets
    /// before `src`.
    pub(crate) fn gather<S: Source>(
        &mut self,
        src: &[u8],
        sequences: S,
        last: RepeatOffsets,
    ) -> Option<()> {
        let to = &mut *self.literals;
        let Progress { next, mut at, mut len, mut last } = gather_wide(src, sequences, last, to)?;
        for i in next..sequences.len() {
            let Located { literals, match_base, offset } = sequences.located(i, &mut last);
            let match_len = match_base.checked_add(MIN_MATCH)?;
            let (before, rest) = src.split_at(at);
            let (literals, rest) = rest.split_at_checked(literals as usize)?;
            let copy = rest.get(..match_len as usize)?;
            let start = before.len() + literals.len();
            let from = start.checked_sub(offset as usize)?;
            if offset == 0 || *copy != src[from..from + copy.len()] {
                return None;
            }
            to[len..len + literals.len()].copy_from_slice(literals);
            len += literals.len();
            at = start + copy.len();
        }
        let literals = &src[at..];
        to[len..len + literals.len()].copy_from_slice(literals);
        self.len = len + literals.len();
        Some(())
    }
}

/// How far gathering has come.
struct Progress {
    /// Index of the next sequence.
    next: usize,
    /// Position in the source.
    at: usize,
    /// Number of literals.
    len: usize,
    /// The last offsets.
    last: RepeatOffsets,
}

/// Checks sequences and gathers literals as long as there are [`WIDE`] bytes after each sequence,
/// so that copies and comparisons may be of more bytes than needed.
#[inline(never)]
fn gather_wide<S: Source>(
    src: &[u8],
    sequences: S,
    mut last: RepeatOffsets,
    to: &mut Padded,
) -> Option<Progress> {
    // Smaller than `usize`, so that sums don't overflow.
    let (mut at, mut len) = (0_u32, 0_u32);
    let mut next = 0;
    // A check of its own: of one range, the compiler would not remember both ends.
    if src.len() > MAX_BLOCK_LEN {
        return None;
    }
    let Some(limit) = src.len().checked_sub(WIDE + MIN_MATCH as usize) else {
        return Some(Progress { next, at: 0, len: 0, last });
    };
    // All bits where a match differs from what it repeats, in two halves for vector instructions.
    let mut different = [0; 2];
    while next < sequences.len() {
        let mut now = last;
        let Located { literals, match_base, offset } = sequences.located(next, &mut now);
        let start = u64::from(at) + u64::from(literals);
        let end_base = start + u64::from(match_base);
        let before = start.wrapping_sub(u64::from(offset));
        // From here on the compiler knows that all positions are within the source.
        if end_base > limit as u64 {
            break;
        }
        if before >= start {
            return None;
        }
        let end = end_base + u64::from(MIN_MATCH);
        let (from, start, end, before) =
            (at as usize, start as usize, end as usize, before as usize);
        // There are always fewer literals than that.
        let to_at = len as usize % MAX_BLOCK_LEN;
        if literals <= WIDE as u32 {
            to[to_at..to_at + WIDE].copy_from_slice(&src[from..from + WIDE]);
        } else {
            to[to_at..to_at + (start - from)].copy_from_slice(&src[from..start]);
        }
        let mut compare = |a: usize, b: usize, mask: [u64; 2]| {
            let (a, b) = (sixteen(src, a), sixteen(src, b));
            different[0] |= (a[0] ^ b[0]) & mask[0];
            different[1] |= (a[1] ^ b[1]) & mask[1];
        };
        if let Some(mask) = MASKS.get(match_base as usize) {
            compare(start, before, [mask[0], mask[1]]);
            compare(start + 16, before + 16, [mask[2], mask[3]]);
        } else {
            compare(start, before, [u64::MAX; 2]);
            let same = src[start..end] == src[before..before + (end - start)];
            different[0] |= u64::from(!same);
        }
        len += literals;
        at = end as u32;
        last = now;
        next += 1;
    }
    let progress = Progress { next, at: at as usize, len: len as usize, last };
    (different == [0; 2]).then_some(progress)
}

/// For each length of a match of up to [`WIDE`] bytes, less [`MIN_MATCH`], its bytes.
static MASKS: [[u64; 4]; WIDE + 1 - MIN_MATCH as usize] = {
    let mut masks = [[0; 4]; WIDE + 1 - MIN_MATCH as usize];
    let mut base = 0;
    while base < masks.len() {
        let len = base + MIN_MATCH as usize;
        let mut i = 0;
        while i < 4 {
            masks[base][i] = match len.saturating_sub(8 * i) {
                0 => 0,
                bytes @ 1..8 => (1 << (8 * bytes)) - 1,
                _ => u64::MAX,
            };
            i += 1;
        }
        base += 1;
    }
    masks
};

/// Returns sixteen bytes as two numbers.
#[inline(always)]
fn sixteen(bytes: &[u8], at: usize) -> [u64; 2] {
    let (low, high) = bytes[at..at + 16].split_at(8);
    [low, high].map(|half| u64::from_le_bytes(half.try_into().expect("eight bytes")))
}
