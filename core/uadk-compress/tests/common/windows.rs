//! How far back the matches of a compressed block reach.

use flate2::{Decompress, FlushDecompress, Status};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use uadk_compress::Format;

/// Returns random bytes of sixteen values, repeated every 25,000 bytes. Short matches occur at all
/// distances.
#[allow(dead_code, reason = "not every test file needs every helper")]
pub(crate) fn block_with_far_matches(len: usize) -> Vec<u8> {
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    let mut block: Vec<u8> = (0..25_000).map(|_| rng.random_range(b'a'..=b'p')).collect();
    while block.len() < len {
        block.extend_from_within(..25_000.min(len - block.len()));
    }
    block.truncate(len);
    block
}

/// Returns whether zlib decompresses `compressed` to `data` with a window of `bits` bits.
///
/// Decodes one byte per call: within a call, zlib's matches may reach the whole output, whatever
/// the window.
#[allow(dead_code, reason = "not every test file needs every helper")]
pub(crate) fn zlib_decodes_with_window(
    bits: u8,
    format: Format,
    compressed: &[u8],
    data: &[u8],
) -> bool {
    let mut decoder = match format {
        Format::RawDeflate => Decompress::new_with_window_bits(false, bits),
        Format::Zlib => Decompress::new_with_window_bits(true, bits),
        Format::Gzip => Decompress::new_gzip(bits),
        other => panic!("zlib does not support {other}"),
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
