//! The software engine: libdeflate.

mod contexts;

use std::sync::Arc;

use libdeflater::{CompressionError, DecompressionError};

use crate::{BlockCompressor, Error, Format, Level};

/// Compresses with libdeflate, on any machine.
///
/// A libdeflate context is large (200 to 650 KiB by level) and costly to make, so each thread keeps
/// one per level, made at the first use of that level in that thread and freed with the thread.
/// After that a block costs no allocation. The value itself is a few bytes of settings: copy it
/// freely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoftwareCompressor {
    format: Format,
    level: Level,
}

impl SoftwareCompressor {
    /// An engine for blocks of `format`.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for [`Format::Custom`].
    pub fn new(format: Format, level: Level) -> Result<Self, Error> {
        match format {
            Format::RawDeflate | Format::Zlib | Format::Gzip => Ok(Self { format, level }),
            Format::Custom(name) => Err(Error::Unsupported(
                format!(
                    "the software engine has no codec named {name:?}; it has deflate, zlib and gzip"
                )
                .into(),
            )),
        }
    }

    /// The level that blocks are compressed at.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }
}

impl BlockCompressor for SoftwareCompressor {
    fn format(&self) -> Format {
        self.format
    }

    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        contexts::with_compressor(self.level, |context| match self.format {
            Format::Zlib => context.zlib_compress(src, dst),
            Format::Gzip => context.gzip_compress(src, dst),
            Format::RawDeflate | Format::Custom(_) => context.deflate_compress(src, dst),
        })
        .map_err(|CompressionError::InsufficientSpace| Error::OutputFull)
    }

    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        contexts::with_decompressor(|context| match self.format {
            Format::Zlib => context.zlib_decompress(src, dst),
            Format::Gzip => context.gzip_decompress(src, dst),
            Format::RawDeflate | Format::Custom(_) => context.deflate_decompress(src, dst),
        })
        .map_err(|error| match error {
            DecompressionError::BadData => Error::Corrupt,
            DecompressionError::InsufficientSpace => Error::OutputFull,
        })
    }

    fn with_level(&self, level: Level) -> Option<Arc<dyn BlockCompressor>> {
        Some(Arc::new(Self { level, ..*self }))
    }
}
