//! Logarithms.

/// Fractional bits of logarithms.
pub(crate) const FRACTION_BITS: u32 = 10;

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

/// Returns the base-2 logarithm of a number below 2^24, rounded down.
///
/// The exponent of the floating-point number is the integer part; the first eight bits of its
/// fraction determine the rest.
#[inline(always)]
pub(crate) fn log2(n: u32) -> u32 {
    let bits = (n.cast_signed() as f32).to_bits();
    let rest = LOG2[(bits >> 15) as usize % LOG2.len()];
    ((bits >> 23) << FRACTION_BITS) + u32::from(rest) - (127 << FRACTION_BITS)
}
