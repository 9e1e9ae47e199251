//! The caller's output: bytes written so far and the bits between them and the next byte.

use alloc::vec::Vec;

use crate::bits::{BitWriter, Bits};
use crate::error::DoesNotFit;

/// The longest stored block (RFC 1951, 3.2.4).
const MAX_STORED: usize = 65535;

/// Bits that storing `len` bytes takes, behind so many bits.
pub(crate) const fn stored_bits(behind: usize, len: usize) -> usize {
    let first = (behind + 3).next_multiple_of(8) - behind;
    let more = (len.div_ceil(MAX_STORED)).saturating_sub(1);
    first + 32 + 40 * more + 8 * len
}

/// Writes blocks one behind the other.
pub(crate) struct Sink<'a> {
    out: &'a mut [u8],
    at: usize,
    bits: Bits,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(out: &'a mut [u8]) -> Self {
        Self { out, at: 0, bits: Bits::default() }
    }

    /// Bytes so far; the last bits, if any, don't count.
    pub(crate) const fn len(&self) -> usize {
        self.at
    }

    /// Fails if so many bytes more, counted from the start of the current one, don't fit.
    pub(crate) const fn reserve(&self, bytes: usize) -> Result<(), DoesNotFit> {
        let needed = self.at + bytes;
        if needed > self.out.len() { Err(DoesNotFit { needed }) } else { Ok(()) }
    }

    /// Bits since the last whole byte.
    pub(crate) const fn pending(&self) -> usize {
        self.bits.len as usize
    }

    /// Appends what `write` writes: a known number of bits, which fit.
    ///
    /// Writing goes eight bytes at a time. An output with no room for that behind its last byte gets
    /// its bytes by way of `scratch`.
    pub(crate) fn write(
        &mut self,
        bits: usize,
        scratch: &mut Vec<u8>,
        write: impl for<'b> FnOnce(BitWriter<'b>) -> BitWriter<'b>,
    ) {
        let bytes = (self.pending() + bits).div_ceil(8);
        let (written, rest);
        if self.at + bytes + BitWriter::SPARE <= self.out.len() {
            let writer = BitWriter::new(&mut self.out[self.at..], self.bits);
            (written, rest) = write(writer).finish();
        } else {
            scratch.resize(scratch.len().max(bytes + BitWriter::SPARE), 0);
            (written, rest) = write(BitWriter::new(scratch, self.bits)).finish();
            self.out[self.at..][..written].copy_from_slice(&scratch[..written]);
        }
        debug_assert_eq!(8 * written + rest.len as usize, self.bits.len as usize + bits);
        self.at += written;
        self.bits = rest;
    }

    /// Appends bytes in stored blocks, at least one, which fit.
    pub(crate) fn store(&mut self, mut bytes: &[u8], last: bool) {
        loop {
            let (now, later) = bytes.split_at(bytes.len().min(MAX_STORED));
            let first = self.bits.value | u64::from(last && later.is_empty()) << self.bits.len;
            // The block's first three bits, and zeros up to the next byte.
            let head = (self.bits.len as usize + 3).div_ceil(8);
            self.append(&first.to_le_bytes()[..head]);
            self.bits = Bits::default();
            let len = now.len() as u16;
            self.append(&len.to_le_bytes());
            self.append(&(!len).to_le_bytes());
            self.append(now);
            bytes = later;
            if bytes.is_empty() {
                return;
            }
        }
    }

    /// Ends the last byte.
    pub(crate) fn align(&mut self) {
        if self.bits.len > 0 {
            let last = [self.bits.value as u8];
            self.append(&last);
            self.bits = Bits::default();
        }
    }

    /// Appends bytes, which fit, at a byte's start.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.out[self.at..][..bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }
}
