//! The trait that engines implement and adapters call.

use std::fmt::Debug;
use std::sync::Arc;

use crate::{Block, Error, Format, Settings};

/// Compresses independent blocks in one format.
///
/// The trait is object-safe, and one value serves all threads at once. A block is compressed whole,
/// from one slice into another (no scatter-gather), and decompresses independently of others.
/// Implementations promise, as checked by [`conformance`](crate::conformance):
///
/// - no method panics or blocks without bound, whatever the data;
/// - after an error the contents of the destination are unspecified;
/// - bytes of the destination beyond the returned length are unspecified;
/// - [`compress`](Self::compress) never fails with `OutputFull` where the destination holds
///   [`max_compressed_len`](Self::max_compressed_len) bytes.
///
/// Callers wrap a third-party engine in [`Checked`](crate::Checked), which rejects impossible
/// lengths.
///
/// Calls are blocking: a block takes microseconds to milliseconds of CPU or of waiting for a
/// device. Async code calls from a thread that may block (`tokio::task::spawn_blocking`, a
/// [`pool`](crate::pool)), with batches rather than block by block.
///
/// ```
/// use uadk_compress::{BlockCompressor, Error, Format, Level, SoftwareCompressor};
///
/// let codec: &dyn BlockCompressor = &SoftwareCompressor::new(Format::RawDeflate, Level::FAST)?;
/// // Running out of space is a normal result: the caller stores the block uncompressed.
/// assert_eq!(codec.compress(b"incompressible?", &mut [0; 4]), Err(Error::OutputFull));
/// # Ok::<(), Error>(())
/// ```
///
/// A codec of your own takes five methods:
///
/// ```
/// use uadk_compress::{BlockCompressor, Error, Format, conformance};
///
/// /// Prefixes each block with its length.
/// #[derive(Debug)]
/// struct Framed;
///
/// impl BlockCompressor for Framed {
///     fn format(&self) -> Format {
///         Format::Custom("framed")
///     }
///     fn max_compressed_len(&self, len: usize) -> usize {
///         len + 8
///     }
///     fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
///         let dst = dst.get_mut(..src.len() + 8).ok_or(Error::OutputFull)?;
///         dst[..8].copy_from_slice(&src.len().to_le_bytes());
///         dst[8..].copy_from_slice(src);
///         Ok(dst.len())
///     }
///     fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
///         let (len, data) = src.split_first_chunk::<8>().ok_or(Error::Corrupt)?;
///         let data = data.get(..usize::from_le_bytes(*len)).ok_or(Error::Corrupt)?;
///         dst.get_mut(..data.len()).ok_or(Error::OutputFull)?.copy_from_slice(data);
///         Ok(data.len())
///     }
/// }
///
/// conformance::all(&Framed);
/// ```
pub trait BlockCompressor: Send + Sync + Debug {
    /// Returns the format of the compressed blocks.
    fn format(&self) -> Format;

    /// Returns the most bytes that a block of `len` bytes can compress to.
    fn max_compressed_len(&self, len: usize) -> usize;

    /// Returns the most bytes that a compressed block of `len` bytes can hold; `None` if the format
    /// sets no limit. A reader allocates no more than this for an untrusted block.
    fn max_decompressed_len(&self, len: usize) -> Option<usize> {
        self.format().max_decompressed_len(len)
    }

    /// Compresses `src` into `dst` and returns the number of bytes written.
    ///
    /// # Errors
    ///
    /// [`Error::OutputFull`] if the result is longer than `dst`. Bare engines also return
    /// [`Error::Unsupported`], [`Error::Busy`], [`Error::Starting`], [`Error::Device`],
    /// [`Error::TimedOut`] and [`Error::Unavailable`].
    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error>;

    /// Decompresses the block `src` into `dst` and returns the number of bytes written.
    ///
    /// `dst` may be longer than the result. For raw deflate, which has no checksum, pass a
    /// destination of the exact size: then an [`OffloadCompressor`](crate::OffloadCompressor) sees
    /// that the accelerator returned everything, and skips the check in software. Bytes of `src`
    /// after the end of the compressed stream are ignored.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] if `src` is not a block of this format, [`Error::OutputFull`] if the
    /// result is longer than `dst`. Bare engines also return the errors listed for
    /// [`compress`](Self::compress).
    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error>;

    /// Compresses many blocks. Afterwards each one [is done](Block::is_done).
    ///
    /// Accelerators keep many blocks in flight, so a batch is several times faster than one block
    /// at a time. The default implementation processes the blocks one after another.
    fn compress_batch(&self, blocks: &mut [Block<'_>]) {
        for block in blocks {
            block.run(|src, dst| self.compress(src, dst));
        }
    }

    /// Decompresses many blocks; the counterpart of [`compress_batch`](Self::compress_batch).
    fn decompress_batch(&self, blocks: &mut [Block<'_>]) {
        for block in blocks {
            block.run(|src, dst| self.decompress(src, dst));
        }
    }

    /// Returns the same compressor with other settings, sharing device, counters and policy with
    /// this one; `None` if none of the settings applies to it, or if `settings` has a dictionary
    /// and it does not support one.
    ///
    /// Level and window are hints: an engine without such a setting ignores them, and any decoder
    /// of the format reads the result. Adapters whose host chooses settings (RocksDB's
    /// `CompressionOptions`) call this once per file, not per block.
    fn reconfigured(&self, settings: &Settings) -> Option<Arc<dyn BlockCompressor>> {
        let _ = settings;
        None
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<T: BlockCompressor + ?Sized> BlockCompressor for $pointer {
            fn format(&self) -> Format {
                (**self).format()
            }
            fn max_compressed_len(&self, len: usize) -> usize {
                (**self).max_compressed_len(len)
            }
            fn max_decompressed_len(&self, len: usize) -> Option<usize> {
                (**self).max_decompressed_len(len)
            }
            fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
                (**self).compress(src, dst)
            }
            fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
                (**self).decompress(src, dst)
            }
            fn compress_batch(&self, blocks: &mut [Block<'_>]) {
                (**self).compress_batch(blocks);
            }
            fn decompress_batch(&self, blocks: &mut [Block<'_>]) {
                (**self).decompress_batch(blocks);
            }
            fn reconfigured(&self, settings: &Settings) -> Option<Arc<dyn BlockCompressor>> {
                (**self).reconfigured(settings)
            }
        }
    )*};
}

forward!(&T, Box<T>, Arc<T>);
