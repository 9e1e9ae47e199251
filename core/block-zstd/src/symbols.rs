//! The format's alphabets: the symbols of literal lengths, match lengths and offsets, and their
//! extra bits (RFC 8878, 3.1.1.3.2.1.1).

/// Size of the alphabets, rounded up.
pub(crate) const SYMBOLS: usize = 64;
/// Symbols of literal lengths, match lengths and offsets that exist. Blocks have no larger offsets.
pub(crate) const LITERAL_LENGTHS: usize = 36;
pub(crate) const MATCH_LENGTHS: usize = 53;
pub(crate) const OFFSETS: usize = 18;
/// The shortest match.
pub(crate) const MIN_MATCH: u32 = 3;

/// Position of the literal length's symbol in [`Symbol::meta`].
pub(crate) const LITERAL_LENGTH_AT: u32 = 8;
/// Position of the match length's symbol.
pub(crate) const MATCH_LENGTH_AT: u32 = 16;
/// Position of the offset's symbol.
pub(crate) const OFFSET_AT: u32 = 24;

/// A symbol, or those of a sequence together, and the extra bits.
///
/// Adding two of a different kind in `meta` joins them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Symbol {
    /// The extra bits at the top, zeros below.
    pub(crate) bits: u64,
    /// The number of extra bits in the lowest byte, a symbol of each kind in the others.
    pub(crate) meta: u32,
}

impl Symbol {
    const fn new(bits: u32, len: u32, symbol: u32, at: u32) -> Self {
        Self { bits: (bits as u64) << ((64 - len) & 63), meta: len | symbol << at }
    }

    /// Joins the symbols of a sequence. Extra bits of offsets are highest, since decoders read
    /// backwards.
    #[inline(always)]
    pub(crate) const fn join(literal_length: Self, match_length: Self, offset: Self) -> Self {
        let lengths = literal_length.bits >> (match_length.meta & 63) | match_length.bits;
        let meta = literal_length.meta.wrapping_add(match_length.meta).wrapping_add(offset.meta);
        Self { bits: lengths >> (offset.meta & 63) | offset.bits, meta }
    }

    /// Returns the number of extra bits: at most 16 + 16 + 17.
    #[inline(always)]
    pub(crate) const fn extra_bits(self) -> u32 {
        self.meta & 255
    }

    #[inline(always)]
    pub(crate) const fn literal_length(self) -> usize {
        (self.meta >> LITERAL_LENGTH_AT) as usize % SYMBOLS
    }

    #[inline(always)]
    pub(crate) const fn match_length(self) -> usize {
        (self.meta >> MATCH_LENGTH_AT) as usize % SYMBOLS
    }

    #[inline(always)]
    pub(crate) const fn offset(self) -> usize {
        (self.meta >> OFFSET_AT) as usize % SYMBOLS
    }
}

/// Returns the symbols of the values below `N`, if `extra` are the symbols' extra bits.
const fn table<const N: usize, const S: usize>(extra: [u8; S], at: u32) -> [Symbol; N] {
    let mut table = [Symbol { bits: 0, meta: 0 }; N];
    let (mut value, mut symbol) = (0, 0);
    while value < N {
        let len = extra[symbol] as u32;
        let mut bits = 0;
        while bits < 1 << len && value < N {
            table[value] = Symbol::new(bits, len, symbol as u32, at);
            value += 1;
            bits += 1;
        }
        symbol += 1;
    }
    table
}

const SHORT_LITERALS: usize = 64;
const SHORT_MATCHES: usize = 128;

/// Symbols of short literal lengths.
static LITERAL_LENGTH: [Symbol; SHORT_LITERALS] = table(
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4],
    LITERAL_LENGTH_AT,
);

/// Symbols of short match lengths, less the shortest one.
static MATCH_LENGTH: [Symbol; SHORT_MATCHES] = table(
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5,
    ],
    MATCH_LENGTH_AT,
);

/// Returns the symbol of a number of literals below 2^17.
#[inline(always)]
pub(crate) fn literal_length(len: u32) -> Symbol {
    match LITERAL_LENGTH.get(len as usize) {
        Some(&symbol) => symbol,
        None => long(len, 19, LITERAL_LENGTH_AT),
    }
}

