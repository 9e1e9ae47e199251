//! What `lz77_zstd`, `lz77_only` and `lz4` add to the ABI. All three only compress, and need a
//! device with queue interface `hisi_qm_v3` or later
//! ([`uacce_dev::read_queue_version`](super::uacce_dev::read_queue_version)).
//!
//! [`WD_LZ77_ZSTD`] and [`WD_LZ77_ONLY`] produce sequences: see [`wd_lz77_zstd_data`]. [`WD_LZ4`]
//! produces an LZ4 block, whose length is `dst_len`, as for deflate.

use std::ffi::{c_uint, c_void};

use super::MAX_INPUT;

/// The result of a request with [`WD_LZ77_ZSTD`] or [`WD_LZ77_ONLY`] (`wd_comp.h`).
/// [`wd_comp_req`](super::wd_comp_req)'s `priv` points to it.
///
/// The library writes to it when the request is submitted and, in the poll, when it completes. So
/// it must stay where it is for as long as the output.
///
/// # Layout of the output
///
/// The first `src_len` + [`LITERALS_RESERVE`] bytes of the output are for literals: one run of
/// `lit_num` bytes, with those after the last match at the end. The rest is for `seq_num`
/// sequences, which have [`SEQUENCE_LEN`] bytes each. Neither count is checked by the library: they
/// come straight from the device.
///
/// A sequence consists of literals and a match. The fields are little-endian:
///
/// | offset | [`WD_LZ77_ZSTD`] | [`WD_LZ77_ONLY`] |
/// |---|---|---|
/// | 0 | `u32`: repeat code 1 to 3, or the match's offset + 3 | `u32`: number of literals |
/// | 4 | `u16`: number of literals | `u16`: the match's offset - 1 |
/// | 6 | `u16`: length of the match - 3 | `u16`: length of the match - 3 |
///
/// Repeat codes have the meaning of the zstd format. Their history starts with 1, 4 and 8 in each
/// request, except in a stream. Offsets stay within the session's window.
///
/// ```
/// use uadk_sys::abi::{LITERALS_RESERVE, wd_comp_req, wd_lz77_zstd_data};
///
/// let src = b"a block";
/// // SAFETY: zeros and null pointers are valid.
/// let mut data: Box<wd_lz77_zstd_data> = Box::new(unsafe { std::mem::zeroed() });
/// // SAFETY: as above.
/// let mut request: wd_comp_req = unsafe { std::mem::zeroed() };
/// request.r#priv = (&raw mut *data).cast();
/// // When the request has completed:
/// let literals = data.lit_num as usize;
/// assert!(literals <= src.len() + LITERALS_RESERVE, "a wrong count");
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct wd_lz77_zstd_data {
    /// Written at the submission: the start of the output.
    pub literals_start: *mut c_void,
    /// Written at the submission: the output after the space for literals.
    pub sequences_start: *mut c_void,
    /// Written at completion: bytes of literals.
    pub lit_num: u32,
    /// Written at completion: number of sequences.
    pub seq_num: u32,
    /// [`WD_LZ77_ZSTD`] only, written at completion: 1 if the sequence with the index
    /// `lit_length_overflow_pos` has 65536 more literals than its field can hold, otherwise 0.
    /// Wrong up to 2.8.
    pub lit_length_overflow_cnt: u32,
    /// [`WD_LZ77_ZSTD`] only, written at completion: see `lit_length_overflow_cnt`.
    pub lit_length_overflow_pos: u32,
    /// [`WD_LZ77_ZSTD`] only, written at completion: 784 bytes of frequencies in an undocumented
    /// format, 8 bytes after the last sequence. Wrong up to 2.8.
    pub freq: *mut c_void,
    /// Used only by streams, and set by the caller: what became of the previous block: 0 raw,
    /// 1 run-length, 2 compressed.
    pub blk_type: u32,
}

/// `alg_type`: sequences for zstd.
pub const WD_LZ77_ZSTD: c_uint = 3;
/// `alg_type`: an LZ4 block. 2.10 and newer.
pub const WD_LZ4: c_uint = 4;
/// `alg_type`: sequences for any format. 2.10 and newer.
pub const WD_LZ77_ONLY: c_uint = 5;

/// `comp_lv` for LZ77: fast. LZ77 accepts only this and [`WD_COMP_L9`].
pub const WD_COMP_L8: c_uint = 8;
/// `comp_lv` for LZ77: finds better matches and is slower ("price mode").
pub const WD_COMP_L9: c_uint = 9;

/// The longest input of a request with [`WD_LZ77_ZSTD`], in bytes: a zstd block.
pub const MAX_LZ77_ZSTD_INPUT: usize = 128 << 10;
/// The longest input of a request with [`WD_LZ77_ONLY`], in bytes.
pub const MAX_LZ77_ONLY_INPUT: usize = MAX_INPUT - LITERALS_RESERVE;

/// Bytes between the longest run of literals that an input can have and the first sequence.
pub const LITERALS_RESERVE: usize = 16;
/// Bytes of one sequence.
pub const SEQUENCE_LEN: usize = 8;
/// The length of the shortest match of a sequence, in bytes.
pub const MIN_MATCH: usize = 3;
/// Bytes of frequencies that [`WD_LZ77_ZSTD`] appends to the sequences.
pub const FREQUENCIES_LEN: usize = 784;

/// Returns the smallest output capacity that the driver accepts for [`WD_LZ77_ZSTD`], in bytes. Few
/// results fit: see [`lz77_capacity`].
#[must_use]
pub const fn min_lz77_zstd_capacity(src_len: usize) -> usize {
    src_len + LITERALS_RESERVE + FREQUENCIES_LEN
}

/// Returns the smallest output capacity that the driver accepts for [`WD_LZ77_ONLY`], in bytes. Few
/// results fit: see [`lz77_capacity`].
#[must_use]
pub const fn min_lz77_only_capacity(src_len: usize) -> usize {
    src_len + LITERALS_RESERVE + 16
}

/// Returns an output capacity in bytes that every result of [`WD_LZ77_ZSTD`] and [`WD_LZ77_ONLY`]
/// fits into, even if all matches have the shortest length. If it does not fit, the request
/// completes with the status [`WD_IN_EPARA`](super::WD_IN_EPARA).
///
/// ```
/// use uadk_sys::abi;
///
/// assert_eq!(abi::min_lz77_zstd_capacity(65536), 66_336);
/// assert_eq!(abi::lz77_capacity(65536), 241_176);
/// ```
#[must_use]
pub const fn lz77_capacity(src_len: usize) -> usize {
    let sequences = SEQUENCE_LEN * (src_len / MIN_MATCH + 2);
    src_len + LITERALS_RESERVE + sequences + FREQUENCIES_LEN + 64
}
