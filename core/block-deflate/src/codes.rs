//! The codes of a block, as tables for emission, and the size of the block with them.

use alloc::boxed::Box;
use alloc::vec;

use crate::bits::{BitWriter, entry};
use crate::header::Header;
use crate::lengths::{Lengths, MAX_CODE};
use crate::symbols::{
    DISTANCE_EXTRA, DISTANCES, END_OF_BLOCK, FIRST_LENGTH, LENGTH_EXTRA, LENGTHS, LITERALS,
    NEAREST, SYMBOLS, half,
};
use crate::tokens::Part;

/// Entries for the symbols of records and for distance symbols.
const ENTRIES: usize = SYMBOLS + DISTANCES;

/// Codes of a block: dynamic ones, or the fixed ones of the format.
pub(crate) struct Codes {
    /// For each symbol of a record, the code at the top and its length in the low bits; 0 for
    /// symbols that are absent. A length's extra bits go above its code and count towards the
    /// entry's length.
    ///
    /// From [`SYMBOLS`] on, the same for distance symbols, combined with [`half`] by exclusive or;
    /// 0 for "no match". It is a single array because emission has no register to spare for the
    /// address of a second one.
    entries: Box<[u64; ENTRIES]>,
    end_of_block: u32,
    header: Header,
    /// Whether the codes are the fixed ones of the format.
    fixed: bool,
    /// Length of the whole block in bits.
    bits: usize,
}

impl Codes {
    pub(crate) fn new() -> Self {
        let entries = vec![0; ENTRIES].into_boxed_slice();
        Self {
            entries: entries.try_into().unwrap_or_else(|_| unreachable!("ENTRIES entries")),
            end_of_block: 0,
            header: Header::new(),
            fixed: false,
            bits: 0,
        }
    }

    /// Builds codes for the records of a part. Codes of symbols that don't occur keep their old
    /// values.
    pub(crate) fn make(&mut self, part: &Part, literals: &[u32; LITERALS]) {
        let distances = part.distance_counts();
        let literal_lengths = Lengths::new(literals, MAX_CODE);
        let distance_lengths = Lengths::new(distances, MAX_CODE);
        let header = self.header.make(&literal_lengths, &distance_lengths);
        let literals = self.set_literals(&literal_lengths, literals);
        let distances = self.set_distances(&distance_lengths, distances);
        self.fixed = false;
        self.bits = 3 + header + literals + distances;
    }

    /// Sets the codes of literals and lengths and returns how many bits they take in the block.
    fn set_literals(&mut self, lengths: &Lengths<LITERALS>, counts: &[u32; LITERALS]) -> usize {
        let mut bits = 0;
        lengths.codes(|symbol, code, len| {
            bits += self.set_literal(symbol, code, len) * counts[symbol] as usize;
        });
        bits
    }

    /// Sets the codes of distances and returns how many bits they take in the block.
    fn set_distances(&mut self, lengths: &Lengths<DISTANCES>, counts: &[u32; DISTANCES]) -> usize {
        let mut bits = 0;
        lengths.codes(|symbol, code, len| {
            bits += self.set_distance(symbol, code, len) * counts[symbol] as usize;
        });
        bits
    }

    /// Switches to the fixed codes (RFC 1951, 3.2.6), which need no header; the block has `bits`
    /// bits.
    pub(crate) fn use_fixed(&mut self, bits: usize) {
        for symbol in 0..LITERALS - 2 {
            let (code, len) = fixed_code(symbol);
            self.set_literal(symbol, (code << (16 - len)).reverse_bits() >> 16, len);
        }
        for symbol in 0..30 {
            let code = (symbol as u32).reverse_bits() >> 27;
            self.set_distance(symbol, code, 5);
        }
        self.fixed = true;
        self.bits = bits;
    }

    /// Returns the length of the block in bits with the fixed codes.
    pub(crate) fn fixed_bits(part: &Part, literals: &[u32; LITERALS]) -> usize {
        let mut bits = 3;
        for (symbol, &count) in literals.iter().enumerate() {
            let extra = symbol.checked_sub(FIRST_LENGTH).map_or(0, |s| LENGTH_EXTRA[s]);
            bits += count as usize * (fixed_code(symbol).1 as usize + usize::from(extra));
        }
        for (&count, &extra) in part.distance_counts().iter().zip(&DISTANCE_EXTRA) {
            bits += count as usize * (5 + usize::from(extra));
        }
        bits
    }

    /// Returns the entry for the symbol of a record.
    #[inline(always)]
    pub(crate) const fn symbol(&self, symbol: usize) -> u64 {
        self.entries[symbol]
    }

    /// Returns the entry for a distance symbol.
    #[inline(always)]
    pub(crate) const fn distance(&self, symbol: usize) -> u64 {
        self.entries[SYMBOLS + symbol]
    }

    /// Returns the length of the block in bits, including its first three.
    pub(crate) const fn bits(&self) -> usize {
        self.bits
    }

    #[inline(always)]
    fn set_literal(&mut self, symbol: usize, code: u32, len: u32) -> usize {
        if symbol >= FIRST_LENGTH {
            let total = len + u32::from(LENGTH_EXTRA[symbol - FIRST_LENGTH]);
            self.entries[usize::from(LENGTHS) + symbol - FIRST_LENGTH] = entry(code, total);
            return total as usize;
        }
        if symbol == END_OF_BLOCK {
            self.end_of_block = code << 8 | len;
        } else {
            self.entries[symbol] = entry(code, len);
        }
        len as usize
    }

    #[inline(always)]
    fn set_distance(&mut self, symbol: usize, code: u32, len: u32) -> usize {
        let total = len + u32::from(DISTANCE_EXTRA[symbol]);
        let at = if symbol == 0 { usize::from(NEAREST) } else { symbol };
        self.entries[SYMBOLS + at] = entry(code, total) ^ half(symbol);
        total as usize
    }

    /// Writes the block's first three bits and the header.
    pub(crate) fn write_header<'a>(&self, last: bool, mut out: BitWriter<'a>) -> BitWriter<'a> {
        let kind = if self.fixed { 1 } else { 2 };
        out.put(u64::from(last) | kind << 1, 3);
        out.flush();
        if self.fixed { out } else { self.header.write(out) }
    }

    pub(crate) fn write_end(&self, out: &mut BitWriter<'_>) {
        out.put(u64::from(self.end_of_block >> 8), self.end_of_block & 255);
        out.flush();
    }
}

/// Returns the fixed code of a literal or length symbol, highest bit first, and its length.
const fn fixed_code(symbol: usize) -> (u32, u32) {
    let s = symbol as u32;
    match s {
        0..144 => (0x30 + s, 8),
        144..256 => (0x190 + s - 144, 9),
        256..280 => (s - 256, 7),
        _ => (0xc0 + s - 280, 8),
    }
}
