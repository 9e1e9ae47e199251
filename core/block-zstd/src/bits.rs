//! Writes bits, lowest first, 64 at a time.

use crate::frame::MAX_BLOCK_LEN;

/// Where a block is made. It is longer than the longest block that is of any use, since streams
/// that are written at the same time start apart.
pub(crate) const OUTPUT_LEN: usize = MAX_BLOCK_LEN * 3 / 2;
/// Output of a fixed length, so that checks need no register for it.
pub(crate) type Output = [u8; OUTPUT_LEN];

/// Writes bits into an output.
///
/// It keeps the bits since the last flush at the top of a number, the last one highest. Adding some
/// shifts the number right and sets them at the top. Bits below those since the last flush are
/// meaningless, so bits come with anything below them that isn't shifted up: see [`entry`].
pub(crate) struct BitWriter {
    /// Number of bits before the last flush, a multiple of 8.
    flushed: u32,
    value: u64,
    /// Number of bits in all, in the low 32 bits.
    len: u64,
}

impl BitWriter {
    /// Bits that fit between two flushes, if they are added as entries.
    pub(crate) const CAPACITY: u32 = 64 - 7 - ENTRY_LEN_BITS;

    /// Returns a writer that continues at the byte `at`.
    #[inline(always)]
    pub(crate) const fn new(at: u32) -> Self {
        Self { flushed: 8 * at, value: 0, len: 8 * at as u64 }
    }

    /// Adds the bits of an [`entry`].
    #[inline(always)]
    pub(crate) const fn put(&mut self, entry: u64) {
        self.value = self.value >> (entry & 63) | entry;
        self.len = self.len.wrapping_add(entry);
    }

    /// Adds the highest `len` bits of `bits`, at most 63.
    #[inline(always)]
    pub(crate) const fn put_top(&mut self, bits: u64, len: u64) {
        self.value = self.value >> (len & 63) | bits;
        self.len = self.len.wrapping_add(len);
    }

    /// Writes whole bytes. Returns `None` at the end of the output.
    #[inline(always)]
    pub(crate) fn flush(&mut self, out: &mut Output) -> Option<()> {
        if self.flushed > 8 * (OUTPUT_LEN - 8) as u32 {
            return None;
        }
        let unused = self.flushed.wrapping_sub(self.len as u32);
        let low = self.value >> (unused & 63);
        let at = (self.flushed / 8) as usize;
        out[at..at + 8].copy_from_slice(&low.to_le_bytes());
        self.flushed = self.len as u32 & !7;
        Some(())
    }

    /// Writes the remaining bits, fills the last byte with zeros, and returns the position after
    /// it.
    #[inline(always)]
    pub(crate) fn finish(mut self, out: &mut Output) -> Option<u32> {
        self.flush(out)?;
        Some((self.len as u32).div_ceil(8))
    }

    /// Finishes a stream that is read backwards: a one marks its end.
    #[inline(always)]
    pub(crate) fn finish_backward(mut self, out: &mut Output) -> Option<u32> {
        self.put(entry(1, 1));
        self.finish(out)
    }
}

/// Low bits of an entry that state its length. They are part of the value for as long as it takes
/// to shift them out.
const ENTRY_LEN_BITS: u32 = 6;

/// Returns `len` bits, at most 57, as an entry: the bits at the top, their number in the low bits.
#[inline(always)]
pub(crate) const fn entry(bits: u32, len: u32) -> u64 {
    (bits as u64).rotate_right(len) | len as u64
}
