//! Deflate's alphabets: which symbol a length or a distance has, and its extra bits (RFC 1951, 3.2.5).

/// The symbol that ends a block.
pub(crate) const END_OF_BLOCK: usize = 256;
/// The first of the length symbols in the literal and length alphabet.
pub(crate) const FIRST_LENGTH: usize = 257;
/// Room for the literal and length alphabet, whose last two symbols are never used.
pub(crate) const LITERALS: usize = 288;
/// Room for the distance alphabet; also used for the length symbols alone.
pub(crate) const DISTANCES: usize = 32;
/// In a record's length or distance: there is no match. Not a symbol of either alphabet.
pub(crate) const NO_MATCH: u8 = 31;
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

/// Of each length its symbol, counted from [`FIRST_LENGTH`], and above eight bits the value of the
/// extra bits.
pub(crate) static LENGTH_SYMBOL: [u16; 512] = {
    let mut table = [0; 512];
    let mut symbol = 0;
    let mut len = 3;
    while symbol < LENGTH_SYMBOLS - 1 {
        let mut extra = 0;
        while extra < 1 << LENGTH_EXTRA[symbol] && len < MAX_MATCH {
            table[len] = extra << 8 | symbol as u16;
            len += 1;
            extra += 1;
        }
        symbol += 1;
    }
    table[MAX_MATCH] = LENGTH_SYMBOLS as u16 - 1;
    table
};

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

/// The smallest distance of each symbol, less one.
pub(crate) static DISTANCE_BASE: [u16; DISTANCES] = {
    let mut base = [0; DISTANCES];
    let mut s = 0;
    while s < 30 {
        base[s] = if s < 4 { s as u16 } else { (2 + (s as u16 & 1)) << (s / 2 - 1) };
        s += 1;
    }
    base
};

/// The symbol of a distance; of 1 it is [`NEAREST`].
///
/// Symbols grow by two for each doubling, and so do the exponent and the highest bit of the
/// fraction in a floating-point number: one conversion instead of a table of 512, and without the
/// bit-scan instruction, which is slow where a build can't assume a newer one.
#[inline(always)]
pub(crate) fn distance_symbol(distance: u16) -> u8 {
    // Less one, and then a half more, which changes no symbol but the first's; all of it twice.
    let twice = 2 * i32::from(distance) - 1;
    ((twice as f32).to_bits() >> 22) as u8 & (DISTANCES as u8 - 1)
}

/// In records, the first distance symbol, which is 0.
pub(crate) const NEAREST: u8 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_have_their_symbols() {
        for less_one in 0..32768_u16 {
            let symbol = match distance_symbol(less_one + 1) {
                NEAREST => 0,
                symbol => usize::from(symbol),
            };
            let value = less_one - DISTANCE_BASE[symbol];
            assert!(symbol < 30 && u32::from(value) < 1 << DISTANCE_EXTRA[symbol], "{less_one}");
        }
    }

    #[test]
    fn lengths_have_their_symbols() {
        assert_eq!(LENGTH_SYMBOL[3], 0);
        assert_eq!(LENGTH_SYMBOL[10], 7);
        assert_eq!(LENGTH_SYMBOL[12], (1 << 8) + 8);
        assert_eq!(LENGTH_SYMBOL[257], (30 << 8) + 27);
        assert_eq!(LENGTH_SYMBOL[258], 28);
        assert_eq!(LENGTH_EXTRA[27], 5);
    }
}
