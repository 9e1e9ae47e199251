//! FSE: counts scaled to a power of two, their description, and the tables for encoding (RFC 8878,
//! 4.1).

use crate::bits::{BitWriter, entry};
use crate::log2::{FRACTION_BITS, log2};
use crate::symbols::SYMBOLS;

/// The smallest table that can be described.
pub(crate) const MIN_LOG: u32 = 5;
/// The largest table for encoding.
pub(crate) const MAX_LOG: u32 = 9;
const MAX_SIZE: usize = 1 << MAX_LOG;

/// Counts that sum up to the size of a table.
pub(crate) struct Scaled {
    counts: [u16; SYMBOLS],
    /// The number of symbols up to the last one that occurs.
    symbols: usize,
    log: u32,
}

impl Scaled {
    pub(crate) const fn new() -> Self {
        Self { counts: [0; SYMBOLS], symbols: 0, log: 0 }
    }

    /// Scales counts, of which at least two aren't 0. All sum up to `total`, below 2^24.
    ///
    /// Chooses a table of at most `1 << max_log` states: few states for few symbols, since more
    /// would take longer to describe than they save.
    pub(crate) fn make(&mut self, counts: &[u32; SYMBOLS], total: u32, max_log: u32) {
        self.symbols = counts.iter().rposition(|&n| n > 0).map_or(0, |last| last + 1);
        // Enough for each symbol that may occur.
        let least = (self.symbols.ilog2() + 2).min(total.ilog2() + 1);
        self.log = (total - 1).ilog2().saturating_sub(2).min(max_log).max(least).max(MIN_LOG);

        let size = 1_u32 << self.log;
        // Fractions of 2^32 of a state.
        let step = (1 << 32) * u64::from(size) / u64::from(total);
        let mut left = size.cast_signed();
        let (mut largest, mut most) = (0, 0);
        let counts = &counts[..self.symbols];
        for (symbol, (scaled, &count)) in self.counts.iter_mut().zip(counts).enumerate() {
            let exact = u64::from(count) * step;
            let rounded = ((exact + (1 << 31)) >> 32) as u16;
            *scaled = rounded.max(u16::from(count > 0));
            left -= i32::from(*scaled);
            if *scaled > most {
                (largest, most) = (symbol, *scaled);
            }
        }
        if left < 0 && i32::from(most) < -4 * left {
            self.shrink(-left);
        } else {
            self.counts[largest] = (i32::from(most) + left) as u16;
        }
    }

    /// Takes `excess` states from the symbols with most of them.
    #[cold]
    fn shrink(&mut self, excess: i32) {
        for _ in 0..excess {
            if let Some(largest) = self.counts[..self.symbols].iter_mut().max() {
                *largest -= 1;
            }
        }
    }

    /// Returns the bits that symbols take which occur this often, as a fraction of
    /// `1 << FRACTION_BITS`.
    pub(crate) fn cost(&self, counts: &[u32; SYMBOLS]) -> u32 {
        let one = self.log << FRACTION_BITS;
        let pairs = self.counts[..self.symbols].iter().zip(counts);
        pairs.map(|(&scaled, &count)| count * (one - log2(u32::from(scaled).max(1)))).sum()
    }

    /// Writes the description, which decoders need.
    ///
    /// Each count takes as few bits as the states left require. Numbers that can't occur at the
    /// upper end save a bit for some at the lower end. After a count of 0, the number of further
    /// zeros follows.
    pub(crate) fn describe(&self, out: &mut BitWriter<'_>) -> Option<()> {
        out.put(entry(self.log - MIN_LOG, 4));
        let counts = &self.counts[..self.symbols];
        let mut left = (1_u32 << self.log) + 1;
        let mut at = 0;
        while at < counts.len() {
            let count = u32::from(counts[at]);
            let bits = left.ilog2() + 1;
            let threshold = 1 << (bits - 1);
            let spare = 2 * threshold - 1 - left;
            let mut number = count + 1;
            if number >= threshold {
                number += spare;
            }
            out.put(entry(number, bits - u32::from(number < spare)));
            out.flush()?;
            left -= count;
            at += 1;
            if count == 0 {
                let zeros = counts[at..].iter().take_while(|&&n| n == 0).count();
                at += zeros;
                for _ in 0..zeros / 3 {
                    out.put(entry(3, 2));
                    out.flush()?;
                }
                out.put(entry(zeros as u32 % 3, 2));
            }
        }
        Some(())
    }
}

/// How a symbol changes the state. States count from the size of the table to twice that.
#[derive(Clone, Copy)]
struct Transition {
    /// The number of bits to write is the sum of this and the state, divided by 2^16.
    bits: u32,
    /// What is left of the state, and this, is the index of the next one.
    base: u32,
}

