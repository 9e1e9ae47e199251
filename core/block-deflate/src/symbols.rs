//! Deflate's alphabets: which symbol a length or a distance has, and its extra bits (RFC 1951, 3.2.5).

/// The symbol that ends a block.
pub(crate) const END_OF_BLOCK: usize = 256;
/// The first of the length symbols in the literal and length alphabet.
pub(crate) const FIRST_LENGTH: usize = 257;
/// Room for the literal and length alphabet, whose last two symbols are never used.
pub(crate) const LITERALS: usize = 288;
/// Room for the distance alphabet; also used for the length symbols alone.
pub(crate) const DISTANCES: usize = 32;
/// In a record, from here on there are no literals: a symbol that takes no bits.
pub(crate) const ABSENT: u16 = 256;
/// In a record, the first length symbol.
pub(crate) const LENGTHS: u16 = 512;
/// Room for the symbols of records.
pub(crate) const SYMBOLS: usize = 1024;
/// The longest match.
pub(crate) const MAX_MATCH: usize = 258;

const LENGTH_SYMBOLS: usize = 29;

/// Extra bits of each length symbol, counted from [`FIRST_LENGTH`].
pub(crate) static LENGTH_EXTRA: [u8; DISTANCES] = {
    let mut bits = [0; DISTANCES];
    let mut s = 8;
    while s < LENGTH_SYMBOLS - 1 {
        bits[s] = s as u8 / 4 - 1;
        s += 1;
    }
    bits
};

/// Of each length its symbol in a record, and the extra bits at the top.
pub(crate) static LENGTH_SYMBOL: [u16; 512] = {
    let mut table = [0; 512];
    let mut symbol = 0;
    let mut len = 3;
    while symbol < LENGTH_SYMBOLS - 1 {
        let mut extra = 0;
        while extra < 1 << LENGTH_EXTRA[symbol] && len < MAX_MATCH {
            // Extra bits: at most five.
            table[len] = extra << ((16 - LENGTH_EXTRA[symbol]) % 16) | LENGTHS | symbol as u16;
            len += 1;
            extra += 1;
        }
        symbol += 1;
    }
    table[MAX_MATCH] = LENGTHS | (LENGTH_SYMBOLS as u16 - 1);
    table
};

/// The symbol in what [`LENGTH_SYMBOL`] has.
#[inline(always)]
pub(crate) const fn length_symbol(length: u16) -> usize {
    length as usize % SYMBOLS
}

/// The extra bits in what [`LENGTH_SYMBOL`] has, at the top of 64 bits. Literals have none.
#[inline(always)]
pub(crate) const fn length_extra(length: u16) -> u64 {
    (length as u64 & 0xf800) << 48
}

/// Extra bits of each distance symbol.
pub(crate) static DISTANCE_EXTRA: [u8; DISTANCES] = {
    let mut bits = [0; DISTANCES];
    let mut s = 4;
    while s < 30 {
        bits[s] = s as u8 / 2 - 1;
        s += 1;
    }
    bits
};

/// A distance as records have it: its symbol and its extra bits.
///
/// Symbols grow by two for each doubling, and so do the exponent and the highest bit of the
/// fraction in a floating-point number. The rest of the fraction is the extra bits, highest first.
/// One conversion instead of tables, and without the bit-scan instruction, which is slow where a build
/// can't assume a newer one.
#[inline(always)]
pub(crate) fn distance_bits(distance: u16) -> u32 {
    // Less one, and then a half more, which changes no symbol but the first's; all of it twice.
    let twice = 2 * i32::from(distance) - 1;
    (twice as f32).to_bits()
}

/// The distance of a record without a match: its symbol, 31, is none of the alphabet.
pub(crate) const NO_DISTANCE: u32 = 31 << DISTANCE_SHIFT;

/// Bits of the fraction below the symbol.
const DISTANCE_SHIFT: u32 = 22;

/// The symbol in what [`distance_bits`] gives; of distance 1 it is [`NEAREST`].
#[inline(always)]
pub(crate) const fn distance_symbol(bits: u32) -> usize {
    (bits >> DISTANCE_SHIFT) as usize % DISTANCES
}

/// The extra bits in what [`distance_bits`] gives, at the top of 64 bits. Behind them is the half that
/// was added: see [`half`].
#[inline(always)]
pub(crate) const fn distance_extra(bits: u32) -> u64 {
    (bits as u64) << (64 - DISTANCE_SHIFT)
}

/// What [`distance_extra`] gives behind the extra bits, for each symbol.
pub(crate) const fn half(symbol: usize) -> u64 {
    if symbol < 2 || symbol >= 30 { 0 } else { 1 << (63 - DISTANCE_EXTRA[symbol]) }
}

/// In records, the first distance symbol, which is 0.
pub(crate) const NEAREST: u8 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_have_their_symbols() {
        let mut first = [0_u32; DISTANCES];
        for less_one in 0..32768_u32 {
            let bits = distance_bits(less_one as u16 + 1);
            let symbol = match distance_symbol(bits) {
                30 => 0,
                symbol => symbol,
            };
            // RFC 1951, 3.2.5: two symbols for each power of two.
            let extra = if less_one < 4 { 0 } else { less_one.ilog2() - 1 };
            let expected =
                if less_one < 4 { less_one } else { 2 * (extra + 1) + (less_one >> extra & 1) };
            assert_eq!((symbol as u32, u32::from(DISTANCE_EXTRA[symbol])), (expected, extra));
            if first[symbol] == 0 {
                first[symbol] = less_one + 1;
            }
            let value = u64::from(less_one + 1 - first[symbol]);
            let top = if extra == 0 { 0 } else { value << (64 - extra) };
            assert_eq!(distance_extra(bits) ^ half(symbol), top, "{less_one}");
        }
    }

    #[test]
    fn lengths_have_their_symbols() {
        for (len, symbol, extra) in
            [(3, 0, 0), (10, 7, 0), (12, 8, 1 << 4), (257, 27, 30), (258, 28, 0)]
        {
            let length = LENGTH_SYMBOL[len];
            assert_eq!(length_symbol(length), usize::from(LENGTHS) + symbol);
            assert_eq!(length_extra(length), extra << 59);
        }
        assert_eq!(LENGTH_EXTRA[27], 5);
    }
}
