//! The encoder: decides how to write a block, and frames the result.

use alloc::boxed::Box;
use alloc::vec;
use core::fmt;

use crate::bits::{OUTPUT_LEN, Output};
use crate::error::Error;
use crate::frame::{Block, Header, MAX_BLOCK_LEN};
use crate::gather::Gatherer;
use crate::literals::Literals;
use crate::offsets::RepeatOffsets;
use crate::records::Records;
use crate::sequence::{CodedSequences, Sequence};
use crate::sequences::Sequences;
use crate::source::Source;
use crate::symbols::MIN_MATCH;

/// Makes zstd frames from bytes and their sequences. Reuse it: one per thread.
///
/// It reserves 750 KiB of memory, of which a block of 16 KiB touches about 60. The output depends
/// only on the input, not on earlier frames. No method except [`Self::new`] allocates, and none
/// needs more than 16 KiB of stack.
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
pub struct Encoder {
    /// State of the frame that [`Self::start`] started.
    state: State,
    coder: Box<Coder>,
}

/// What a decoder remembers of a frame.
#[derive(Clone, Copy)]
struct State {
    offsets: RepeatOffsets,
    /// Whether there has been no block.
    is_start: bool,
}

impl State {
    const fn new() -> Self {
        Self { offsets: RepeatOffsets::new(), is_start: true }
    }
}

impl Encoder {
    /// Returns an encoder.
    #[must_use]
    pub fn new() -> Self {
        Self { state: State::new(), coder: Coder::new() }
    }

    /// Compresses `src`, at most [`MAX_BLOCK_LEN`] bytes, into one frame and returns its length.
    ///
    /// The frame's header states the length of `src`; there is no checksum.
    /// [`max_compressed_len`](crate::max_compressed_len) bytes of output always suffice. Without
    /// sequences, all bytes are literals. A frame that [`Self::start`] started isn't affected.
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
        let block = self.coder.block(src, sequences, None, &mut State::new())?;
        block.write(Header::new(Some(src.len() as u64)).as_bytes(), true, dst)
    }

    /// As [`Self::compress`], with sequences as zstd itself stores them.
    ///
    /// Their repeat codes are written as they are, which takes less time than to find them.
    ///
    /// ```
    /// use block_zstd::{CodedSequences, Encoder, max_compressed_len};
    ///
    /// // Ten literals, ten bytes at the offset 10, and eight literals. The offset is coded as 13,
    /// // the length as 7.
    /// let block = b"abcdefgh, abcdefgh, ABCDEFGH";
    /// let sequences = CodedSequences { list: &[[13, 0, 0, 0, 10, 0, 7, 0]], literals: 18 };
    /// let mut frame = vec![0; max_compressed_len(block.len())];
    /// let len = Encoder::new().compress_coded(block, sequences, &mut frame)?;
    /// # Ok::<(), block_zstd::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn compress_coded(
        &mut self,
        src: &[u8],
        sequences: CodedSequences<'_>,
        dst: &mut [u8],
    ) -> Result<usize, Error> {
        let CodedSequences { list, literals } = sequences;
        let block = self.coder.block(src, list, Some(literals), &mut State::new())?;
        block.write(Header::new(Some(src.len() as u64)).as_bytes(), true, dst)
    }

    /// Starts a frame of several blocks: writes its header, up to 14 bytes, and returns the
    /// header's length. [`Self::block`] makes the blocks.
    ///
    /// `content_size` is the length of all blocks' bytes together, if it is known. Decoders fail if
    /// it is wrong.
    ///
    /// ```
    /// use block_zstd::{Encoder, MAX_BLOCK_LEN, max_compressed_len};
    ///
    /// let mut encoder = Encoder::new();
    /// let bytes = vec![7; 300_000];
    /// let mut frame = vec![0; max_compressed_len(bytes.len())];
    /// let mut len = encoder.start(Some(300_000), &mut frame)?;
    /// let mut blocks = bytes.chunks(MAX_BLOCK_LEN).peekable();
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
        self.state = State::new();
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
        let mut state = self.state;
        let len = self.coder.block(src, sequences, None, &mut state)?.write(&[], last, dst)?;
        self.state = state;
        Ok(len)
    }
}

/// What is needed to make a block.
struct Coder {
    gatherer: Gatherer,
    records: Records,
    literals: Literals,
    sequences: Sequences,
    output: Box<Output>,
}

impl Coder {
    /// Returns a coder on the heap. Its tables are made there, so that it takes little stack.
    fn new() -> Box<Self> {
        let output = vec![0; OUTPUT_LEN].into_boxed_slice();
        Box::new(Self {
            gatherer: Gatherer::new(),
            records: Records::new(),
            literals: Literals::new(),
            sequences: Sequences::new(),
            output: output.try_into().unwrap_or_else(|_| unreachable!("OUTPUT_LEN bytes")),
        })
    }

    /// Makes a block, and updates what decoders remember. `literals` is their number, if it is
    /// stated.
    fn block<'a, S: Source>(
        &'a mut self,
        src: &'a [u8],
        sequences: S,
        literals: Option<usize>,
        state: &mut State,
    ) -> Result<Block<'a>, Error> {
        if src.len() > MAX_BLOCK_LEN {
            return Err(Error::TooLong);
        }
        if sequences.len() > src.len() / MIN_MATCH as usize {
            return Err(Error::InvalidSequences);
        }
        let is_start = core::mem::replace(&mut state.is_start, false);
        if let Some(byte) = repeated(src) {
            // The command of zstd up to 1.4.3 fails if the first block is of this kind.
            if !is_start {
                return Ok(Block::Rle(byte, src.len()));
            }
            let run = Sequence { literals: 1, match_len: src.len() as u32 - 1, offset: 1 };
            return self.compressed(src, &[run][..], None, state);
        }
        self.compressed(src, sequences, literals, state)
    }

    /// Makes a compressed block, or a raw one if that is shorter.
    fn compressed<'a, S: Source>(
        &'a mut self,
        src: &'a [u8],
        sequences: S,
        stated: Option<usize>,
        state: &mut State,
    ) -> Result<Block<'a>, Error> {
        let mut offsets = state.offsets;
        self.gatherer.gather(src, sequences, offsets).ok_or(Error::InvalidSequences)?;
        let literals = self.gatherer.literals();
        if stated.is_some_and(|stated| stated != literals.len()) {
            return Err(Error::InvalidSequences);
        }
        self.records.read(sequences, &mut offsets, literals);
        match self.encode() {
            Some(len) if len < src.len() => {
                state.offsets = offsets;
                Ok(Block::Compressed(&self.output[..len]))
            }
            _ => Ok(Block::Raw(src)),
        }
    }

    /// Encodes what was gathered and read. Returns the length, or `None` if it exceeds that of any
    /// block.
    fn encode(&mut self) -> Option<usize> {
        let Self { gatherer, records, literals, sequences, output } = self;
        let at = literals.write(gatherer.literals(), records.histograms(), output)?;
        Some(sequences.write(records, output, at)? as usize)
    }
}

/// Blocks of fewer bytes aren't shorter as one byte and a match.
const MIN_REPEATED: usize = 16;

/// Returns the byte that `src` repeats, if it is only that.
fn repeated(src: &[u8]) -> Option<u8> {
    let (&first, rest) = src.split_first()?;
    (rest.len() >= MIN_REPEATED && rest == &src[..rest.len()]).then_some(first)
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