/// Returns the symbol of a match length, at least 3.
#[inline(always)]
pub(crate) fn match_length(len: u32) -> Symbol {
    let len = len - MIN_MATCH;
    match MATCH_LENGTH.get(len as usize) {
        Some(&symbol) => symbol,
        None => long(len, 36, MATCH_LENGTH_AT),
    }
}

/// Returns the symbol of a long length: there is one for each power of two, counted from `first`.
#[cold]
const fn long(len: u32, first: u32, at: u32) -> Symbol {
    let bits = len.ilog2();
    Symbol::new(len - (1 << bits), bits, first + bits, at)
}

/// Returns the symbol of an offset's number, below 2^23.
///
/// The symbol is the number's binary logarithm, which is a floating-point number's exponent, and
/// the extra bits are the fraction.
#[inline(always)]
pub(crate) fn offset(number: u32) -> Symbol {
    // Twice the number, so that the exponent is 128 more than the symbol.
    let float = ((2 * number).cast_signed() as f32).to_bits();
    let exponent = float >> 23;
    let meta = (exponent | exponent << OFFSET_AT).wrapping_sub(128 | 128 << OFFSET_AT);
    Symbol { bits: u64::from(float) << 41, meta }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// Checks all symbols against the RFC's tables: first value and extra bits of each symbol.
    fn check(
        symbols: impl Iterator<Item = (u32, Symbol)>,
        table: &[(u32, u32)],
        of: fn(Symbol) -> usize,
    ) {
        let mut expected = 0;
        for (value, symbol) in symbols {
            if table.get(expected + 1).is_some_and(|next| next.0 == value) {
                expected += 1;
            }
            let (first, len) = table[expected];
            assert_eq!((of(symbol), symbol.extra_bits()), (expected, len), "{value}");
            let bits = if len == 0 { 0 } else { symbol.bits >> (64 - len) };
            assert_eq!(first + bits as u32, value);
            assert_eq!(symbol.bits << len, 0);
        }
    }

    #[test]
    fn literal_lengths_have_the_symbols_of_the_format() {
        let mut table: Vec<_> = (0..16).map(|n| (n, 0)).collect();
        table.extend([(16, 1), (18, 1), (20, 1), (22, 1), (24, 2), (28, 2), (32, 3), (40, 3)]);
        table.extend([(48, 4), (64, 6)]);
        table.extend((7..17).map(|n| (1 << n, n)));
        assert_eq!(table.len(), LITERAL_LENGTHS);
        check((0..1 << 17).map(|n| (n, literal_length(n))), &table, Symbol::literal_length);
    }

    #[test]
    fn match_lengths_have_the_symbols_of_the_format() {
        let mut table: Vec<_> = (3..35).map(|n| (n, 0)).collect();
        table.extend([(35, 1), (37, 1), (39, 1), (41, 1), (43, 2), (47, 2), (51, 3), (59, 3)]);
        table.extend([(67, 4), (83, 4), (99, 5)]);
        table.extend((7..17).map(|n| (3 + (1 << n), n)));
        assert_eq!(table.len(), MATCH_LENGTHS);
        check((3..1 << 17).map(|n| (n, match_length(n))), &table, Symbol::match_length);
    }

    #[test]
    fn offsets_have_the_symbols_of_the_format() {
        let table: Vec<_> = (0..OFFSETS as u32).map(|n| (1 << n, n)).collect();
        check((1..(1 << 17) + 4).map(|n| (n, offset(n))), &table, Symbol::offset);
    }

    #[test]
    fn extra_bits_are_joined_in_the_order_of_the_format() {
        let joined = Symbol::join(literal_length(70), match_length(3 + 33), offset(11));
        assert_eq!(joined.literal_length(), 25);
        assert_eq!(joined.match_length(), 32);
        assert_eq!(joined.offset(), 3);
        assert_eq!(joined.extra_bits(), 6 + 1 + 3);
        // From the lowest: 70 - 64, 33 - 32, 11 - 8.
        assert_eq!(joined.bits >> 54, 6 | 1 << 6 | 3 << 7);
    }
}