impl Transition {
    /// Returns the transition of a symbol with `count` states, the first of which is at `first`.
    const fn new(count: u16, first: u16, log: u32) -> Self {
        let most = match count {
            0 | 1 => log,
            count => log - (count - 1).ilog2(),
        };
        Self {
            bits: (most << 16) - ((count as u32) << most),
            base: (first as u32).wrapping_sub(count as u32),
        }
    }
}

/// A table for encoding.
pub(crate) struct Table {
    transitions: [Transition; SYMBOLS],
    /// For each symbol, its states.
    next: [u16; MAX_SIZE],
    log: u32,
}

impl Table {
    pub(crate) const fn new() -> Self {
        let none = Transition { bits: 0, base: 0 };
        Self { transitions: [none; SYMBOLS], next: [0; MAX_SIZE], log: 0 }
    }

    /// Returns a table from the format's predefined counts, where -1 stands for a count of 1 whose
    /// state is at the end.
    pub(crate) const fn predefined<const N: usize>(counts: [i8; N], log: u32) -> Self {
        let mut table = Self::new();
        table.log = log;
        let size = 1 << log;
        // The symbol of each state.
        let mut states = [SYMBOLS; MAX_SIZE];
        let mut end = size;
        let mut symbol = 0;
        while symbol < N {
            if counts[symbol] < 0 {
                end -= 1;
                states[end] = symbol;
            }
            symbol += 1;
        }
        let (mut at, mut first) = (0, 0);
        symbol = 0;
        while symbol < N {
            let mut i = 0;
            while i < counts[symbol] {
                states[at] = symbol;
                at = (at + step(size)) % size;
                while at >= end {
                    at = (at + step(size)) % size;
                }
                i += 1;
            }
            let count = counts[symbol].unsigned_abs() as u16;
            table.transitions[symbol] = Transition::new(count, first, log);
            let mut state = 0;
            while state < size {
                if states[state] == symbol {
                    table.next[first as usize] = (size + state) as u16;
                    first += 1;
                }
                state += 1;
            }
            symbol += 1;
        }
        table
    }

    /// Builds the table for scaled counts.
    ///
    /// Each symbol's states are spread over the table in steps of a fixed length. So the one at
    /// position `i` is the symbol number `i / step`, modulo the size.
    pub(crate) fn build(&mut self, scaled: &Scaled) {
        let log = scaled.log;
        self.log = log;
        let mut symbols = [0; MAX_SIZE + 8];
        let mut next = [0_u16; SYMBOLS];
        let mut first = 0;
        for (symbol, &count) in scaled.counts[..scaled.symbols].iter().enumerate() {
            next[symbol] = first;
            self.transitions[symbol] = Transition::new(count, first, log);
            let (from, to) = (usize::from(first), usize::from(first + count));
            for at in (from..to).step_by(8) {
                symbols[at..at + 8].copy_from_slice(&[symbol as u8; 8]);
            }
            first += count;
        }
        let size = 1 << log;
        let reciprocal = reciprocal(step(size));
        let mut at = 0_usize;
        for state in size..2 * size {
            let slot = &mut next[usize::from(symbols[at % size % MAX_SIZE]) % SYMBOLS];
            self.next[usize::from(*slot) % MAX_SIZE] = state as u16;
            *slot += 1;
            at = at.wrapping_add(reciprocal);
        }
    }

    /// Makes this a table for one symbol alone, which takes no bits.
    pub(crate) const fn set_single(&mut self, symbol: usize) {
        self.log = 0;
        self.transitions[symbol % SYMBOLS] = Transition { bits: 0, base: 0 };
        self.next[0] = 0;
    }

    /// Returns the state after the last symbol, with which encoding starts. Of the possible ones,
    /// it is the one that takes most bits later, so that the symbol itself takes none.
    pub(crate) fn start(&self, symbol: usize) -> State {
        let Transition { bits, base } = self.transitions[symbol % SYMBOLS];
        let len = (bits + (1 << 15)) >> 16;
        let state = (len << 16).wrapping_sub(bits) >> len;
        State(u64::from(self.next[state.wrapping_add(base) as usize % MAX_SIZE]))
    }
}

/// A state of encoding.
#[derive(Clone, Copy)]
pub(crate) struct State(u64);

impl State {
    /// Encodes a symbol that comes before those so far.
    #[inline(always)]
    pub(crate) fn encode(&mut self, table: &Table, symbol: usize, out: &mut BitWriter<'_>) {
        let Transition { bits, base } = table.transitions[symbol % SYMBOLS];
        let len = (bits.wrapping_add(self.0 as u32)) >> 16;
        // The bits to write are at the top, and what is left of the state at the bottom.
        let parts = self.0.rotate_right(len);
        out.put_top(parts, len);
        let next = (parts as u32).wrapping_add(base) as usize % MAX_SIZE;
        self.0 = u64::from(table.next[next]);
    }

    /// Writes the state, with which decoding starts.
    #[inline(always)]
    pub(crate) fn finish(self, table: &Table, out: &mut BitWriter<'_>) {
        out.put_top(self.0.rotate_right(table.log), table.log);
    }
}

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
