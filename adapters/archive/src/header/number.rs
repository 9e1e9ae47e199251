//! Numbers in headers.

/// Returns whether a number fits into this many octal digits.
pub(super) const fn fits(number: u64, digits: u32) -> bool {
    number >> (3 * digits) == 0
}

/// Writes octal digits and a NUL or, if they don't fit, GNU's base 256, which nearly all readers
/// support.
pub(super) fn write(field: &mut [u8], number: u64) {
    let digits = field.len() - 1;
    if fits(number, digits as u32) {
        let text = format!("{number:0digits$o}\0");
        field.copy_from_slice(text.as_bytes());
        return;
    }
    field.fill(0);
    let bytes = number.to_be_bytes();
    // The first bit is the mark, so numbers up to 2^63 - 1 fit into a field of 8 bytes.
    let n = bytes.len().min(field.len());
    let at = field.len() - n;
    field[at..].copy_from_slice(&bytes[bytes.len() - n..]);
    field[0] |= 0x80;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_if_they_fit() {
        let mut field = [0xFF; 8];
        write(&mut field, 0o1_234_567);
        assert_eq!(&field, b"1234567\0");
        write(&mut field, 0o10_000_000);
        assert_eq!(field, [0x80, 0, 0, 0, 0, 0x20, 0, 0]);
        let mut field = [0xFF; 12];
        write(&mut field, 1 << 33);
        assert_eq!(field, [0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
    }
}
