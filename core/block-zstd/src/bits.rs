//! Writes bits, lowest first, 64 at a time.

use crate::frame::MAX_BLOCK_LEN;

/// Where a block is made. It is longer than the longest block that is of any use, by what literals
/// of this length and a few headers need.
pub(crate) const OUTPUT_LEN: usize = MAX_BLOCK_LEN + 1024;
/// Output of a fixed length, so that checks need no register for it.
pub(crate) type Output = [u8; OUTPUT_LEN];

/// Writes bits into the output.
///
/// It keeps the bits since the last flush at the top of a number, the last one highest. Adding some
/// shifts the number right and sets them at the top. Bits below those since the last flush are
/// meaningless, so bits come with anything below them that isn't shifted up: see [`entry`].
pub(crate) struct BitWriter<'a> {
    out: &'a mut Output,
    /// Smaller than `usize`, so that `at + 8` needs no check for overflow.
    at: u32,
    value: u64,
    /// Number of bits since the last flush, in the low 32 bits.
    len: u64,
}

impl<'a> BitWriter<'a> {
    /// Bits that fit between two flushes, if they are added as entries.
    pub(crate) const CAPACITY: u32 = 64 - 7 - ENTRY_LEN_BITS;

    /// Returns a writer that continues at the byte `at`.
    #[inline(always)]
    pub(crate) const fn new(out: &'a mut Output, at: u32) -> Self {
        Self { out, at, value: 0, len: 0 }
    }

    /// Adds the bits of an [`entry`].
    #[inline(always)]
    pub(crate) const fn put(&mut self, entry: u64) {
        self.value = self.value >> (entry & 63) | entry;
        self.len = self.len.wrapping_add(entry);
    }

    /// Adds the highest `len` bits of `bits`, at most 63.
    #[inline(always)]
    pub(crate) const fn put_top(&mut self, bits: u64, len: u32) {
        self.value = self.value >> (len & 63) | bits;
        self.len = self.len.wrapping_add(len as u64);
    }

    /// Writes whole bytes. Returns `None` at the end of the output.
    #[inline(always)]
    pub(crate) fn flush(&mut self) -> Option<()> {
        let at = self.at as usize;
        let low = self.value >> (self.len.wrapping_neg() & 63);
        self.out.get_mut(at..at + 8)?.copy_from_slice(&low.to_le_bytes());
        self.at += self.len as u32 >> 3;
        self.len &= 7;
        Some(())
    }

    /// Writes the remaining bits, fills the last byte with zeros, and returns the position after
    /// it.
    #[inline(always)]
    pub(crate) fn finish(mut self) -> Option<u32> {
        self.flush()?;
        Some(self.at + u32::from(self.len > 0))
    }

    /// Finishes a stream that is read backwards: a one marks its end.
    #[inline(always)]
    pub(crate) fn finish_backward(mut self) -> Option<u32> {
        self.put(entry(1, 1));
        self.finish()
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
