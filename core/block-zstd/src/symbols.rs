//! The format's alphabets: the symbols of literal lengths, match lengths and offsets, and their
//! extra bits (RFC 8878, 3.1.1.3.2.1.1).
//!
//! Almost all lengths are *short*: such a length itself is an index into tables, which saves a
//! lookup of its symbol. Symbols of longer lengths have indices after those.

use crate::bits::entry;

/// Size of the alphabets, rounded up.
pub(crate) const SYMBOLS: usize = 64;
/// The shortest match.
pub(crate) const MIN_MATCH: u32 = 3;
/// Literal lengths below this are short.
const SHORT_LITERALS: usize = 64;
/// Match lengths below this and [`MIN_MATCH`] are short.
const SHORT_MATCHES: usize = 128;
/// Sequences with lengths that aren't both short have at least as many bytes.
pub(crate) const MIN_LONG: usize = SHORT_LITERALS;
/// The most extra bits of two short lengths.
pub(crate) const MAX_SHORT_EXTRA: u32 = 4 + 5;
/// The most extra bits of an offset.
pub(crate) const MAX_OFFSET_EXTRA: u32 = 17;

/// For each index of a literal length, its symbol.
pub(crate) static LITERAL_SYMBOLS: [u8; SHORT_LITERALS + 11] = symbols(&LITERAL_EXTRA);
/// For each index of a match length, its symbol.
pub(crate) static MATCH_SYMBOLS: [u8; SHORT_MATCHES + 10] = symbols(&MATCH_EXTRA);

/// For each index of a short literal length, its extra bits.
pub(crate) static SHORT_LITERALS_EXTRA: [u64; SHORT_LITERALS] = extra(&LITERAL_EXTRA);
/// For each index of a short match length, its extra bits.
pub(crate) static SHORT_MATCHES_EXTRA: [u64; SHORT_MATCHES] = extra(&MATCH_EXTRA);

/// Numbers of extra bits of the symbols of short literal lengths.
const LITERAL_EXTRA: [u8; 25] =
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4];

/// Numbers of extra bits of the symbols of short match lengths.
const MATCH_EXTRA: [u8; 43] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5,
];

const fn symbols<const N: usize>(extra_bits: &[u8]) -> [u8; N] {
    let mut symbols = [0; N];
    let (mut at, mut symbol) = (0, 0);
    while at < N {
        let values = if symbol < extra_bits.len() { 1 << extra_bits[symbol] } else { 1 };
        let end = at + values;
        while at < end {
            symbols[at] = symbol as u8;
            at += 1;
        }
        symbol += 1;
    }
    symbols
}

const fn extra<const N: usize>(extra_bits: &[u8]) -> [u64; N] {
    let mut extra = [0; N];
    let (mut at, mut symbol) = (0, 0);
    while symbol < extra_bits.len() {
        let len = extra_bits[symbol] as u32;
        let mut bits = 0;
        while bits < 1 << len {
            extra[at] = entry(bits, len);
            at += 1;
            bits += 1;
        }
        symbol += 1;
    }
    extra
}

/// The lengths of literals and of a match, as indices.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lengths {
    pub(crate) literals: u8,
    pub(crate) match_len: u8,
}

impl Lengths {
    /// Returns the indices of lengths, at least [`MIN_MATCH`] for the match, if both are short.
    #[inline(always)]
    pub(crate) const fn short(literals: u32, match_len: u32) -> Option<Self> {
        let match_len = match_len.wrapping_sub(MIN_MATCH);
        if literals < SHORT_LITERALS as u32 && match_len < SHORT_MATCHES as u32 {
            Some(Self { literals: literals as u8, match_len: match_len as u8 })
        } else {
            None
        }
    }

    /// Returns the indices of any lengths, and their extra bits as entries (see [`entry`]).
    #[cold]
    pub(crate) fn any(literals: u32, match_len: u32) -> (Self, [u64; 2]) {
        let (literals, literals_extra) = index(&SHORT_LITERALS_EXTRA, literals);
        let (match_len, match_extra) = index(&SHORT_MATCHES_EXTRA, match_len - MIN_MATCH);
        (Self { literals, match_len }, [literals_extra, match_extra])
    }
}

