//! Code lengths: how many bits each symbol gets.
//!
//! Huffman's algorithm sorts and builds a tree, which for a block of 4 KiB takes a third of the
//! whole compression time. Instead, lengths are rounded from the symbols' information content. All
//! are rounded up first, which leaves code space (Kraft's sum is below 1). Then those that gain
//! most are rounded down until that space is used up. The gain per unit of space depends on the
//! fraction alone, so buckets by fraction replace sorting. The result is a complete code within the
//! limit. It takes some 0.1 to 0.2 % more bits than Huffman's.

/// The longest code. Three literals of this length and the rest of a byte must fit `HighWriter`.
/// Longer codes, up to the format's limit of 15 bits, gain nothing.
pub(crate) const MAX_CODE: u32 = 13;
/// The longest code in the code for code lengths.
pub(crate) const MAX_HEADER_CODE: u32 = 7;

/// Kraft's sum of a complete code, to which a code of `n` bits adds `KRAFT_ONE >> n`.
const KRAFT_ONE: u32 = 1 << 15;
/// Symbols that occur at most this often are rare, and all count as [`RARE_ASSUMED_COUNT`]. Fewer
/// different lengths make a shorter header, which gains more than exact lengths for rare symbols:
/// 0.3 % at 4 KiB.
const RARE_MAX_COUNT: u32 = 4;
const RARE_ASSUMED_COUNT: u32 = 2;
/// Fractional bits of logarithms.
const FRACTION_BITS: u32 = 10;
/// Leading bits of the fraction that select a bucket.
const BUCKET_BITS: u32 = 5;

/// Base-2 logarithms of 1 to 2 in steps of 1/256, rounded down.
static LOG2: [u16; 256] = {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        // Bit by bit: squaring the number doubles its logarithm.
        let mut number = (256 + n as u64) << 23;
        let mut bit = FRACTION_BITS;
        while bit > 0 {
            bit -= 1;
            number = (number * number) >> 31;
            if number >= 1 << 32 {
                number >>= 1;
                table[n] |= 1 << bit;
            }
        }
        n += 1;
    }
    table
};

/// Returns the base-2 logarithm, rounded down. The exponent of the floating-point number is the
/// integer part; the first eight bits of its fraction determine the rest.
#[inline(always)]
fn log2(n: u32) -> u32 {
    let bits = (n.cast_signed() as f32).to_bits();
    let rest = LOG2[(bits >> 15) as usize % LOG2.len()];
    ((bits >> 23) << FRACTION_BITS) + u32::from(rest) - (127 << FRACTION_BITS)
}

/// The symbols that occur, in order, with their code lengths.
pub(crate) struct Lengths<const N: usize> {
    symbols: [u16; N],
    bits: [u8; N],
    used: usize,
    /// The number of symbols per length.
    counts: [u16; 16],
}

impl<const N: usize> Lengths<N> {
    /// Returns lengths of at most `max` bits for symbols that occur `counts` times. At least two
    /// symbols get a code, since some decoders reject a code with one symbol.
    pub(crate) fn new(counts: &[u32; N], max: u32) -> Self {
        let mut this = Self { symbols: [0; N], bits: [0; N], used: 0, counts: [0; 16] };
        // In the code for code lengths no symbol is rare.
        let rare = if max == MAX_CODE { RARE_MAX_COUNT } else { 0 };
        let mut weights = [0; N];
        let mut total = 0;
        for (weight, &count) in weights.iter_mut().zip(counts) {
            // Signed numbers have vector instructions for comparison.
            *weight = match count.cast_signed() {
                0 => 0,
                signed if signed > rare.cast_signed() => count,
                _ => RARE_ASSUMED_COUNT,
            };
            total += *weight;
        }
        let mut used = 0;
        for (i, eight) in counts.chunks_exact(8).enumerate() {
            if *eight == [0; 8] {
                continue;
            }
            for (j, &count) in eight.iter().enumerate() {
                this.symbols[used] = (8 * i + j) as u16;
                used += usize::from(count > 0);
            }
        }
        this.used = used;
        if this.used < 2 {
            let one = if this.used == 1 { this.symbols[0] } else { 0 };
            this.symbols[..2].copy_from_slice(&[0, one.max(1)]);
            this.bits[..2].fill(1);
            this.used = 2;
            this.counts[1] = 2;
            return this;
        }
        this.assign(&mut weights, total, max);
        this
    }

