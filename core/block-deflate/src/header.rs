//! The header of a block with dynamic codes: the code for code lengths, then the run-length coded
//! lengths (RFC 1951, 3.2.7).

use crate::bits::{BitWriter, entry};
use crate::lengths::{Lengths, MAX_HEADER_CODE};
use crate::symbols::{DISTANCES, LITERALS};

/// Symbols of the code for code lengths.
const SYMBOLS: usize = 19;
/// All lengths, and two zeros after the last.
const ITEMS: usize = LITERALS + DISTANCES + 4;
/// "Repeat the last one 3 to 6 times."
const REPEAT: u32 = 16;
/// "3 to 10 zeros."
const ZEROS: u32 = 17;
/// "11 to 138 zeros."
const MANY_ZEROS: u32 = 18;
/// The order in which the lengths of the code for code lengths are written.
const ORDER: [usize; SYMBOLS] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// A header, ready to be written; rebuilt for each block.
pub(crate) struct Header {
    /// Symbols, with their extra bits at the top.
    items: [u16; ITEMS],
    len: usize,
    literals: usize,
    distances: usize,
    /// The code for code lengths as entries: see [`entry`].
    codes: [u64; 32],
    /// The lengths of its codes.
    lengths: [u8; 32],
    /// Number of lengths written, in [`ORDER`].
    codes_written: usize,
}

/// Extra bits of the symbols.
const EXTRA: [u8; 32] = {
    let mut bits = [0; 32];
    bits[REPEAT as usize] = 2;
    bits[ZEROS as usize] = 3;
    bits[MANY_ZEROS as usize] = 7;
    bits
};

impl Header {
    pub(crate) const fn new() -> Self {
        Self {
            items: [0; ITEMS],
            len: 0,
            literals: 0,
            distances: 0,
            codes: [0; 32],
            lengths: [0; 32],
            codes_written: 0,
        }
    }

    /// Builds the header for these codes and returns its length in bits, without the block's first
    /// three.
    pub(crate) fn make(
        &mut self,
        literals: &Lengths<LITERALS>,
        distances: &Lengths<DISTANCES>,
    ) -> usize {
        let mut runs = Runs { items: &mut self.items, len: 0, last: 0, run: 0 };
        let mut next = 0;
        for (symbol, length) in literals.iter() {
            runs.push(symbol - next, length);
            next = symbol + 1;
        }
        self.literals = next;
        next = 0;
        for (symbol, length) in distances.iter() {
            runs.push(symbol - next, length);
            next = symbol + 1;
        }
        self.distances = next;
        self.len = runs.len;

        let mut counts = [0; 32];
        for &item in &self.items[..self.len] {
            counts[usize::from(item & 31)] += 1;
        }
        self.lengths = [0; 32];
        let mut bits = 0;
        Lengths::new(&counts, MAX_HEADER_CODE).codes(|symbol, code, length| {
            let total = length + u32::from(EXTRA[symbol]);
            self.codes[symbol] = entry(code, total);
            self.lengths[symbol] = length as u8;
            bits += counts[symbol] * total;
        });
        self.codes_written =
            ORDER.iter().rposition(|&s| self.lengths[s] > 0).map_or(4, |i| (i + 1).max(4));
        5 + 5 + 4 + 3 * self.codes_written + bits as usize
    }

    pub(crate) fn write<'a>(&self, mut out: BitWriter<'a>) -> BitWriter<'a> {
        out.put(self.literals as u64 - 257, 5);
        out.put(self.distances as u64 - 1, 5);
        out.put(self.codes_written as u64 - 4, 4);
        out.flush();
        for order in ORDER[..self.codes_written].chunks(16) {
            for &symbol in order {
                out.put(u64::from(self.lengths[symbol]), 3);
            }
            out.flush();
        }
        let mut out = out.into_high();
        let code = |item: u16| self.codes[usize::from(item & 31)] | u64::from(item & 0xfe00) << 48;
        let (threes, rest) = self.items[..self.len].as_chunks();
        for &[a, b, c] in threes {
            out.put_three(code(a), code(b), code(c));
            out.flush();
        }
        for &item in rest {
            out.put_three(code(item), 0, 0);
            out.flush();
        }
        out.into_low()
    }
}

/// Run-length coding with branches only for rare cases. Each length is first stored as itself; a
/// run of equal lengths is replaced by a repeat once it is long enough. Two zeros are always stored
/// before a length and overwritten if there are fewer.
struct Runs<'a> {
    items: &'a mut [u16; ITEMS],
    len: usize,
    last: u8,
    /// How often `last` has been repeated.
    run: usize,
}

impl Runs<'_> {
    /// Adds `zeros` zeros and a length.
    #[inline(always)]
    fn push(&mut self, zeros: usize, length: u8) {
        self.run = if zeros == 0 && length == self.last { self.run + 1 } else { 0 };
        self.last = length;
        let zeros = if zeros < 3 { zeros } else { self.zeros(zeros) };
        let Some(slots) = self.items[self.len..].first_chunk_mut::<3>() else {
            unreachable!("ITEMS items fit");
        };
        *slots = [0; 3];
        slots[zeros] = u16::from(length);
        self.len += zeros + 1;
        if self.run >= 3 {
            self.repeat();
        }
    }

    fn repeat(&mut self) {
        if self.run == 3 {
            self.len -= 2;
            self.items[self.len - 1] = REPEAT as u16;
        } else if self.run <= 6 {
            self.len -= 1;
            self.items[self.len - 1] += 1 << 14;
        } else {
            // The repeat is full: go on as if the length were new.
            self.run = 0;
        }
    }

    /// Adds as many zeros as repeats cover, and returns how many are left.
    fn zeros(&mut self, mut zeros: usize) -> usize {
        while zeros >= 3 {
            let (item, covered) = if zeros >= 11 {
                let covered = zeros.min(138);
                (MANY_ZEROS as u16 | (covered as u16 - 11) << 9, covered)
            } else {
                (ZEROS as u16 | (zeros as u16 - 3) << 13, zeros)
            };
            self.items[self.len] = item;
            self.len += 1;
            zeros -= covered;
        }
        zeros
    }
}
