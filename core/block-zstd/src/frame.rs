//! Frames and blocks: what is around the compressed data (RFC 8878, 3.1.1).

use crate::error::Error;

/// The longest block of the format, 128 KiB.
pub const MAX_BLOCK_LEN: usize = 1 << 17;

/// The longest header of a frame.
const MAX_HEADER_LEN: usize = 14;
/// Length of a block's header.
const BLOCK_HEADER_LEN: usize = 3;

const MAGIC: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();
/// In the header: the content is in one segment, and the window is as long as the content.
const SINGLE_SEGMENT: u8 = 1 << 5;
/// The window of 128 KiB in the header's notation: an exponent, counted from 10, above three bits
/// of mantissa.
const WINDOW: u8 = (17 - 10) << 3;

/// Returns the maximum length of a frame for `len` bytes in blocks of [`MAX_BLOCK_LEN`] bytes, the
/// last one shorter. With shorter blocks, each block adds 3 bytes.
///
/// It is never more than libzstd's `ZSTD_compressBound`.
///
/// ```
/// assert_eq!(block_zstd::max_compressed_len(4096), 4096 + 10);
/// ```
#[must_use]
pub const fn max_compressed_len(len: usize) -> usize {
    let blocks = if len == 0 { 1 } else { len.div_ceil(MAX_BLOCK_LEN) };
    let headers = Header::new(Some(len as u64)).len + blocks * BLOCK_HEADER_LEN;
    len.saturating_add(headers)
}

/// The header of a frame.
pub(crate) struct Header {
    bytes: [u8; MAX_HEADER_LEN],
    len: usize,
}

impl Header {
    /// Returns the header for `content` bytes, or for an unknown number.
    ///
    /// Offsets never reach beyond a block, so the window of long contents is that of the longest
    /// block, which saves decoders memory.
    pub(crate) const fn new(content: Option<u64>) -> Self {
        let mut header = Self { bytes: [0; MAX_HEADER_LEN], len: 0 };
        header.push(MAGIC);
        match content {
            None => header.push([0, WINDOW]),
            Some(n) if n < 256 => header.push([SINGLE_SEGMENT, n as u8]),
            Some(n) if n < 65536 + 256 => {
                header.push([SINGLE_SEGMENT | 1 << 6]);
                header.push((n as u16).wrapping_sub(256).to_le_bytes());
            }
            Some(n) if n <= MAX_BLOCK_LEN as u64 => {
                header.push([SINGLE_SEGMENT | 2 << 6]);
                header.push((n as u32).to_le_bytes());
            }
            Some(n) if n <= u32::MAX as u64 => {
                header.push([2 << 6, WINDOW]);
                header.push((n as u32).to_le_bytes());
            }
            Some(n) => {
                header.push([3 << 6, WINDOW]);
                header.push(n.to_le_bytes());
            }
        }
        header
    }

    const fn push<const N: usize>(&mut self, bytes: [u8; N]) {
        let mut i = 0;
        while i < N {
            self.bytes[self.len] = bytes[i];
            self.len += 1;
            i += 1;
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// What a block contains.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Block<'a> {
    /// These bytes as they are.
    Raw(&'a [u8]),
    /// One byte, repeated.
    Rle(u8, usize),
    /// Literals and sequences, compressed.
    Compressed(&'a [u8]),
}

impl Block<'_> {
    /// Writes `header`, if the block is the first, and the block. Returns the number of bytes.
    pub(crate) fn write(self, header: &[u8], last: bool, dst: &mut [u8]) -> Result<usize, Error> {
        let (kind, size, contents) = match &self {
            Self::Raw(bytes) => (0, bytes.len(), *bytes),
            Self::Rle(byte, len) => (1, *len, core::slice::from_ref(byte)),
            Self::Compressed(bytes) => (2, bytes.len(), *bytes),
        };
        let needed = header.len() + BLOCK_HEADER_LEN + contents.len();
        let Some(dst) = dst.get_mut(..needed) else { return Err(Error::DoesNotFit { needed }) };
        let (before, rest) = dst.split_at_mut(header.len());
        let (block_header, rest) = rest.split_at_mut(BLOCK_HEADER_LEN);
        before.copy_from_slice(header);
        let bits = u32::from(last) | kind << 1 | (size as u32) << 3;
        block_header.copy_from_slice(&bits.to_le_bytes()[..BLOCK_HEADER_LEN]);
        rest.copy_from_slice(contents);
        Ok(needed)
    }
}
