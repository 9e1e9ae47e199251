//! LZ77 and LZ4: the results, and what the driver checks and reports.

mod figures;
mod format;
mod lies;
mod parser;

use std::ffi::c_int;

use uadk_sys::abi::{
    EINVAL, FREQUENCIES_LEN, LITERALS_RESERVE, MAX_INPUT, MAX_LZ77_ONLY_INPUT, MAX_LZ77_ZSTD_INPUT,
    MIN_MATCH, SEQUENCE_LEN, WD_COMP_L8, WD_COMP_L9, WD_DIR_COMPRESS, min_lz77_only_capacity,
    min_lz77_zstd_capacity, wd_comp_req, wd_lz77_zstd_data,
};

pub(crate) use figures::Figures;
pub use lies::Lie;

use crate::machine::Algorithm;
use crate::session::Parameters;
use parser::Search;

/// The first queue interface that takes these algorithms.
const MIN_QUEUE_VERSION: u32 = 3;
/// The first version that uses the right addresses and fields for frequencies and overflows.
const FIRST_CORRECT_MINOR: u8 = 9;
/// Bytes between the last sequence and the frequencies.
const OVERFLOW_DATA: usize = 8;
/// The same, as older versions assume, which also take a sequence for a byte.
const WRONG_OVERFLOW_DATA: usize = 2;
/// Bytes after the sequences of `lz77_only`.
const DEBUG_DATA: usize = 16;
/// The shortest match at level 8, except at one of the last offsets. So the level finds about as
/// many matches as zstd's level 1 does: 820 and 3,410 per 16 and 64 KiB of the benches' files, to
/// zstd's 880 and 3,040.
const MIN_FAST_MATCH: usize = 6;
/// Candidates tried for each position at level 9, and for LZ4.
const THOROUGH: u32 = 12;
/// The last match of an LZ4 block begins at least this far from the end.
const LZ4_END_START: usize = 12;
/// The last bytes of an LZ4 block are literals.
const LZ4_END_LITERALS: usize = 5;
/// Fills what a result has after its sequences.
const FILLER: u8 = 0xf5;

/// A result of LZ77: the bytes of the literals, then those of the sequences.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lz77 {
    /// How many of the bytes are literals.
    pub(crate) literals: usize,
    pub(crate) figures: Figures,
}

impl Lz77 {
    /// The result of a request that failed.
    pub(crate) const NONE: Self = Self { literals: 0, figures: Figures::GARBAGE };

    /// Changes the figures to those of a result whose last bytes are missing.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.literals = self.literals.min(len);
        self.figures.literals = self.literals as u32;
        self.figures.sequences = ((len - self.literals) / SEQUENCE_LEN) as u32;
    }

    /// Returns whether a result of this length fits into the output of a request.
    pub(crate) fn fits(&self, len: usize, algorithm: Algorithm, request: &wd_comp_req) -> bool {
        // The smallest capacity that the driver accepts has no space for the bytes before the
        // frequencies.
        let least = trailer_len(algorithm).min(FREQUENCIES_LEN);
        len - self.literals + least <= sequences_capacity(request)
    }

    /// Returns the index of the byte in the middle of a result of this length, and its position in
    /// the output. That is a byte of a sequence, if there is one.
    pub(crate) fn middle(&self, len: usize, request: &wd_comp_req) -> (usize, usize) {
        if len == self.literals {
            return (len / 2, len / 2);
        }
        let middle = (len - self.literals) / 2;
        (self.literals + middle, literals_capacity(request) + middle)
    }

    /// Writes a result to the output, as the device does.
    ///
    /// # Safety
    ///
    /// The request's output is writable, and the result fits.
    pub(crate) unsafe fn write(&self, bytes: &[u8], algorithm: Algorithm, request: &wd_comp_req) {
        let (literals, sequences) = bytes.split_at(self.literals);
        let dst = request.dst.cast::<u8>();
        // SAFETY: guaranteed by the caller.
        unsafe { std::ptr::copy_nonoverlapping(literals.as_ptr(), dst, literals.len()) };
        // SAFETY: as above.
        let start = unsafe { dst.add(literals_capacity(request)) };
        // SAFETY: as above.
        unsafe { std::ptr::copy_nonoverlapping(sequences.as_ptr(), start, sequences.len()) };
        // SAFETY: as above.
        let end = unsafe { start.add(sequences.len()) };
        let left = sequences_capacity(request) - sequences.len();
        // SAFETY: no more than is left.
        unsafe { std::ptr::write_bytes(end, FILLER, left.min(trailer_len(algorithm))) };
    }

    /// Writes the figures to `priv`, as the driver does when the request completes.
    ///
    /// # Safety
    ///
    /// The request's `priv` is writable.
    pub(crate) unsafe fn report(&self, parameters: &Parameters, request: &wd_comp_req) {
        // SAFETY: guaranteed by the caller.
        let data = unsafe { &mut *request.r#priv.cast::<wd_lz77_zstd_data>() };
        let figures = &self.figures;
        (data.lit_num, data.seq_num) = (figures.literals, figures.sequences);
        if parameters.algorithm != Algorithm::Lz77Zstd {
            return;
        }
        let (mut count, mut position) = (figures.overflow_count, figures.overflow_position);
        let mut end = (figures.sequences as usize) * SEQUENCE_LEN + OVERFLOW_DATA;
        if parameters.minor < FIRST_CORRECT_MINOR {
            (count, position) = (position, count);
            end = figures.sequences as usize + WRONG_OVERFLOW_DATA;
        }
        (data.lit_length_overflow_cnt, data.lit_length_overflow_pos) = (count, position);
        data.freq = data.sequences_start.wrapping_byte_add(end);
    }
}

