//! The encoder: cuts the input into blocks, decides how each is written, and frames the result.

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
use crate::tokens::{PARTS, Part, Tokens};
use crate::window::Window;

/// How hard to try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A tenth less time, 3 to 4 % larger.
    Fast,
    /// Up to 1 % larger than libdeflate's level 1, in 0.53 to 0.55 of the time.
    #[default]
    Default,
}

/// Blocks up to this length get by with a smaller hash table, which leaves room in the first cache.
const SMALL: usize = 16384;
const SMALL_BITS: u32 = FOUR_BYTES;
const BITS: u32 = 14;
/// Of blocks of any length in the fast mode.
const FAST_BITS: u32 = 12;
/// Codes of a part's own must gain so many bits: they take a header, and time.
const WORTH: f32 = 2800.0;
const FAST_WORTH: f32 = 800.0;
/// The end of a segment: an empty stored block.
const SEGMENT_END: usize = 5;

/// A deflate encoder, to be used again and again: it holds 340 KiB of tables.
///
/// What it gives depends on the input and the settings alone, not on what it compressed before.
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
    /// For each part.
    codes: Vec<Codes>,
    plans: [Plan; PARTS],
    scratch: Vec<u8>,
}

/// How a part is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plan {
    Stored,
    /// With the part's codes.
    Coded,
}

impl Encoder {
    /// An encoder of raw deflate data with the largest window.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            format: Format::Raw,
            window: Window::Kib32,
            input: Input::new(),
            table: hash::new_table(),
            tokens: Tokens::new(),
            codes: (0..PARTS).map(|_| Codes::new()).collect(),
            plans: [Plan::Stored; PARTS],
            scratch: Vec::new(),
        }
    }

    /// The same encoder, writing `format`.
    #[must_use]
    pub const fn with_format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// The same encoder, looking back no further than `window`.
    #[must_use]
    pub const fn with_window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    /// Changes the mode.
    pub const fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
    }

    /// Changes the window.
    pub const fn set_window(&mut self, window: Window) {
        self.window = window;
    }

    /// The mode.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The format.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The window.
    #[must_use]
    pub const fn window(&self) -> Window {
        self.window
    }

    /// The most that [`Self::compress`] writes for an input of `len` bytes; there are inputs that
    /// take it.
    #[must_use]
    pub const fn bound(&self, len: usize) -> usize {
        raw_bound(len) + self.format.overhead()
    }

    /// The most that [`Self::compress_segment`] writes for an input of `len` bytes.
    #[must_use]
    pub const fn segment_bound(len: usize) -> usize {
        if len == 0 { SEGMENT_END } else { raw_bound(len) + SEGMENT_END }
    }

    /// Compresses `input` into `output` and gives the number of bytes written.
    ///
    /// An output of [`Self::bound`] bytes always suffices, and eight more than the result takes make
    /// the writing of its end a little faster.
    ///
    /// # Errors
    ///
    /// If the result doesn't fit.
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

    /// Compresses `input` into a *segment*: deflate data that doesn't end the stream but ends at a
    /// byte, so that segments made independently, put one behind the other and followed by
    /// [`END`](crate::segment::END), are one stream. Header and trailer of the format are left out: see
    /// [`segment`](crate::segment).
    ///
    /// # Errors
    ///
    /// If the result doesn't fit: it takes up to [`Self::segment_bound`].
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

    /// Writes all blocks; the trailer's length if the last of them ends the stream.
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
            if self.input.room() == 0 {
                self.input.slide();
                hash::slide(&mut self.table);
            }
            let (block, later) = rest.split_at(rest.len().min(self.input.room()));
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
                // The end of a segment.
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

    /// Decides how each part is written, behind so many bits of a byte, and gives the bits of all.
    fn plan(&mut self, pending: usize) -> usize {
        let Self { mode, tokens, codes, plans, .. } = self;
        tokens.join(if *mode == Mode::Fast { FAST_WORTH } else { WORTH });
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
        let small = range.end <= SMALL;
        if range.start == 0 {
            match (fast, small) {
                (true, _) => hash::clear::<FAST_BITS>(table),
                (false, true) => hash::clear::<SMALL_BITS>(table),
                (false, false) => hash::clear::<BITS>(table),
            }
        }
        if parse_constant(bytes, range.clone(), tokens) {
            return;
        }
        let parse = match (fast, small) {
            (true, _) => parse::<FAST_BITS, true>,
            (false, true) => parse::<SMALL_BITS, false>,
            (false, false) => parse::<BITS, false>,
        };
        parse(bytes, range, window, table, tokens);
    }
}

/// Makes a part's codes and gives the bits that it takes with them. Where they can't gain anything they
/// aren't made.
fn coded_bits(part: &Part, codes: &mut Codes) -> usize {
    let counts = part.literal_counts();
    if part.matches_are_rare() && is_flat(&counts) {
        return usize::MAX;
    }
    codes.make(part, &counts);
    // Only short blocks gain from having no header.
    if part.bytes().len() < 1024 {
        let fixed = Codes::fixed_bits(part, &counts);
        if fixed <= codes.bits() {
            codes.take_fixed(fixed);
        }
    }
    codes.bits()
}

/// Whether bytes occur so evenly that codes for them gain nothing: their entropy is close to eight
/// bits. By the sum of squares, which is at its least if all occur equally often.
fn is_flat(counts: &[u32; crate::symbols::LITERALS]) -> bool {
    let total: u64 = counts[..256].iter().map(|&c| u64::from(c)).sum();
    let squares: u64 = counts[..256].iter().map(|&c| u64::from(c) * u64::from(c)).sum();
    // Chance alone adds the total once; what is 2 % above that still saves less than a header takes.
    total >= 1024 && squares * 256 <= total * total + total * 256 + total * total / 50
}

/// Blocks as they are cut, all stored: nothing written is longer.
const fn raw_bound(len: usize) -> usize {
    use crate::input::HISTORY;
    let blocks = if len <= 65535 {
        1
    } else {
        // The first may take two stored blocks, those behind it one each.
        let behind = len.saturating_sub(POSITIONS);
        2 + behind.div_ceil(POSITIONS - HISTORY)
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
