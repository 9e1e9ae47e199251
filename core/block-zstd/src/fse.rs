//! FSE: tables for encoding, and the states of encoding (RFC 8878, 4.1).

use crate::bits::BitWriter;
use crate::planes::Plane;
use crate::scaled::{MAX_LOG, Scaled};
use crate::symbols::SYMBOLS;

const MAX_SIZE: usize = 1 << MAX_LOG;

/// How symbols change the state: see [`State::encode`].
pub(crate) type Transitions = [u64; SYMBOLS];

/// Position of a second number in transitions and states.
const SECOND: u32 = 24;

/// Returns the transition of a symbol with `count` states, the first of which has the index
/// `first`.
///
/// The number of bits to write is the sum of the second number and the state, divided by 2^16. The
/// sum of the first number and what is left of the state is the index of the next state, modulo
/// 256.
const fn transition(count: u16, first: u16, log: u32) -> u64 {
    // For counts of 0 and 1 as for 2. Which one it is can't be predicted, so nothing branches.
    let most = log - (count.saturating_sub(1) | 1).ilog2();
    let bits = (most << 16) - ((count as u32) << most);
    (bits as u64) << SECOND | first.wrapping_sub(count) as u64 & 255
}

/// Returns a state as both numbers. States count from the size of the table to twice that.
const fn state(number: usize) -> u64 {
    (number as u64) << SECOND | number as u64
}

/// A table from the format's predefined counts.
pub(crate) struct Predefined {
    pub(crate) transitions: Transitions,
    pub(crate) states: [u64; 64],
    pub(crate) log: u32,
}

impl Predefined {
    /// A count of -1 stands for a count of 1 whose state is at the end.
    pub(crate) const fn new<const N: usize>(counts: [i8; N], log: u32) -> Self {
        let mut table = Self { transitions: [0; SYMBOLS], states: [0; 64], log };
        let size = 1 << log;
        // The symbol of each state.
        let mut symbols = [SYMBOLS; 64];
        let mut end = size;
        let mut symbol = 0;
        while symbol < N {
            if counts[symbol] < 0 {
                end -= 1;
                symbols[end] = symbol;
            }
            symbol += 1;
        }
        let (mut at, mut first) = (0, 0);
        symbol = 0;
        while symbol < N {
            let mut i = 0;
            while i < counts[symbol] {
                symbols[at] = symbol;
                at = (at + step(size)) % size;
                while at >= end {
                    at = (at + step(size)) % size;
                }
                i += 1;
            }
            let count = counts[symbol].unsigned_abs() as u16;
            table.transitions[symbol] = transition(count, first, log);
            let mut position = 0;
            while position < size {
                if symbols[position] == symbol {
                    table.states[first as usize] = state(size + position);
                    first += 1;
                }
                position += 1;
            }
            symbol += 1;
        }
        table
    }
}

/// Builds the table: the symbols' transitions, and their states one symbol after the other.
///
/// Each symbol's states are spread over the table in steps of a fixed length. So the one at
/// position `i` is the symbol number `i / step`, modulo the size.
pub(crate) fn build(scaled: &Scaled, transitions: &mut [u64], states: &mut Plane) {
    let log = scaled.log();
    let size = 1 << log;
    let mut symbols = [0; MAX_SIZE + 8];
    // The first and the last index of each symbol's states that isn't set yet.
    let (mut first, mut last) = ([0_u8; 256], [0_u8; 256]);
    let mut at = 0;
    for (symbol, (&count, to)) in scaled.counts().iter().zip(transitions).enumerate() {
        *to = transition(count, at, log);
        let end = at + count;
        first[symbol % 256] = at as u8;
        last[symbol % 256] = end.wrapping_sub(1) as u8;
        while at < end {
            let to = usize::from(at as u8);
            symbols[to..to + 8].copy_from_slice(&[symbol as u8; 8]);
            at += 8;
        }
        at = end;
    }
    // Repeats the symbols, so that positions need not be taken modulo the size.
    let mut filled = size;
    while filled < MAX_SIZE {
        symbols.copy_within(..filled, filled);
        filled *= 2;
    }
    // From both ends, so that fewer states of the same symbol wait for each other.
    let reciprocal = reciprocal(step(size)) as u8;
    let (mut up, mut down) = (0_u8, reciprocal.wrapping_neg());
    let (mut low, mut high) = (state(size), state(2 * size - 1));
    while low < high {
        let slot = &mut first[usize::from(symbols[usize::from(up)])];
        states[usize::from(*slot)] = low;
        *slot = slot.wrapping_add(1);
        let slot = &mut last[usize::from(symbols[usize::from(down)])];
        states[usize::from(*slot)] = high;
        *slot = slot.wrapping_sub(1);
        up = up.wrapping_add(reciprocal);
        down = down.wrapping_sub(reciprocal);
        low += state(1);
        high -= state(1);
    }
}

/// A state of encoding.
#[derive(Clone, Copy)]
pub(crate) struct State(u64);

impl State {
    /// Returns the state after the last symbol, with which encoding starts. Of the possible ones,
    /// it is the one that takes most bits later, so that the symbol itself takes none.
    pub(crate) fn start(transition: u64, states: &Plane) -> Self {
        let bits = (transition >> SECOND) as u32;
        let len = (bits + (1 << 15)) >> 16;
        let left = (len << 16).wrapping_sub(bits) >> len;
        Self(states[usize::from((left as u8).wrapping_add(transition as u8))])
    }

    /// Encodes a symbol that comes before those so far.
    ///
    /// Adding the transition and the state adds both pairs of numbers. Rotating the state puts the
    /// bits to write at the top, and what is left at the bottom; the second number is below all
    /// bits that count if there are at most [`MAX_PENDING`] of them.
    #[inline(always)]
    pub(crate) fn encode(&mut self, transition: u64, states: &Plane, out: &mut BitWriter) {
        let len = transition.wrapping_add(self.0) >> (SECOND + 16);
        let parts = self.0.rotate_right(len as u32);
        out.put_top(parts, len);
        self.0 = states[usize::from((parts as u8).wrapping_add(transition as u8))];
    }

    /// Writes the state, with which decoding starts. The table has `1 << log` states.
    #[inline(always)]
    pub(crate) fn finish(self, log: u32, out: &mut BitWriter) {
        out.put_top(self.0.rotate_right(log), u64::from(log));
    }
}

/// The most bits after a flush and several symbols. The second number of a state takes one more bit
/// than the largest table.
pub(crate) const MAX_PENDING: u32 = 64 - SECOND - MAX_LOG - 1;

/// Returns the distance between the states of a symbol.
const fn step(size: usize) -> usize {
    (size >> 1) + (size >> 3) + 3
}

/// Returns the number whose product with an odd number is 1, modulo 2^12. Each round doubles the
/// number of right bits.
const fn reciprocal(odd: usize) -> usize {
    let three_bits = odd;
    let six_bits = three_bits.wrapping_mul(2_usize.wrapping_sub(odd.wrapping_mul(three_bits)));
    six_bits.wrapping_mul(2_usize.wrapping_sub(odd.wrapping_mul(six_bits)))
}
