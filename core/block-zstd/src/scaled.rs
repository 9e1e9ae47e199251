//! Counts scaled to a power of two, and their description (RFC 8878, 4.1.1).

use core::hint::select_unpredictable;

use crate::bits::{BitWriter, Output, entry};
use crate::log2::{FRACTION_BITS, log2};
use crate::symbols::SYMBOLS;

/// The smallest table that can be described.
const MIN_LOG: u32 = 5;
/// The largest table for encoding. Larger ones, up to the format's 9, gain next to nothing.
pub(crate) const MAX_LOG: u32 = 8;

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
            self.counts[largest] = most.wrapping_add_signed(left as i16);
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

    /// Writes the description, which decoders need, at `at`, and returns the position after it.
    ///
    /// Each count takes as few bits as the states left require. Numbers that can't occur at the
    /// upper end save a bit for some at the lower end. After a count of 0, the number of further
    /// zeros follows.
    pub(crate) fn describe(&self, out: &mut Output, at: u32) -> Option<u32> {
        let mut writer = BitWriter::new(at);
        writer.put(entry(self.log - MIN_LOG, 4));
        let counts = &self.counts[..self.symbols];
        let mut left = (1_u32 << self.log) + 1;
        let mut at = 0;
        while at < counts.len() {
            let count = u32::from(counts[at]);
            let bits = left.ilog2() + 1;
            let threshold = 1 << (bits - 1);
            let spare = 2 * threshold - 1 - left;
            let number = count + 1;
            let number = select_unpredictable(number >= threshold, number + spare, number);
            writer.put(entry(number, bits - u32::from(number < spare)));
            writer.flush(out)?;
            left -= count;
            at += 1;
            if count == 0 {
                let zeros = counts[at..].iter().take_while(|&&n| n == 0).count();
                at += zeros;
                for _ in 0..zeros / 3 {
                    writer.put(entry(3, 2));
                    writer.flush(out)?;
                }
                writer.put(entry(zeros as u32 % 3, 2));
            }
        }
        writer.finish(out)
    }

    /// Returns the counts of symbols up to the last one that occurs.
    pub(crate) fn counts(&self) -> &[u16] {
        &self.counts[..self.symbols]
    }

    /// Returns the binary logarithm of their sum.
    pub(crate) const fn log(&self) -> u32 {
        self.log
    }
}
