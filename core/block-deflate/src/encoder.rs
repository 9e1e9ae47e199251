//! The encoder: splits the input into blocks, decides how to write each, and frames the result.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::codes::Codes;
use crate::emit::emit;
use crate::error::DoesNotFit;
use crate::framing::Format;
use crate::hash::{self, FOUR_BYTES, HashTable};
use crate::input::{Input, POSITIONS};
use crate::parse::{parse, parse_constant};
use crate::sink::{Sink, stored_bits};
use crate::tokens::{MAX_PARTS, Part, Tokens};
use crate::window::Window;

/// The compression effort.
///
/// ```
/// use block_deflate::{Encoder, Mode};
///
/// let block = b"2026-01-01 read 4096\n2026-01-02 read 8192\n".repeat(100);
/// let mut encoder = Encoder::new(Mode::Fast);
/// let mut output = vec![0; encoder.bound(block.len())];
/// let fast = encoder.compress(&block, &mut output)?;
/// encoder.set_mode(Mode::Default);
/// let default = encoder.compress(&block, &mut output)?;
/// assert!(fast < block.len() / 4 && default < block.len() / 4);
/// # Ok::<(), block_deflate::DoesNotFit>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Takes a tenth less time than [`Self::Default`]; output is 3 to 4 % larger.
    Fast,
    /// Takes 0.53 to 0.55 of the time of libdeflate's level 1; output is up to 1 % larger.
    #[default]
    Default,
}

/// Blocks up to this length use a smaller hash table, which leaves space in the L1 cache.
const SMALL_BLOCK_LEN: usize = 16384;
const SMALL_TABLE_BITS: u32 = FOUR_BYTES;
const TABLE_BITS: u32 = 14;
/// For blocks of any length in fast mode.
const FAST_TABLE_BITS: u32 = 12;
/// The minimum gain, in bits, for a part to get its own codes: they cost a header and time.
const MIN_GAIN_BITS: f32 = 2800.0;
const FAST_MIN_GAIN_BITS: f32 = 800.0;
/// Length of a segment's end, which is an empty stored block.
const SEGMENT_END: usize = 5;

/// A deflate encoder. It holds 340 KiB of tables, so reuse it.
///
/// The output depends only on the input and the settings, not on earlier calls. No method needs
/// more than 16 KiB of stack, even in unoptimised builds.
///
/// ```
/// use block_deflate::{Encoder, Format, Mode};
///
/// let mut encoder = Encoder::new(Mode::Default).with_format(Format::Zlib);
/// let input = b"a block, a block, a block and another block";
/// let mut output = vec![0; encoder.bound(input.len())];
/// let len = encoder.compress(input, &mut output)?;
/// assert!(len < input.len());
/// # Ok::<(), block_deflate::DoesNotFit>(())
/// ```
pub struct Encoder {
    mode: Mode,
    format: Format,
    window: Window,
    input: Input,
    table: Box<HashTable>,
    tokens: Box<Tokens>,
    /// One per part.
    codes: Vec<Codes>,
    plans: [Plan; MAX_PARTS],
    scratch: Vec<u8>,
}

/// How a part is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plan {
    Stored,
    /// Compressed with the part's codes.
    Coded,
}

