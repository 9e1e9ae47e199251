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
fn write_records<'a>(codes: &Codes, tokens: &Tokens, mut out: BitWriter<'a>) -> BitWriter<'a> {
    for (quad, length, distance, distance_extra) in tokens.records() {
        // At most four times 14 bits, behind at most seven.
        out.put_four([0, 16, 32, 48].map(|i| codes.literals[(quad >> i) as usize & 511]));
        let length_code = codes.lengths[usize::from(length & 31)];
        let distance_code = codes.distances[usize::from(distance & 31)];
        let length = u64::from(length_code.code) | u64::from(length >> 8) << (length_code.len & 15);
        let distance =
            u64::from(distance_code.code) | u64::from(distance_extra) << (distance_code.len & 15);
        // At most 14 + 5 + 14 + 13 bits.
        let bits = length | distance << (length_code.total & 31);
        let len = u32::from(length_code.total) + u32::from(distance_code.total);
        if out.pending() + len > 63 {
            out.flush();
        }
        out.put(bits, len);
        out.flush();
    }
    out
}
