//! How far back a compressed block reaches.

use flate2::{Decompress, FlushDecompress, Status};
use uadk_compress::Format;

/// Sixteen kinds of bytes with matches 25,000 bytes back, and a few at all distances.
#[allow(dead_code, reason = "not every test file needs every helper")]
pub(crate) fn block_with_far_matches(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut byte = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b'a' + (state >> 60) as u8
    };
    let mut block: Vec<u8> = (0..25_000).map(|_| byte()).collect();
    while block.len() < len {
        block.extend_from_within(..25_000.min(len - block.len()));
    }
    block.truncate(len);
    block
}

/// Whether zlib decompresses to `data` with a window of so many bits.
///
/// Within one call it looks back as far as its output goes: so it gives one byte per call.
#[allow(dead_code, reason = "not every test file needs every helper")]
pub(crate) fn zlib_gets_by_with(bits: u8, format: Format, compressed: &[u8], data: &[u8]) -> bool {
    let mut decoder = match format {
        Format::RawDeflate => Decompress::new_with_window_bits(false, bits),
        Format::Zlib => Decompress::new_with_window_bits(true, bits),
        Format::Gzip => Decompress::new_gzip(bits),
        other => panic!("zlib has no format {other}"),
    };
    let (mut out, mut byte) = (Vec::new(), [0]);
    loop {
        let rest = &compressed[decoder.total_in() as usize..];
        let status = decoder.decompress(rest, &mut byte, FlushDecompress::None);
        out.extend_from_slice(&byte[..decoder.total_out() as usize - out.len()]);
        match status {
            Ok(Status::Ok) => {}
            Ok(Status::StreamEnd) => return out == data,
            Ok(Status::BufError) | Err(_) => return false,
        }
    }
}
