//! Writes blocks to the output, and keeps the bits of the last byte until it is full.

use alloc::vec::Vec;

use crate::bits::{BitWriter, Bits};
use crate::error::DoesNotFit;

/// The longest stored block (RFC 1951, 3.2.4).
const MAX_STORED: usize = 65535;

/// Returns the number of bits that `len` stored bytes take, after `pending` bits of a byte.
pub(crate) const fn stored_bits(pending: usize, len: usize) -> usize {
    let first = (pending + 3).next_multiple_of(8) - pending;
    let more = (len.div_ceil(MAX_STORED)).saturating_sub(1);
    first + 32 + 40 * more + 8 * len
}

/// The output: whole bytes, and the bits after them.
pub(crate) struct Sink<'a> {
    out: &'a mut [u8],
    at: usize,
    bits: Bits,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(out: &'a mut [u8]) -> Self {
        Self { out, at: 0, bits: Bits::default() }
    }

    /// Returns the number of whole bytes so far.
    pub(crate) const fn len(&self) -> usize {
        self.at
    }

    /// Fails if `bytes` more bytes, counted from the start of the current one, don't fit.
    pub(crate) const fn reserve(&self, bytes: usize) -> Result<(), DoesNotFit> {
        let needed = self.at + bytes;
        if needed > self.out.len() { Err(DoesNotFit { needed }) } else { Ok(()) }
    }

    /// Returns the number of bits since the last whole byte.
    pub(crate) const fn pending(&self) -> usize {
        self.bits.len as usize
    }

    /// Appends the output of `write`: `bits` bits, which must fit.
    ///
    /// Bits are written eight bytes at a time. Near the end of the output, where eight bytes don't
    /// fit, they go through `scratch`.
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

    /// Appends bytes, which must fit, as one or more stored blocks.
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

    /// Pads the last byte with zero bits.
    pub(crate) fn align(&mut self) {
        if self.bits.len > 0 {
            let last = [self.bits.value as u8];
            self.append(&last);
            self.bits = Bits::default();
        }
    }

    /// Appends bytes, which must fit, at a byte boundary.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.out[self.at..][..bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }
}
