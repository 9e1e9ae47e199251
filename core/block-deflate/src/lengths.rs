//! Code lengths: how many bits each symbol gets.
//!
//! Huffman's algorithm sorts and builds a tree, which for a block of 4 KiB costs a third of the whole
//! compression. Instead each length is rounded from the symbol's information content: first all are
//! rounded up, which leaves room in the code (Kraft's sum is below 1), then those are rounded down
//! that gain most from it, until the room is used up. What a symbol gains by rounding down, for the
//! room it takes, depends on the fraction alone, so that buckets by fraction take the place of
//! sorting. The result is a complete code within a limit; it costs some 0.1 to 0.2 % more bits.

/// The longest code. Three literals of this length and the rest of a byte must fit `HighWriter`. Longer
/// codes, up to the format's limit of 15 bits, gain nothing.
pub(crate) const MAX_CODE: u32 = 13;
/// The longest code of the code for code lengths.
pub(crate) const MAX_HEADER_CODE: u32 = 7;

/// Kraft's sum of a complete code, with a length of `n` taking `WHOLE >> n`.
const WHOLE: u32 = 1 << 15;
/// Up to here symbols are rare, and all count as often as [`RARELY`]. Fewer different lengths
/// make a shorter header, which gains more than exact lengths for so few: 0.3 % at 4 KiB.
const RARE: u32 = 4;
const RARELY: u32 = 2;
/// Bits of the fraction of logarithms.
const FRACTION: u32 = 10;
/// Buckets of the fraction, as bits.
const BUCKET: u32 = 5;

/// Logarithms to the base 2 of 1 to 2 in steps of 1/256, rounded down.
static LOG2: [u16; 256] = {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        // Bit by bit: squaring the number doubles its logarithm.
        let mut number = (256 + n as u64) << 23;
        let mut bit = FRACTION;
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

/// A logarithm, rounded down: a floating-point number's exponent is its whole part, and the fraction's
/// first eight bits give the rest.
#[inline(always)]
fn log2(n: u32) -> u32 {
    let bits = (n.cast_signed() as f32).to_bits();
    let rest = LOG2[(bits >> 15) as usize % LOG2.len()];
    ((bits >> 23) << FRACTION) + u32::from(rest) - (127 << FRACTION)
}

/// The symbols that occur, in order, with their code lengths.
pub(crate) struct Lengths<const N: usize> {
    symbols: [u16; N],
    bits: [u8; N],
    used: usize,
    /// How many symbols there are of each length.
    counts: [u16; 16],
}

impl<const N: usize> Lengths<N> {
    /// Lengths of at most `max` for symbols that occur so often. There are at least two, since not
    /// all decoders take a code of one.
    pub(crate) fn new(counts: &[u32; N], max: u32) -> Self {
        let mut this = Self { symbols: [0; N], bits: [0; N], used: 0, counts: [0; 16] };
        // In a header itself nothing is rare.
        let rare = if max == MAX_CODE { RARE } else { 0 };
        let mut weights = [0; N];
        let mut total = 0;
        for (weight, &count) in weights.iter_mut().zip(counts) {
            // As signed numbers, which there are vector instructions to compare.
            *weight = match count.cast_signed() {
                0 => 0,
                signed if signed > rare.cast_signed() => count,
                _ => RARELY,
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
        let Self { symbols, bits: lengths, used, counts: of_length } = self;
        let symbols = &symbols[..*used];
        let lengths = &mut lengths[..*used];
        // What is rarer counts as often as this: so no length exceeds the limit.
        let least = total >> (max - 1);
        if least > 1 {
            total = 0;
            for &symbol in symbols {
                let weight = &mut weights[usize::from(symbol)];
                *weight = (*weight).max(least);
                total += *weight;
            }
        }
        // Rounded up, as the others are rounded down: the sum can't exceed the whole.
        let log_total = log2(total) + (1 << FRACTION >> 7);

        let mut ideal = [0_u16; N];
        let mut gains = [0_u32; 1 << BUCKET];
        let mut sum = 0;
        for (ideal, &symbol) in ideal.iter_mut().zip(symbols) {
            let bits = log_total - log2(weights[usize::from(symbol)]);
            *ideal = bits as u16;
            let room = WHOLE >> ((bits >> FRACTION) + 1);
            sum += room;
            gains[bucket(bits as u16)] += room;
        }
        debug_assert!(sum <= WHOLE);
        let mut left = WHOLE - sum;
        let mut buckets = 0;
        while buckets < gains.len() && gains[buckets] <= left {
            left -= gains[buckets];
            buckets += 1;
        }
        for (length, &ideal) in lengths.iter_mut().zip(&ideal) {
            let up = u32::from(ideal >> FRACTION) + 1;
            let bucket = bucket(ideal);
            let room = WHOLE >> up;
            let fits = bucket == buckets && room <= left;
            left -= if fits { room } else { 0 };
            *length = (up - u32::from(fits || bucket < buckets)) as u8;
            of_length[usize::from(*length & 15)] += 1;
        }
        // The room left is a multiple of what the longest code takes: each round uses some.
        while left > 0 {
            for length in &mut *lengths {
                let room = WHOLE >> *length;
                if room <= left && *length > 1 {
                    of_length[usize::from(*length & 15)] -= 1;
                    *length -= 1;
                    of_length[usize::from(*length & 15)] += 1;
                    left -= room;
                    if left == 0 {
                        break;
                    }
                }
            }
        }
    }

    /// Each symbol that occurs and the length of its code.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, u8)> {
        let symbols = self.symbols[..self.used].iter();
        symbols.zip(&self.bits).map(|(&symbol, &length)| (usize::from(symbol), length))
    }

    /// Calls `each` with a symbol, its code and the code's length.
    ///
    /// Codes of the same length follow each other, shorter ones come first (RFC 1951, 3.2.2); they
    /// are written from the highest bit on, so bits are reversed.
    #[inline(always)]
    pub(crate) fn codes(&self, mut each: impl FnMut(usize, u32, u32)) {
        // As fractions of 2^16, so that reversing all 16 bits gives the code.
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
    usize::from(ideal >> (FRACTION - BUCKET)) & ((1 << BUCKET) - 1)
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
            sum += WHOLE >> length;
        }
        assert_eq!(sum, WHOLE);
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
    fn skewed_counts_keep_to_the_limit() {
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
