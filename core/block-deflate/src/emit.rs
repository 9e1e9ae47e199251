//! Writes the records of a block with its codes.
//!
//! A record takes five table lookups. Any of them may yield zero bits, so no branch depends on the
//! content of a record. One branch remains, for records of more than 58 bits; it is hardly ever
//! taken. The loop runs at six instructions per cycle, so its speed depends on the number of
//! instructions.

use crate::bits::BitWriter;
use crate::codes::Codes;
use crate::symbols::{distance_extra, distance_symbol, length_extra, length_symbol};
use crate::tokens::{Part, Record, Tokens};

/// Writes a part as a block. The writer is passed by value, which keeps it in registers.
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
        // At most 3 * 13 bits, after at most 7.
        let literal = |i: usize| codes.symbol(usize::from(symbols[i]));
        out.put_three(literal(0), literal(1), literal(2));
        let length = codes.symbol(length_symbol(symbols[3])) | length_extra(symbols[3]);
        let distance = codes.distance(distance_symbol(distance)) ^ distance_extra(distance);
        out.put_match(length, distance);
        out.flush();
    }
    out.into_low()
}
