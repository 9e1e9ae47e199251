//! LZ4 behind the trait: a complete custom codec.

use std::cell::RefCell;

use lz4_flex::block::{DecompressError, compress_into, decompress_into, get_maximum_output_size};
use uadk_compress::{BlockCompressor, Error, Format};

/// A codec for LZ4 blocks, using `lz4_flex`.
#[derive(Debug)]
pub(crate) struct Lz4;

impl BlockCompressor for Lz4 {
    fn format(&self) -> Format {
        Format::Custom("lz4")
    }

    fn max_compressed_len(&self, len: usize) -> usize {
        get_maximum_output_size(len)
    }

    /// In LZ4, a byte adds at most 255 to a length.
    fn max_decompressed_len(&self, len: usize) -> Option<usize> {
        Some(len.saturating_mul(255))
    }

    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        thread_local!(static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) });
        // lz4_flex needs space for the worst case; RocksDB's buffer fits only output worth keeping.
        let mut compress = |scratch: &mut Vec<u8>| {
            scratch.resize(self.max_compressed_len(src.len()), 0);
            let written = compress_into(src, scratch).map_err(|_| Error::OutputFull)?;
            dst.get_mut(..written).ok_or(Error::OutputFull)?.copy_from_slice(&scratch[..written]);
            Ok(written)
        };
        // RocksDB may compress on a thread whose thread-locals are already destroyed.
        SCRATCH
            .try_with(|scratch| compress(&mut scratch.borrow_mut()))
            .unwrap_or_else(|_| compress(&mut Vec::new()))
    }

    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        decompress_into(src, dst).map_err(|error| match error {
            DecompressError::OutputTooSmall { .. } => Error::OutputFull,
            _ => Error::Corrupt,
        })
    }
}