/// Checks what the driver checks when a request is submitted.
pub(crate) fn check(
    parameters: &Parameters,
    request: &wd_comp_req,
    queue_version: u32,
) -> Result<(), c_int> {
    let (len, capacity) = (request.src_len as usize, request.dst_len as usize);
    let lz77 = |most, least| {
        matches!(parameters.level, WD_COMP_L8 | WD_COMP_L9)
            && !request.r#priv.is_null()
            && len <= most
            && capacity >= least
    };
    let accepted = match parameters.algorithm {
        Algorithm::Deflate | Algorithm::Zlib | Algorithm::Gzip => return Ok(()),
        Algorithm::Lz4 => request.op_type == WD_DIR_COMPRESS,
        Algorithm::Lz77Zstd => lz77(MAX_LZ77_ZSTD_INPUT, min_lz77_zstd_capacity(len)),
        Algorithm::Lz77Only => lz77(MAX_LZ77_ONLY_INPUT, min_lz77_only_capacity(len)),
    };
    if accepted && queue_version >= MIN_QUEUE_VERSION { Ok(()) } else { Err(EINVAL) }
}

/// Writes what the driver writes to `priv` when a request of LZ77 is submitted.
///
/// # Safety
///
/// The request has passed [`check`], and its `priv` is writable.
pub(crate) unsafe fn begin(request: &wd_comp_req) {
    // SAFETY: guaranteed by the caller.
    let data = unsafe { &mut *request.r#priv.cast::<wd_lz77_zstd_data>() };
    data.literals_start = request.dst;
    data.sequences_start = request.dst.wrapping_byte_add(literals_capacity(request));
}

/// Returns how much of the output is for literals.
fn literals_capacity(request: &wd_comp_req) -> usize {
    request.src_len as usize + LITERALS_RESERVE
}

/// Returns how much of the output is for sequences.
fn sequences_capacity(request: &wd_comp_req) -> usize {
    (request.dst_len as usize).saturating_sub(literals_capacity(request)).min(MAX_INPUT)
}

/// Returns how much the device writes after the sequences: frequencies, or debugging information.
fn trailer_len(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Lz77Zstd => OVERFLOW_DATA + FREQUENCIES_LEN,
        _ => DEBUG_DATA,
    }
}

/// Compresses `src` into `out`, which must be empty. Returns what is particular to LZ77. Ignores
/// the caller's output capacity.
pub(crate) fn compress(
    parameters: &Parameters,
    src: &[u8],
    lie: Option<Lie>,
    out: &mut Vec<u8>,
) -> Option<Lz77> {
    let window = window(parameters.win_sz);
    if parameters.algorithm == Algorithm::Lz4 {
        compress_lz4(window, src, lie, out);
        return None;
    }
    let for_zstd = parameters.algorithm == Algorithm::Lz77Zstd;
    let is_thorough = parameters.level == WD_COMP_L9;
    let search = Search {
        window,
        min_match: MIN_MATCH,
        worthwhile: if is_thorough { MIN_MATCH } else { MIN_FAST_MATCH },
        depth: if is_thorough { THOROUGH } else { 1 },
        lazy: is_thorough,
        repeats: for_zstd,
        end_start: 0,
        end_literals: 0,
    };
    let mut sequences = format::split_long(parser::parse(src, &search));
    if let Some(lie) = lie.filter(|_| for_zstd) {
        lie.reshape(&mut sequences);
    }
    format::push_literals(src, &sequences, out);
    let literals = out.len();
    let overflow = if for_zstd { format::overflow(&sequences) } else { None };
    if let Some(lie) = lie {
        lie.change(&mut sequences, src, window);
    }
    if for_zstd {
        format::push_zstd(&sequences, out);
    } else {
        format::push_plain(&sequences, out);
    }
    let mut figures = Figures {
        literals: literals as u32,
        sequences: sequences.len() as u32,
        overflow_count: overflow.is_some().into(),
        overflow_position: overflow.unwrap_or(0) as u32,
    };
    if let Some(lie) = lie {
        lie.misreport(&mut figures);
    }
    Some(Lz77 { literals, figures })
}

fn compress_lz4(window: usize, src: &[u8], lie: Option<Lie>, out: &mut Vec<u8>) {
    let (end_start, end_literals) =
        if lie == Some(Lie::NoEndRules) { (0, 0) } else { (LZ4_END_START, LZ4_END_LITERALS) };
    let min_match = format::MIN_LZ4_MATCH as usize;
    let search = Search {
        window,
        min_match,
        worthwhile: min_match,
        depth: THOROUGH,
        lazy: true,
        repeats: false,
        end_start,
        end_literals,
    };
    let mut sequences = parser::parse(src, &search);
    let mut literals = Vec::new();
    format::push_literals(src, &sequences, &mut literals);
    if let Some(lie) = lie {
        lie.change(&mut sequences, src, window);
    }
    format::push_lz4(&literals, &sequences, out);
}

/// Returns the window for `win_sz` in bytes.
const fn window(win_sz: u32) -> usize {
    match win_sz {
        0 => 4 << 10,
        1 => 8 << 10,
        2 => 16 << 10,
        3 => 24 << 10,
        _ => 32 << 10,
    }
}