impl Encoder {
    /// Returns an encoder for raw deflate data with the largest window.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            format: Format::Raw,
            window: Window::Kib32,
            input: Input::new(),
            table: hash::new_table(),
            tokens: Tokens::new(),
            codes: (0..MAX_PARTS).map(|_| Codes::new()).collect(),
            plans: [Plan::Stored; MAX_PARTS],
            scratch: Vec::new(),
        }
    }

    /// Sets the format.
    #[must_use]
    pub const fn with_format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Sets the window.
    #[must_use]
    pub const fn with_window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    /// Sets the mode.
    pub const fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
    }

    /// Sets the window for the following calls.
    pub const fn set_window(&mut self, window: Window) {
        self.window = window;
    }

    /// Returns the mode.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Returns the format.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Returns the window.
    #[must_use]
    pub const fn window(&self) -> Window {
        self.window
    }

    /// Returns the maximum number of bytes that [`Self::compress`] writes for an input of `len`
    /// bytes. The bound is tight.
    #[must_use]
    pub const fn bound(&self, len: usize) -> usize {
        raw_bound(len) + self.format.overhead()
    }

    /// Returns the maximum number of bytes that [`Self::compress_segment`] writes for an input of
    /// `len` bytes.
    #[must_use]
    pub const fn segment_bound(len: usize) -> usize {
        if len == 0 { SEGMENT_END } else { raw_bound(len) + SEGMENT_END }
    }

    /// Compresses `input` into `output` and returns the number of bytes written.
    ///
    /// [`Self::bound`] bytes of output always suffice. With eight bytes to spare, the end is
    /// written slightly faster.
    ///
    /// # Errors
    ///
    /// Returns [`DoesNotFit`] if `output` is too small.
    pub fn compress(&mut self, input: &[u8], output: &mut [u8]) -> Result<usize, DoesNotFit> {
        let header = self.format.header(self.window);
        let trailer = self.format.overhead() - header.as_bytes().len();
        let mut sink = Sink::new(output);
        if input.len() > POSITIONS {
            sink.reserve(header.as_bytes().len())?;
        }
        self.blocks(input, header.as_bytes(), Some(trailer), &mut sink)?;
        sink.align();
        if trailer > 0 {
            let checksum = self.format.checksum(input);
            sink.append(self.format.trailer(checksum, input.len() as u64).as_bytes());
        }
        Ok(sink.len())
    }

    /// Compresses `input` into a *segment* and returns the number of bytes written.
    ///
    /// A segment is deflate data that ends at a byte boundary without ending the stream. Segments
    /// made independently, concatenated and followed by [`END`](crate::segment::END), form one
    /// stream. A segment has no header or trailer: see [`segment`](crate::segment).
    ///
    /// # Errors
    ///
    /// Returns [`DoesNotFit`] if `output` is too small; [`Self::segment_bound`] bytes always
    /// suffice.
    pub fn compress_segment(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, DoesNotFit> {
        let mut sink = Sink::new(output);
        if input.is_empty() {
            sink.reserve(SEGMENT_END)?;
        } else {
            self.blocks(input, &[], None, &mut sink)?;
        }
        sink.store(&[], false);
        Ok(sink.len())
    }

    /// Writes all blocks. `trailer` is the length of the trailer, or `None` if the last block
    /// doesn't end the stream.
    fn blocks(
        &mut self,
        mut rest: &[u8],
        header: &[u8],
        trailer: Option<usize>,
        sink: &mut Sink<'_>,
    ) -> Result<(), DoesNotFit> {
        self.input.clear();
        let mut header = Some(header);
        loop {
            if self.input.free_space() == 0 {
                self.input.slide();
                hash::slide(&mut self.table);
            }
            let (block, later) = rest.split_at(rest.len().min(self.input.free_space()));
            rest = later;
            let last = rest.is_empty();
            let range = self.input.append(block);
            self.parse(range);
            let stored = stored_bits(sink.pending(), block.len());
            let coded = self.plan(sink.pending());

            let before = header.map_or(0, <[u8]>::len);
            let bits = sink.pending() + stored.min(coded);
            let bytes = match trailer {
                Some(trailer) if last => bits.div_ceil(8) + trailer,
                // Includes the end of the segment.
                None if last => (bits + 3).div_ceil(8) + 4,
                _ => bits.div_ceil(8),
            };
            sink.reserve(before + bytes)?;
            if let Some(header) = header.take() {
                sink.append(header);
            }
            let final_block = last && trailer.is_some();
            if stored <= coded {
                sink.store(block, final_block);
            } else {
                self.write(final_block, sink);
            }
            if last {
                return Ok(());
            }
        }
    }

    /// Decides how to write each part and returns the total number of bits. `pending` bits of the
    /// first byte are already in use.
    fn plan(&mut self, pending: usize) -> usize {
        let Self { mode, tokens, codes, plans, .. } = self;
        tokens.join(if *mode == Mode::Fast { FAST_MIN_GAIN_BITS } else { MIN_GAIN_BITS });
        let mut at = pending;
        for ((part, codes), plan) in tokens.parts().iter().zip(codes).zip(plans) {
            let stored = stored_bits(at, part.bytes().len());
            let coded = coded_bits(part, codes);
            *plan = if stored <= coded { Plan::Stored } else { Plan::Coded };
            at += stored.min(coded);
        }
        at - pending
    }

    /// Writes all parts as planned.
    fn write(&mut self, final_block: bool, sink: &mut Sink<'_>) {
        let Self { input, tokens, codes, plans, scratch, .. } = self;
        let mut left = tokens.parts().len();
        for ((part, codes), plan) in tokens.parts().iter().zip(codes).zip(plans) {
            left -= 1;
            let last = final_block && left == 0;
            match plan {
                Plan::Stored => sink.store(&input.bytes()[part.bytes()], last),
                Plan::Coded => {
                    sink.write(codes.bits(), scratch, |out| emit(codes, tokens, part, last, out));
                }
            }
        }
    }

    fn parse(&mut self, range: Range<usize>) {
        let Self { input, table, tokens, .. } = self;
        let bytes = input.bytes();
        let window = self.window.size();
        let fast = self.mode == Mode::Fast;
        let small = range.end <= SMALL_BLOCK_LEN;
        if range.start == 0 {
            match (fast, small) {
                (true, _) => hash::clear::<FAST_TABLE_BITS>(table),
                (false, true) => hash::clear::<SMALL_TABLE_BITS>(table),
                (false, false) => hash::clear::<TABLE_BITS>(table),
            }
        }
        if parse_constant(bytes, range.clone(), tokens) {
            return;
        }
        let parse = match (fast, small) {
            (true, _) => parse::<FAST_TABLE_BITS, true>,
            (false, true) => parse::<SMALL_TABLE_BITS, false>,
            (false, false) => parse::<TABLE_BITS, false>,
        };
        parse(bytes, range, window, table, tokens);
    }
}