/// Returns the index of a length and its extra bits. There is one index for each power of two that
/// isn't short.
fn index<const N: usize>(extra: &[u64; N], len: u32) -> (u8, u64) {
    if let Some(&extra) = extra.get(len as usize) {
        return (len as u8, extra);
    }
    let bits = len.ilog2();
    ((N as u32 + bits - N.ilog2()) as u8, entry(len - (1 << bits), bits))
}

/// An offset as a floating-point number.
///
/// The symbol is the binary logarithm of the offset's number, which is the exponent, and the extra
/// bits are the fraction.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Offset(u32);

impl Offset {
    /// The exponent of 1, whose symbol is 0.
    pub(crate) const FIRST: usize = 127;

    /// Converts the number that stands for an offset, below 2^23.
    #[inline(always)]
    pub(crate) fn new(number: u32) -> Self {
        Self((number.cast_signed() as f32).to_bits())
    }

    /// Returns the exponent, which is [`Self::FIRST`] and the symbol, and below 512.
    #[inline(always)]
    pub(crate) const fn exponent(self) -> usize {
        (self.0 >> 23) as usize
    }

    #[inline(always)]
    pub(crate) const fn symbol(self) -> u8 {
        self.exponent().wrapping_sub(Self::FIRST) as u8
    }

    /// Returns the extra bits at the top. Their number is the symbol.
    #[inline(always)]
    pub(crate) const fn extra(self) -> u64 {
        (self.0 as u64) << 41
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// Checks all symbols against the RFC's tables: first value and extra bits of each symbol.
    fn check(symbols: impl Iterator<Item = (u32, u8, u64)>, table: &[(u32, u32)]) {
        let mut expected = 0;
        for (value, symbol, extra) in symbols {
            if table.get(expected + 1).is_some_and(|next| next.0 == value) {
                expected += 1;
            }
            let (first, len) = table[expected];
            assert_eq!(usize::from(symbol), expected, "{value}");
            assert_eq!(extra, entry(value - first, len), "{value}");
        }
    }

    #[test]
    fn literal_lengths_have_the_symbols_of_the_format() {
        let mut table: Vec<_> = (0..16).map(|n| (n, 0)).collect();
        table.extend([(16, 1), (18, 1), (20, 1), (22, 1), (24, 2), (28, 2), (32, 3), (40, 3)]);
        table.extend([(48, 4), (64, 6)]);
        table.extend((7..17).map(|n| (1 << n, n)));
        assert_eq!(table.len(), 36);
        let symbols = |n| {
            let (lengths, [extra, _]) = Lengths::any(n, MIN_MATCH);
            if let Some(short) = Lengths::short(n, MIN_MATCH) {
                assert_eq!(short.literals, lengths.literals);
            }
            (n, LITERAL_SYMBOLS[usize::from(lengths.literals)], extra)
        };
        check((0..1 << 17).map(symbols), &table);
    }

    #[test]
    fn match_lengths_have_the_symbols_of_the_format() {
        let mut table: Vec<_> = (3..35).map(|n| (n, 0)).collect();
        table.extend([(35, 1), (37, 1), (39, 1), (41, 1), (43, 2), (47, 2), (51, 3), (59, 3)]);
        table.extend([(67, 4), (83, 4), (99, 5)]);
        table.extend((7..17).map(|n| (3 + (1 << n), n)));
        assert_eq!(table.len(), 53);
        let symbols = |n| {
            let (lengths, [_, extra]) = Lengths::any(0, n);
            if let Some(short) = Lengths::short(0, n) {
                assert_eq!(short.match_len, lengths.match_len);
            }
            (n, MATCH_SYMBOLS[usize::from(lengths.match_len)], extra)
        };
        check((3..1 << 17).map(symbols), &table);
    }

    #[test]
    fn offsets_have_the_symbols_of_the_format() {
        let table: Vec<_> = (0..18).map(|n| (1 << n, n)).collect();
        let symbols = |n| {
            let offset = Offset::new(n);
            let symbol = offset.symbol();
            (n, symbol, offset.extra() | u64::from(symbol))
        };
        check((1..(1 << 17) + 4).map(symbols), &table);
    }
}
