//! LZ4 behind the trait: all that a codec of your own takes.

use std::cell::RefCell;

use lz4_flex::block::{DecompressError, compress_into, decompress_into, get_maximum_output_size};
use uadk_compress::{BlockCompressor, Error, Format};

/// LZ4 blocks, made by `lz4_flex`.
#[derive(Debug)]
pub(crate) struct Lz4;

impl BlockCompressor for Lz4 {
    fn format(&self) -> Format {
        Format::Custom("lz4")
    }

    fn max_compressed_len(&self, len: usize) -> usize {
        get_maximum_output_size(len)
    }

    /// A length of LZ4 grows by at most 255 per byte.
    fn max_decompressed_len(&self, len: usize) -> Option<usize> {
        Some(len.saturating_mul(255))
    }

    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        thread_local!(static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) });
        // lz4_flex wants room for the worst case; RocksDB gives room for what it would keep.
        let mut compress = |scratch: &mut Vec<u8>| {
            scratch.resize(self.max_compressed_len(src.len()), 0);
            let written = compress_into(src, scratch).map_err(|_| Error::OutputFull)?;
            dst.get_mut(..written).ok_or(Error::OutputFull)?.copy_from_slice(&scratch[..written]);
            Ok(written)
        };
        // RocksDB may compress in a thread whose variables are gone already.
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
