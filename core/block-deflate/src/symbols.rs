//! Deflate's alphabets: the symbols of lengths and distances, and their extra bits (RFC 1951,
//! 3.2.5).

/// The symbol that ends a block.
pub(crate) const END_OF_BLOCK: usize = 256;
/// The first of the length symbols in the literal and length alphabet.
pub(crate) const FIRST_LENGTH: usize = 257;
/// Size of the literal and length alphabet, whose last two symbols are never used.
pub(crate) const LITERALS: usize = 288;
/// Size of the distance alphabet; also used for the length symbols alone.
pub(crate) const DISTANCES: usize = 32;
/// In a record, symbols from here up to [`LENGTHS`] stand for absent literals and take no bits.
pub(crate) const ABSENT: u16 = 256;
/// In a record, the first length symbol.
pub(crate) const LENGTHS: u16 = 512;
/// Number of symbols of records.
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

/// For each length, its symbol in a record, with the extra bits at the top.
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

/// Returns the symbol of an item of [`LENGTH_SYMBOL`].
#[inline(always)]
pub(crate) const fn length_symbol(length: u16) -> usize {
    length as usize % SYMBOLS
}

/// Returns the extra bits of an item of [`LENGTH_SYMBOL`], at the top of 64 bits. Literals have
/// none.
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

/// Returns the symbol and the extra bits of a distance, in the form that records use.
///
/// The symbol grows by two with each doubling of the distance. So do the exponent and the highest
/// bit of the fraction of a floating-point number, read as one integer. The rest of the fraction is
/// the extra bits, highest first. This takes one conversion instead of tables, and no bit-scan
/// instruction, which is slow in builds for older processors.
#[inline(always)]
pub(crate) fn distance_bits(distance: u16) -> u32 {
    // Twice (distance - 1 + 1/2). The half changes only the first symbol.
    let twice = 2 * i32::from(distance) - 1;
    (twice as f32).to_bits()
}

/// The distance of a record without a match. Its symbol, 31, isn't in the alphabet.
pub(crate) const NO_DISTANCE: u32 = 31 << DISTANCE_SHIFT;

/// Bits of the fraction below the symbol.
const DISTANCE_SHIFT: u32 = 22;

/// Returns the symbol in a result of [`distance_bits`]; [`NEAREST`] for a distance of 1.
#[inline(always)]
pub(crate) const fn distance_symbol(bits: u32) -> usize {
    (bits >> DISTANCE_SHIFT) as usize % DISTANCES
}

/// Returns the extra bits in a result of [`distance_bits`], at the top of 64 bits. The half that
/// was added follows them: see [`half`].
#[inline(always)]
pub(crate) const fn distance_extra(bits: u32) -> u64 {
    (bits as u64) << (64 - DISTANCE_SHIFT)
}

/// Returns, for each symbol, the bits that follow the extra bits in a result of [`distance_extra`].
pub(crate) const fn half(symbol: usize) -> u64 {
    if symbol < 2 || symbol >= 30 { 0 } else { 1 << (63 - DISTANCE_EXTRA[symbol]) }
}

/// In records, the symbol for a distance of 1, which is 0 in the alphabet.
pub(crate) const NEAREST: u8 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_map_to_their_symbols() {
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
    fn lengths_map_to_their_symbols() {
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
