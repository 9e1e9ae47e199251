//! Writing the records of a block with its codes.
//!
//! Each record is five table lookups, all of which may give zero bits, so that nothing depends on what
//! a record holds. One branch remains, for records that exceed 58 bits; it is hardly ever taken. This
//! loop runs at six instructions a cycle: what counts is how many there are.

use crate::bits::BitWriter;
use crate::codes::Codes;
use crate::symbols::{distance_extra, distance_symbol, length_extra, length_symbol};
use crate::tokens::{Part, Record, Tokens};

/// Writes a part as a block. The writer comes and goes by value, which keeps it in registers.
pub(crate) fn emit<'a>(
    codes: &Codes,
    tokens: &Tokens,
    part: &Part,
    last: bool,
    out: BitWriter<'a>,
) -> BitWriter<'a> {
    let out = codes.write_header(last, out);
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
    for &Record { symbols, distance } in tokens.records(part) {
        // At most three times 13 bits, behind at most seven.
        let literal = |i: usize| codes.symbol(usize::from(symbols[i]));
        out.put_three(literal(0), literal(1), literal(2));
        let length = codes.symbol(length_symbol(symbols[3])) | length_extra(symbols[3]);
        let distance = codes.distance(distance_symbol(distance)) ^ distance_extra(distance);
        out.put_match(length, distance);
        out.flush();
    }
    out.into_low()
}