/// Builds the codes of a part and returns how many bits it takes with them. If codes can't gain
/// anything, returns `usize::MAX` without building any.
fn coded_bits(part: &Part, codes: &mut Codes) -> usize {
    let counts = part.literal_counts();
    if part.matches_are_rare() && is_flat(&counts) {
        return usize::MAX;
    }
    codes.make(part, &counts);
    // Only short blocks benefit from having no header.
    if part.bytes().len() < 1024 {
        let fixed = Codes::fixed_bits(part, &counts);
        if fixed <= codes.bits() {
            codes.use_fixed(fixed);
        }
    }
    codes.bits()
}

/// Returns whether bytes are distributed so evenly that codes gain nothing: their entropy is close
/// to eight bits. Uses the sum of squares, which is minimal if all values occur equally often.
fn is_flat(counts: &[u32; crate::symbols::LITERALS]) -> bool {
    let total: u64 = counts[..256].iter().map(|&c| u64::from(c)).sum();
    let squares: u64 = counts[..256].iter().map(|&c| u64::from(c) * u64::from(c)).sum();
    // Chance alone adds `total`. Up to 2 % above that, codes save less than their header costs.
    total >= 1024 && squares * 256 <= total * total + total * 256 + total * total / 50
}

/// Returns the length with all blocks stored, which is the worst case.
const fn raw_bound(len: usize) -> usize {
    use crate::input::HISTORY;
    let blocks = if len <= 65535 {
        1
    } else {
        // The first 64 KiB may take two stored blocks, later blocks take one each.
        let rest = len.saturating_sub(POSITIONS);
        2 + rest.div_ceil(POSITIONS - HISTORY)
    };
    len + 5 * blocks
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("mode", &self.mode)
            .field("format", &self.format)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}
