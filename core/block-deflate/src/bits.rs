//! Writes bits, lowest first, 64 at a time.

use crate::lengths::{MAX_CODE, MAX_HEADER_CODE};

/// Writes bits into a slice with [`Self::SPARE`] bytes to spare.
pub(crate) struct BitWriter<'a> {
    out: &'a mut [u8],
    /// Smaller than `usize`, so that `at + 8` needs no check for overflow.
    at: u32,
    bits: Bits,
}

/// Bits that don't fill a byte yet.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bits {
    pub(crate) value: u64,
    pub(crate) len: u32,
}

impl<'a> BitWriter<'a> {
    /// Bytes that flushing may write after the last bit.
    pub(crate) const SPARE: usize = 8;

    /// Returns a writer at the start of `out`, which writes `bits` first.
    pub(crate) const fn new(out: &'a mut [u8], bits: Bits) -> Self {
        Self { out, at: 0, bits }
    }

    /// Adds bits: at most 64 including the pending ones, of which a flush leaves up to 7.
    #[inline(always)]
    pub(crate) const fn put(&mut self, value: u64, len: u32) {
        self.bits.value |= value << (self.bits.len & 63);
        self.bits.len += len;
    }

    /// Converts to a [`HighWriter`], which is faster for many codes.
    #[inline(always)]
    pub(crate) fn into_high(self) -> HighWriter<'a> {
        let Bits { value, len } = self.bits;
        HighWriter {
            out: self.out,
            at: self.at,
            value: (value << 1) << (63 - len),
            len: u64::from(len),
        }
    }

    /// Writes whole bytes.
    #[inline(always)]
    pub(crate) fn flush(&mut self) {
        let at = self.at as usize;
        self.out[at..at + 8].copy_from_slice(&self.bits.value.to_le_bytes());
        self.at += self.bits.len >> 3;
        self.bits.value >>= self.bits.len / 8 * 8;
        self.bits.len %= 8;
    }

    /// Returns the number of bytes written, and the remaining bits.
    pub(crate) fn finish(mut self) -> (usize, Bits) {
        self.flush();
        (self.at as usize, self.bits)
    }
}

/// A [`BitWriter`] that keeps the bits since the last flush at the top of its value, the last one
/// highest.
///
/// Adding a code shifts the value right and sets the code at the top. Codes come as entries: the
/// code at the top, its length in the lowest bits, nothing else in the low 32 bits. Bits of the
/// value below those since the last flush are meaningless, so lengths may stay there as long as the
/// bits don't reach down to them.
pub(crate) struct HighWriter<'a> {
    out: &'a mut [u8],
    at: u32,
    value: u64,
    /// In the low 32 bits; those above are meaningless until [`Self::flush`].
    len: u64,
}

/// The most bits since the last flush. Lengths of entries, and their sums, take six.
const MAX_PENDING_BITS: u32 = 64 - 6;
const _: () = assert!(
    3 * MAX_CODE + 7 <= MAX_PENDING_BITS && 3 * (MAX_HEADER_CODE + 7) + 7 <= MAX_PENDING_BITS
);

impl<'a> HighWriter<'a> {
    /// Adds three entries, which must fit. Adding them together leaves only one dependency on the
    /// bits before.
    #[inline(always)]
    pub(crate) const fn put_three(&mut self, first: u64, second: u64, third: u64) {
        let two = first >> (second & 63) | second;
        let three = two >> (third & 63) | third;
        self.put(three, first.wrapping_add(second).wrapping_add(third));
    }

    /// Adds a length and a distance with their extra bits.
    #[inline(always)]
    pub(crate) fn put_match(&mut self, length: u64, distance: u64) {
        let len = length.wrapping_add(distance);
        // At most 13 + 5 + 13 + 13 bits, which is too much after some literals.
        if self.len as u32 + len as u32 > MAX_PENDING_BITS {
            self.flush();
        }
        self.put(length >> (distance & 63) | distance, len);
    }

    /// Adds the bits at the top of `entries`; their number is in the low bits of `len`.
    #[inline(always)]
    const fn put(&mut self, entries: u64, len: u64) {
        self.value = self.value >> (len & 63) | entries;
        self.len = self.len.wrapping_add(len);
    }

    /// Writes whole bytes.
    #[inline(always)]
    pub(crate) fn flush(&mut self) {
        let at = self.at as usize;
        let low = self.value >> (self.len.wrapping_neg() & 63);
        self.out[at..at + 8].copy_from_slice(&low.to_le_bytes());
        self.at += self.len as u32 >> 3;
        self.len &= 7;
    }

    /// Converts back to a [`BitWriter`].
    #[inline(always)]
    pub(crate) const fn into_low(self) -> BitWriter<'a> {
        let len = self.len as u32 & 7;
        let value = (self.value >> 1) >> (63 - len);
        BitWriter { out: self.out, at: self.at, bits: Bits { value, len } }
    }
}

/// Packs a code into an entry for [`HighWriter`]. `total` is the length of the code and of the
/// extra bits above it.
#[inline(always)]
pub(crate) const fn entry(code: u32, total: u32) -> u64 {
    (code as u64).rotate_right(total) | total as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Writes three codes and a match at a time, as in records. Most codes have the maximum
        /// length.
        #[test]
        fn both_writers_write_the_same(
            records in proptest::collection::vec(
                (any::<[u16; 3]>(), any::<[u8; 3]>(), any::<u64>(), 0_u32..45), 1..200),
        ) {
            let mut low_bytes = [0; 4096];
            let mut high_bytes = [0; 4096];
            let mut low = BitWriter::new(&mut low_bytes, Bits { value: 5, len: 3 });
            let mut high = BitWriter::new(&mut high_bytes, Bits { value: 5, len: 3 }).into_high();
            for (codes, lens, bits, len) in records {
                let [a, b, c] = core::array::from_fn(|i| {
                    let len = if lens[i] < 200 { MAX_CODE } else { u32::from(lens[i]) % MAX_CODE };
                    let code = u64::from(codes[i]) & ((1 << len) - 1);
                    low.put(code, len);
                    entry(code as u32, len)
                });
                low.flush();
                high.put_three(a, b, c);
                let bits = bits & ((1 << len) - 1);
                low.put(bits, len);
                low.flush();
                let first = len / 2;
                let (low_bits, high_bits) = (bits & ((1 << first) - 1), bits >> first);
                high.put_match(entry(low_bits as u32, first), entry(high_bits as u32, len - first));
                high.flush();
            }
            let (len, rest) = low.finish();
            let (high_len, high_rest) = high.into_low().finish();
            prop_assert_eq!(len, high_len);
            prop_assert_eq!((rest.value, rest.len), (high_rest.value, high_rest.len));
            prop_assert!(low_bytes[..len] == high_bytes[..len]);
        }
    }
}
