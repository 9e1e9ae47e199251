//! The trait that engines implement and adapters call.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

use crate::{Error, Format, Level, Window};

/// Compresses independent blocks in one format.
///
/// Object-safe, and one value serves all threads at once. A block is compressed whole and needs
/// nothing but itself to be decompressed. Promises, checked by [`conformance`](crate::conformance):
///
/// - no method panics or blocks without bound, whatever the data;
/// - after an error the contents of the destination are unspecified;
/// - bytes of the destination behind the returned length are unspecified;
/// - [`compress`](Self::compress) never fails with `OutputFull` where the destination holds
///   [`max_compressed_len`](Self::max_compressed_len) bytes.
///
/// ```
/// use uadk_compress::{BlockCompressor, Error, Format, SoftwareCompressor, Level};
///
/// let codec: &dyn BlockCompressor = &SoftwareCompressor::new(Format::RawDeflate, Level::DEFAULT)?;
/// // Too little room is a normal answer: the caller stores the block as it is.
/// assert_eq!(codec.compress(b"incompressible?", &mut [0; 4]), Err(Error::OutputFull));
/// # Ok::<(), Error>(())
/// ```
pub trait BlockCompressor: Send + Sync + Debug {
    /// The format of the compressed blocks.
    fn format(&self) -> Format;

    /// What does the work, for people: shown in statistics and tables.
    fn engine(&self) -> Cow<'static, str> {
        self.format().name().into()
    }

    /// Bytes that any block of `len` bytes fits into when compressed.
    fn max_compressed_len(&self, len: usize) -> usize {
        self.format().max_compressed_len(len)
    }

    /// The most bytes that a compressed block of `len` bytes can hold; `None` if the format sets no
    /// limit. A reader allocates no more than this on a block's word.
    fn max_decompressed_len(&self, len: usize) -> Option<usize> {
        self.format().max_decompressed_len(len)
    }

    /// Compresses `src` into `dst` and returns the number of bytes written.
    ///
    /// # Errors
    ///
    /// [`Error::OutputFull`] if the result is longer than `dst`. Bare engines also return
    /// [`Error::Unsupported`], [`Error::Busy`], [`Error::Device`], [`Error::TimedOut`] and
    /// [`Error::Unavailable`].
    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error>;

    /// Decompresses the block `src` into `dst` and returns the number of bytes written.
    ///
    /// `dst` may be longer than the result. For raw deflate, which has no checksum, give exact room:
    /// then an [`OffloadCompressor`](crate::OffloadCompressor) sees that an accelerator gave all
    /// there is, and need not ask software. Bytes of `src` behind the end of the compressed stream
    /// are not looked at.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] if `src` is not a block of this format, [`Error::OutputFull`] if the
    /// result is longer than `dst`. Bare engines as in [`compress`](Self::compress).
    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error>;

    /// Compresses many blocks; each one's answer is in its [`Block::result`].
    ///
    /// Accelerators keep many blocks in flight, so a batch is several times faster than its blocks
    /// one by one. Without an own implementation, one follows another.
    fn compress_batch(&self, blocks: &mut [Block<'_>]) {
        for block in blocks {
            block.result = self.compress(block.src, block.dst);
        }
    }

    /// Decompresses many blocks; each one's answer is in its [`Block::result`].
    fn decompress_batch(&self, blocks: &mut [Block<'_>]) {
        for block in blocks {
            block.result = self.decompress(block.src, block.dst);
        }
    }

    /// Like [`compress_batch`](Self::compress_batch), but whenever an accelerator's queue is full,
    /// `when_busy` gets the number of the block whose turn it is, and the block. It does it, sets
    /// its result and says true; or says false, and the block is offered once more. So the caller's
    /// thread has work while the accelerator has. Without an own implementation it is never called.
    fn compress_batch_with(
        &self,
        blocks: &mut [Block<'_>],
        when_busy: &mut dyn FnMut(usize, &mut Block<'_>) -> bool,
    ) {
        let _ = when_busy;
        self.compress_batch(blocks);
    }

    /// Decompresses as [`compress_batch_with`](Self::compress_batch_with) compresses.
    fn decompress_batch_with(
        &self,
        blocks: &mut [Block<'_>],
        when_busy: &mut dyn FnMut(usize, &mut Block<'_>) -> bool,
    ) {
        let _ = when_busy;
        self.decompress_batch(blocks);
    }

    /// The same compressor at another level, sharing device, counters and policy with this one;
    /// `None` if there are no levels.
    ///
    /// Adapters whose host chooses levels (RocksDB's `CompressionOptions::level`) call it once per
    /// file, not per block.
    fn with_level(&self, level: Level) -> Option<Arc<dyn BlockCompressor>> {
        let _ = level;
        None
    }

    /// The same compressor, asked for matches that reach back no further than `window`, for decoders
    /// that keep less than deflate's 32 KiB; `None` if there is no such setting. A window that is
    /// smaller already stays as it is. Otherwise as [`with_level`](Self::with_level).
    ///
    /// It is a request: an engine that can't keep to it does as always, which any decoder of the
    /// format reads (libdeflate, in the software engine's levels above 1). What is decompressed may
    /// reach back further in any case.
    fn with_window(&self, window: Window) -> Option<Arc<dyn BlockCompressor>> {
        let _ = window;
        None
    }
}

/// One block of a batch.
#[derive(Debug)]
pub struct Block<'a> {
    /// What to compress or decompress.
    pub src: &'a [u8],
    /// Where the result goes.
    pub dst: &'a mut [u8],
    /// Bytes written to `dst`, or what went wrong.
    pub result: Result<usize, Error>,
}

impl<'a> Block<'a> {
    /// A block that is still to be done: until then `result` is an error that says so.
    #[must_use]
    pub const fn new(src: &'a [u8], dst: &'a mut [u8]) -> Self {
        Self { src, dst, result: Err(Self::PENDING) }
    }

    /// The `result` of a block that no engine has answered yet.
    pub(crate) const PENDING: Error =
        Error::Unavailable(Cow::Borrowed("the block has not been given to an engine yet"));
}

impl<T: BlockCompressor + ?Sized> BlockCompressor for Arc<T> {
    fn format(&self) -> Format {
        (**self).format()
    }
    fn engine(&self) -> Cow<'static, str> {
        (**self).engine()
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
    fn compress_batch_with(
        &self,
        blocks: &mut [Block<'_>],
        when_busy: &mut dyn FnMut(usize, &mut Block<'_>) -> bool,
    ) {
        (**self).compress_batch_with(blocks, when_busy);
    }
    fn decompress_batch_with(
        &self,
        blocks: &mut [Block<'_>],
        when_busy: &mut dyn FnMut(usize, &mut Block<'_>) -> bool,
    ) {
        (**self).decompress_batch_with(blocks, when_busy);
    }
    fn with_level(&self, level: Level) -> Option<Arc<dyn BlockCompressor>> {
        (**self).with_level(level)
    }
    fn with_window(&self, window: Window) -> Option<Arc<dyn BlockCompressor>> {
        (**self).with_window(window)
    }
}
