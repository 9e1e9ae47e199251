//! Writing bits: lowest first, 64 at a time.

/// Writes bits into a slice that has eight bytes to spare.
pub(crate) struct BitWriter<'a> {
    out: &'a mut [u8],
    /// Less than a `usize`, so that the end of what is written needs no check for overflow.
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
    /// Bytes that flushing may write behind the last bit.
    pub(crate) const SPARE: usize = 8;

    /// Writes from the start of `out` on, `bits` first.
    pub(crate) const fn new(out: &'a mut [u8], bits: Bits) -> Self {
        Self { out, at: 0, bits }
    }

    /// Adds bits: together with those since the last flush at most 64, and the last flush may have
    /// left 7.
    #[inline(always)]
    pub(crate) const fn put(&mut self, value: u64, len: u32) {
        self.bits.value |= value << (self.bits.len & 63);
        self.bits.len += len;
    }

    /// Adds four times bits, each given as a value above eight bits of length: at most 56 in all.
    #[inline(always)]
    pub(crate) fn put_four(&mut self, entries: [u32; 4]) {
        let Bits { mut value, len } = self.bits;
        // What is above the low six bits of a shift doesn't count, so lengths are added up with the
        // values above them.
        let mut shift = u64::from(len);
        for entry in entries {
            value |= u64::from(entry >> 8) << (shift & 63);
            shift = shift.wrapping_add(u64::from(entry));
        }
        self.bits = Bits { value, len: shift as u32 % 64 };
    }

    /// Bits since the last flush, and what that left.
    #[inline(always)]
    pub(crate) const fn pending(&self) -> u32 {
        self.bits.len
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

    /// The number of bytes written, and the bits left.
    pub(crate) fn finish(mut self) -> (usize, Bits) {
        self.flush();
        (self.at as usize, self.bits)
    }
}
