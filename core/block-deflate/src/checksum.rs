//! Adler-32 (RFC 1950) and CRC-32 (RFC 1952), and the checksums of concatenated inputs.
//!
//! ```
//! use block_deflate::checksum::{adler32, crc32, crc32_of_both};
//!
//! assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
//! let (first, second) = (b"one piece, ", b"another piece");
//! let both = crc32_of_both(crc32(first), crc32(second), second.len() as u64);
//! assert_eq!(both, crc32(b"one piece, another piece"));
//! ```

/// The largest prime below 2^16.
const ADLER_MODULUS: u32 = 65521;
/// Bytes that can be summed before a reduction is needed.
const ADLER_CHUNK: usize = 5536;
/// The polynomial of CRC-32, lowest bit first.
const POLYNOMIAL: u32 = 0xedb8_8320;
/// Bytes per step.
const SLICES: usize = 16;

/// Returns the Adler-32 of `bytes`.
#[must_use]
pub fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1_u32, 0_u32);
    for chunk in bytes.chunks(ADLER_CHUNK) {
        let mut blocks = chunk.chunks_exact(32);
        for block in &mut blocks {
            let (mut sum, mut weighted) = (0_u32, 0_u32);
            for (i, &byte) in block.iter().enumerate() {
                sum += u32::from(byte);
                weighted += u32::from(byte) * (32 - i as u32);
            }
            b += 32 * a + weighted;
            a += sum;
        }
        for &byte in blocks.remainder() {
            a += u32::from(byte);
            b += a;
        }
        a %= ADLER_MODULUS;
        b %= ADLER_MODULUS;
    }
    b << 16 | a
}

/// Returns the Adler-32 of two concatenated inputs from the Adler-32 of each. `len` is the length
/// of the second in bytes.
#[must_use]
pub const fn adler32_of_both(first: u32, second: u32, len: u64) -> u32 {
    const M: u64 = ADLER_MODULUS as u64;
    let (a1, b1) = (first as u64 & 0xffff, first as u64 >> 16);
    let (a2, b2) = (second as u64 & 0xffff, second as u64 >> 16);
    let a = (a1 + a2 + M - 1) % M;
    let b = (b1 + b2 + (len % M) * (a1 + M - 1)) % M;
    (b << 16 | a) as u32
}

static TABLES: [[u32; 256]; SLICES] = {
    let mut tables = [[0; 256]; SLICES];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][i] = crc;
        i += 1;
    }
    let mut slice = 1;
    while slice < SLICES {
        let mut i = 0;
        while i < 256 {
            let crc = tables[slice - 1][i];
            tables[slice][i] = crc >> 8 ^ tables[0][(crc & 255) as usize];
            i += 1;
        }
        slice += 1;
    }
    tables
};

/// Returns the CRC-32 of `bytes`.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    let mut blocks = bytes.chunks_exact(SLICES);
    for block in &mut blocks {
        let start = crc.to_le_bytes();
        crc = 0;
        for (i, &byte) in block.iter().enumerate() {
            let byte = if i < 4 { byte ^ start[i] } else { byte };
            crc ^= TABLES[SLICES - 1 - i][usize::from(byte)];
        }
    }
    for &byte in blocks.remainder() {
        crc = crc >> 8 ^ TABLES[0][usize::from(crc as u8 ^ byte)];
    }
    !crc
}

/// Returns the CRC-32 of two concatenated inputs from the CRC-32 of each. `len` is the length of
/// the second in bytes.
///
/// Each byte of the second input multiplies the polynomial of the first by x^8. Squaring needs at
/// most 64 steps.
#[must_use]
pub const fn crc32_of_both(first: u32, second: u32, len: u64) -> u32 {
    // x^8, with the highest power in the lowest bit.
    let mut power = 1_u32 << 23;
    let mut product = first;
    let mut left = len;
    while left > 0 {
        if left & 1 == 1 {
            product = multiply(product, power);
        }
        power = multiply(power, power);
        left >>= 1;
    }
    product ^ second
}

/// Returns the product of two polynomials modulo that of CRC-32.
const fn multiply(a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    let mut bit = 1_u32 << 31;
    while bit > 0 {
        if a & bit != 0 {
            product ^= b;
        }
        b = if b & 1 == 1 { b >> 1 ^ POLYNOMIAL } else { b >> 1 };
        bit >>= 1;
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_of_known_texts() {
        assert_eq!(adler32(b""), 1);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn checksums_of_pieces_combine() {
        let bytes: [u8; 3000] = core::array::from_fn(|i| ((i * i) >> 3) as u8);
        for at in [0, 1, 15, 16, 1000, 2999, 3000] {
            let (a, b) = bytes.split_at(at);
            let len = b.len() as u64;
            assert_eq!(adler32_of_both(adler32(a), adler32(b), len), adler32(&bytes));
            assert_eq!(crc32_of_both(crc32(a), crc32(b), len), crc32(&bytes));
        }
        let large = [255; 16_000];
        let (mut a, mut b) = (1, 0);
        for byte in large {
            a = (a + u32::from(byte)) % ADLER_MODULUS;
            b = (b + a) % ADLER_MODULUS;
        }
        assert_eq!(adler32(&large), b << 16 | a);
    }
}
