//! Writing the records of a block with its codes.
//!
//! Each record is four table lookups for its literals and two for its match, all of which may give
//! zero bits, so that nothing depends on what a record holds. One branch remains, for records that
//! exceed 64 bits; it is hardly ever taken. This loop runs at five instructions a cycle.

use crate::bits::BitWriter;
use crate::codes::Codes;
use crate::tokens::Tokens;

/// Writes a whole block. The writer comes and goes by value, which keeps it in registers.
pub(crate) fn emit<'a>(
    codes: &Codes,
    tokens: &Tokens,
    last: bool,
    mut out: BitWriter<'a>,
) -> BitWriter<'a> {
    codes.write_header(last, &mut out);
    let mut out = write_records(codes, tokens, out);
    codes.write_end(&mut out);
    out
}

#[inline(never)]
fn write_records<'a>(codes: &Codes, tokens: &Tokens, out: BitWriter<'a>) -> BitWriter<'a> {
    let mut out = out.into_high();
    for (quad, length, distance, distance_extra) in tokens.records() {
        // At most four times 13 bits, behind at most seven.
        let [a, b, c, d] = quad.map(|literal| codes.literals[usize::from(literal) & 511]);
        out.put_literals(a, b);
        out.put_literals(c, d);
        let length_code = codes.lengths[usize::from(length & 31)];
        let distance_code = codes.distances[usize::from(distance & 31)];
        let length = u64::from(length_code.code) | u64::from(length >> 8) << (length_code.len & 63);
        let distance =
            u64::from(distance_code.code) | u64::from(distance_extra) << (distance_code.len & 63);
        // At most 13 + 5 + 13 + 13 bits.
        let bits = length | distance << (length_code.total & 63);
        let len = u32::from(length_code.total) + u32::from(distance_code.total);
        if out.pending() + len > 63 {
            out.flush();
        }
        out.put(bits, len);
        out.flush();
    }
    out.into_low()
}
