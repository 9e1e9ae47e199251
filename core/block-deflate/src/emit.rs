//! Writing the records of a block with its codes.
//!
//! Each record is four table lookups for its literals and two for its match, all of which may give
//! zero bits, so that nothing depends on what a record holds. One branch remains, for records that
//! exceed 58 bits; it is hardly ever taken. This loop runs at five to six instructions a cycle.

use crate::bits::BitWriter;
use crate::codes::Codes;
use crate::symbols::{DISTANCES, distance_extra, distance_symbol, length_extra};
use crate::tokens::{Part, Tokens};

/// Writes a part as a block. The writer comes and goes by value, which keeps it in registers.
pub(crate) fn emit<'a>(
    codes: &Codes,
    tokens: &Tokens,
    part: &Part,
    last: bool,
    mut out: BitWriter<'a>,
) -> BitWriter<'a> {
    codes.write_header(last, &mut out);
    let mut out = write_records(codes, tokens, part, out);
    codes.write_end(&mut out);
    out
}

#[inline(never)]
fn write_records<'a>(
    codes: &Codes,
    tokens: &Tokens,
    part: &Part,
    out: BitWriter<'a>,
) -> BitWriter<'a> {
    let mut out = out.into_high();
    for (quad, length, distance) in tokens.records(part) {
        // At most four times 13 bits, behind at most seven.
        let literal = |i: usize| codes.literals[usize::from(quad[i])];
        out.put_literals(literal(0), literal(1));
        out.put_literals(literal(2), literal(3));
        let length = codes.lengths[usize::from(length) % DISTANCES] | length_extra(length);
        let distance = codes.distances[distance_symbol(distance)] ^ distance_extra(distance);
        out.put_match(length, distance);
        out.flush();
    }
    out.into_low()
}
