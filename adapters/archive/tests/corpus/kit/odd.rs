//! Odd values for the fields of a header.

use super::tarball::Field;

/// Returns odd values that fill a whole field, with their names.
pub(crate) fn values(field: Field) -> Vec<(&'static str, Vec<u8>)> {
    let len = field.len;
    let padded = |value: &[u8], padding: u8| {
        let mut value = value[..value.len().min(len)].to_vec();
        value.resize(len, padding);
        value
    };
    let behind = |padding: u8, value: &[u8]| {
        let mut all = vec![padding; len.saturating_sub(value.len())];
        all.extend(&value[value.len() - value.len().min(len)..]);
        all
    };
    let binary = |first: u8, rest: u8, last: u8| {
        let mut value = vec![rest; len];
        value[0] = first;
        if len > 1 {
            value[len - 1] = last;
        }
        value
    };
    vec![
        ("empty", vec![0; len]),
        ("blank", vec![b' '; len]),
        ("nul-padded", padded(b"14", 0)),
        ("space-padded", padded(b"14", b' ')),
        ("leading-spaces", behind(b' ', b"14\0")),
        ("leading-nuls", behind(0, b"14")),
        ("no-terminator", behind(b'0', b"16")),
        ("huge-octal", vec![b'7'; len]),
        ("binary", binary(0x80, 0, 14)),
        ("binary-huge", binary(0x80, 0xff, 0xff)),
        ("binary-negative", binary(0xff, 0xff, 0xfe)),
        ("minus-one", padded(b"-1", 0)),
        ("non-digit", padded(b"12x4", 0)),
        ("non-octal", padded(b"0000089", 0)),
        ("letters", vec![b'z'; len]),
        ("ff", vec![0xff; len]),
        ("dotdot", padded(b"../odd", 0)),
        ("nul-inside", padded(b"1\x002", 0)),
    ]
}
