//! An engine whose results are checked.

use std::sync::Arc;

use crate::block::check;
use crate::{Block, BlockCompressor, Error, Format, Settings};

/// A compressor whose results are checked: a length beyond the destination becomes an error.
/// Adapters wrap caller-provided engines in it.
///
/// [`Block`] itself checks the blocks of a batch.
///
/// ```
/// use uadk_compress::{BlockCompressor, Checked, Error, Format};
///
/// #[derive(Debug)]
/// struct Liar;
/// impl BlockCompressor for Liar {
///     fn format(&self) -> Format {
///         Format::Custom("lies")
///     }
///     fn max_compressed_len(&self, len: usize) -> usize {
///         len
///     }
///     fn compress(&self, _: &[u8], _: &mut [u8]) -> Result<usize, Error> {
///         Ok(1000)
///     }
///     fn decompress(&self, _: &[u8], _: &mut [u8]) -> Result<usize, Error> {
///         Ok(1)
///     }
/// }
///
/// let codec = Checked::new(Liar);
/// let impossible = Error::WrongLength { reported: 1000, capacity: 10 };
/// assert_eq!(codec.compress(b"block", &mut [0; 10]), Err(impossible));
/// assert!(codec.decompress_exact(b"block", &mut [0; 10]).is_err());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Checked<C>(C);

impl<C: BlockCompressor> Checked<C> {
    /// Wraps `inner` to check its results.
    pub const fn new(inner: C) -> Self {
        Self(inner)
    }

    /// Returns the wrapped compressor, unchecked.
    pub const fn get_ref(&self) -> &C {
        &self.0
    }

    /// Decompresses a block that fills `dst` exactly.
    ///
    /// # Errors
    ///
    /// Same as [`decompress`](BlockCompressor::decompress); also [`Error::WrongLength`] if the
    /// block does not fill `dst`.
    pub fn decompress_exact(&self, src: &[u8], dst: &mut [u8]) -> Result<(), Error> {
        check(self.0.decompress(src, dst), dst.len(), true).map(|_| ())
    }
}

impl<C: BlockCompressor> BlockCompressor for Checked<C> {
    fn format(&self) -> Format {
        self.0.format()
    }
    fn max_compressed_len(&self, len: usize) -> usize {
        self.0.max_compressed_len(len)
    }
    fn max_decompressed_len(&self, len: usize) -> Option<usize> {
        self.0.max_decompressed_len(len)
    }
    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        check(self.0.compress(src, dst), dst.len(), false)
    }
    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        check(self.0.decompress(src, dst), dst.len(), false)
    }
    fn compress_batch(&self, blocks: &mut [Block<'_>]) {
        reset_all(blocks);
        self.0.compress_batch(blocks);
    }
    fn decompress_batch(&self, blocks: &mut [Block<'_>]) {
        reset_all(blocks);
        self.0.decompress_batch(blocks);
    }
    fn reconfigured(&self, settings: &Settings) -> Option<Arc<dyn BlockCompressor>> {
        let other = self.0.reconfigured(settings)?;
        Some(Arc::new(Checked(other)))
    }
}

/// Resets all blocks, so that those the engine leaves out count as not done.
fn reset_all(blocks: &mut [Block<'_>]) {
    for block in blocks {
        block.reset();
    }
}
