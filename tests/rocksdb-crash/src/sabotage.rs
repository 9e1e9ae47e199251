//! Errors made on purpose, to show that the test finds them.

use std::sync::Arc;

use clap::ValueEnum;
use uadk_compress::{BlockCompressor, Error, Format, Settings};

use crate::settings::FORMATS;

/// What is made wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sabotage {
    /// Writes are acknowledged before they are made, and don't reach the log.
    Forget,
    /// The changes of a batch are written one by one.
    Tear,
    /// A key is written that no operation writes.
    Stray,
    /// Decompression flips a bit of a value.
    FlipBit,
    /// Compressed blocks have a format of their own.
    Dialect,
}

impl Sabotage {
    /// Returns words, one of which is in the message that reports the error.
    pub(crate) const fn symptoms(self) -> &'static [&'static str] {
        match self {
            Self::Forget => &[", expected ", "is half done"],
            Self::Tear => &["is half done"],
            Self::Stray => &["which was never written"],
            Self::FlipBit => &["is wrong from byte", "Corruption"],
            Self::Dialect => &["without us: Corruption"],
        }
    }

    /// Returns options for families of the stock schema. Only RocksDB without us can notice a
    /// dialect that we read, in files of a version that we read.
    pub(crate) const fn options(self) -> &'static str {
        match self {
            Self::Dialect => "block_based_table_factory={format_version=7}",
            Self::Forget | Self::Tear | Self::Stray | Self::FlipBit => "",
        }
    }

    /// Changes a round's settings so that RocksDB's own codecs read nothing of a dialect.
    pub(crate) fn adjust(self, settings: &mut crate::settings::Settings) {
        if self == Self::Dialect {
            settings.ours = FORMATS.to_vec();
        }
    }

    /// Returns the compressor with the error in it, if it is one of a compressor.
    pub(crate) fn compressor(self, inner: Arc<dyn BlockCompressor>) -> Arc<dyn BlockCompressor> {
        match self {
            Self::FlipBit | Self::Dialect => Arc::new(Sabotaged { inner, sabotage: self }),
            Self::Forget | Self::Tear | Self::Stray => inner,
        }
    }
}

#[derive(Debug)]
struct Sabotaged {
    inner: Arc<dyn BlockCompressor>,
    sabotage: Sabotage,
}

impl Sabotaged {
    /// Converts a compressed block to the dialect and back.
    fn translate(&self, block: &mut [u8]) {
        if self.sabotage == Sabotage::Dialect {
            for byte in block {
                *byte = !*byte;
            }
        }
    }
}

impl BlockCompressor for Sabotaged {
    fn format(&self) -> Format {
        self.inner.format()
    }
    fn max_compressed_len(&self, len: usize) -> usize {
        self.inner.max_compressed_len(len)
    }
    fn max_decompressed_len(&self, len: usize) -> Option<usize> {
        self.inner.max_decompressed_len(len)
    }
    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        let len = self.inner.compress(src, dst)?;
        self.translate(&mut dst[..len]);
        Ok(len)
    }
    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        let mut src = src.to_vec();
        self.translate(&mut src);
        let len = self.inner.decompress(&src, dst)?;
        if self.sabotage == Sabotage::FlipBit {
            flip_bit(&mut dst[..len]);
        }
        Ok(len)
    }
    fn reconfigured(&self, settings: &Settings) -> Option<Arc<dyn BlockCompressor>> {
        Some(self.sabotage.compressor(self.inner.reconfigured(settings)?))
    }
}

/// Flips a bit of a word that only values have. RocksDB can't notice that, and a damaged key or
/// length could crash it.
fn flip_bit(block: &mut [u8]) {
    let word = b"memtable ";
    if let Some(start) = block.windows(word.len()).position(|bytes| bytes == word) {
        block[start] ^= 1;
    }
}
