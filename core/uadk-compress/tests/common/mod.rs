//! Shared by the integration tests.

use std::io::{Read, Write};

use flate2::{Compression, Decompress, FlushDecompress, Status, read, write};
use uadk_compress::Format;

/// The formats that the software engine has.
#[allow(dead_code, reason = "not every test file needs every helper")]
pub(crate) const FORMATS: [Format; 3] = [Format::RawDeflate, Format::Zlib, Format::Gzip];

/// A block that compresses to about a third, different for each `seed`.
#[allow(dead_code, reason = "not every test file needs every helper")]
pub(crate) fn block(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut block = Vec::with_capacity(len + 32);
    while block.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        block.extend_from_slice(format!("key{:05}=value {}; ", state % 1000, state % 7).as_bytes());
    }
    block.truncate(len);
    block
}

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

/// zlib's own decompression.
#[allow(dead_code, reason = "not every test file needs every helper")]
pub(crate) fn zlib_decompress(format: Format, compressed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    match format {
        Format::RawDeflate => read::DeflateDecoder::new(compressed).read_to_end(&mut out)?,
        Format::Zlib => read::ZlibDecoder::new(compressed).read_to_end(&mut out)?,
        Format::Gzip => read::GzDecoder::new(compressed).read_to_end(&mut out)?,
        other => panic!("zlib has no format {other}"),
    };
    Ok(out)
}

/// zlib's own compression.
#[allow(dead_code, reason = "not every test file needs every helper")]
pub(crate) fn zlib_compress(format: Format, level: u32, data: &[u8]) -> std::io::Result<Vec<u8>> {
    let (out, level) = (Vec::new(), Compression::new(level));
    match format {
        Format::RawDeflate => {
            let mut encoder = write::DeflateEncoder::new(out, level);
            encoder.write_all(data)?;
            encoder.finish()
        }
        Format::Zlib => {
            let mut encoder = write::ZlibEncoder::new(out, level);
            encoder.write_all(data)?;
            encoder.finish()
        }
        Format::Gzip => {
            let mut encoder = write::GzEncoder::new(out, level);
            encoder.write_all(data)?;
            encoder.finish()
        }
        other => panic!("zlib has no format {other}"),
    }
}