    fn assign(&mut self, weights: &mut [u32; N], mut total: u32, max: u32) {
        let Self { symbols, bits: lengths, used, counts: by_length } = self;
        let symbols = &symbols[..*used];
        let lengths = &mut lengths[..*used];
        // Raises rarer symbols to this weight, so that no length exceeds the limit.
        let least = total >> (max - 1);
        if least > 1 {
            total = 0;
            for &symbol in symbols {
                let weight = &mut weights[usize::from(symbol)];
                *weight = (*weight).max(least);
                total += *weight;
            }
        }
        // This logarithm is rounded up and the others down, so that the sum can't exceed
        // `KRAFT_ONE`.
        let log_total = log2(total) + (1 << FRACTION_BITS >> 7);

        let mut ideal = [0_u16; N];
        let mut gains = [0_u32; 1 << BUCKET_BITS];
        let mut sum = 0;
        for (ideal, &symbol) in ideal.iter_mut().zip(symbols) {
            let bits = log_total - log2(weights[usize::from(symbol)]);
            *ideal = bits as u16;
            let space = KRAFT_ONE >> ((bits >> FRACTION_BITS) + 1);
            sum += space;
            gains[bucket(bits as u16)] += space;
        }
        debug_assert!(sum <= KRAFT_ONE);
        let mut left = KRAFT_ONE - sum;
        let mut buckets = 0;
        while buckets < gains.len() && gains[buckets] <= left {
            left -= gains[buckets];
            buckets += 1;
        }
        for (length, &ideal) in lengths.iter_mut().zip(&ideal) {
            let up = u32::from(ideal >> FRACTION_BITS) + 1;
            let bucket = bucket(ideal);
            let space = KRAFT_ONE >> up;
            let fits = bucket == buckets && space <= left;
            left -= if fits { space } else { 0 };
            *length = (up - u32::from(fits || bucket < buckets)) as u8;
            by_length[usize::from(*length & 15)] += 1;
        }
        // The space left is a multiple of the longest code's space, so each round uses some of it.
        while left > 0 {
            for length in &mut *lengths {
                let space = KRAFT_ONE >> *length;
                if space <= left && *length > 1 {
                    by_length[usize::from(*length & 15)] -= 1;
                    *length -= 1;
                    by_length[usize::from(*length & 15)] += 1;
                    left -= space;
                    if left == 0 {
                        break;
                    }
                }
            }
        }
    }

    /// Iterates over the symbols that occur and the lengths of their codes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, u8)> {
        let symbols = self.symbols[..self.used].iter();
        symbols.zip(&self.bits).map(|(&symbol, &length)| (usize::from(symbol), length))
    }

    /// Calls `each` with every symbol, its code and the code's length.
    ///
    /// Codes of the same length are consecutive, shorter ones come first (RFC 1951, 3.2.2). Their
    /// bits are reversed, since codes are written starting with the highest bit.
    #[inline(always)]
    pub(crate) fn codes(&self, mut each: impl FnMut(usize, u32, u32)) {
        // As fractions of 2^16, so that reversing all 16 bits yields the code.
        let mut next = [0_u16; 16];
        let mut at = 0_u16;
        for (length, (next, count)) in next.iter_mut().zip(self.counts).enumerate().skip(1) {
            *next = at;
            at = at.wrapping_add(count << (16 - length));
        }
        for (symbol, length) in self.iter() {
            let slot = &mut next[usize::from(length & 15)];
            let code = *slot;
            *slot = code.wrapping_add((1_u32 << (16 - length)) as u16);
            each(symbol, reverse(code), u32::from(length));
        }
    }
}

#[inline(always)]
fn bucket(ideal: u16) -> usize {
    usize::from(ideal >> (FRACTION_BITS - BUCKET_BITS)) & ((1 << BUCKET_BITS) - 1)
}

#[inline(always)]
fn reverse(code: u16) -> u32 {
    const REVERSED: [u8; 256] = {
        let mut table = [0; 256];
        let mut i = 0;
        while i < 256 {
            table[i] = (i as u8).reverse_bits();
            i += 1;
        }
        table
    };
    let [low, high] = code.to_le_bytes();
    u32::from(REVERSED[usize::from(low)]) << 8 | u32::from(REVERSED[usize::from(high)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check<const N: usize>(counts: &[u32; N], max: u32) {
        let lengths = Lengths::new(counts, max);
        let mut sum = 0;
        for (symbol, length) in lengths.iter() {
            assert!((1..=max).contains(&u32::from(length)), "{symbol} has {length} bits");
            sum += KRAFT_ONE >> length;
        }
        assert_eq!(sum, KRAFT_ONE);
        for (symbol, &count) in counts.iter().enumerate() {
            assert!(count == 0 || lengths.iter().any(|(s, _)| s == symbol), "{symbol}");
        }
    }

    proptest! {
        #[test]
        fn codes_are_complete_and_within_the_limit(
            bits in proptest::collection::vec(0_u32..17, 288),
            values in proptest::collection::vec(any::<u32>(), 288),
        ) {
            let mut counts = [0; 288];
            for (i, count) in counts.iter_mut().enumerate() {
                *count = values[i] & ((1 << bits[i]) - 1) >> 7;
            }
            check(&counts, MAX_CODE);
            let few: [u32; 32] = core::array::from_fn(|i| if i < 19 { counts[i] >> 3 } else { 0 });
            check(&few, MAX_HEADER_CODE);
        }
    }

    #[test]
    fn skewed_counts_stay_within_the_limit() {
        let mut counts = [1; 288];
        counts[7] = 70_000;
        check(&counts, MAX_CODE);
        let mut fibonacci = [0; 32];
        fibonacci[..2].fill(1);
        for i in 2..19 {
            fibonacci[i] = fibonacci[i - 1] + fibonacci[i - 2];
        }
        check(&fibonacci, MAX_HEADER_CODE);
        check(&[0; 32], MAX_CODE);
        let mut one = [0; 32];
        one[5] = 9;
        check(&one, MAX_CODE);
    }
}
