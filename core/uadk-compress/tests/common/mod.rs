//! Shared by the integration tests.

use std::io::{Read, Write};

use flate2::{Compression, read, write};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use uadk_compress::{BlockCompressor, Format};

#[allow(unused_imports, reason = "not every test file needs every helper")]
pub(crate) use windows::{block_with_far_matches, zlib_decodes_with_window};

mod windows;

/// The formats of deflate.
#[allow(dead_code, reason = "not every test file needs every helper")]
pub(crate) const FORMATS: [Format; 3] = [Format::RawDeflate, Format::Zlib, Format::Gzip];

/// All formats that the software engine supports.
#[allow(dead_code, reason = "not every test file needs every helper")]
pub(crate) const ALL_FORMATS: [Format; 5] =
    [Format::RawDeflate, Format::Zlib, Format::Gzip, Format::Zstd, Format::Lz4];

/// Returns a block that compresses to about a third, different for each `seed`.
#[allow(dead_code, reason = "not every test file needs every helper")]
pub(crate) fn block(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut block = Vec::with_capacity(len + 32);
    while block.len() < len {
        let state: u64 = rng.random();
        block.extend_from_slice(format!("key{:05}=value {}; ", state % 1000, state % 7).as_bytes());
    }
    block.truncate(len);
    block
}

/// Compresses a block with `codec`.
#[allow(dead_code, reason = "not every test file needs every helper")]
pub(crate) fn compress(codec: &dyn BlockCompressor, block: &[u8]) -> Vec<u8> {
    let mut compressed = vec![0; codec.max_compressed_len(block.len())];
    let written = codec.compress(block, &mut compressed).expect("the bound holds");
    compressed.truncate(written);
    compressed
}

/// Decompresses with zlib.
#[allow(dead_code, reason = "not every test file needs every helper")]
pub(crate) fn zlib_decompress(format: Format, compressed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    match format {
        Format::RawDeflate => read::DeflateDecoder::new(compressed).read_to_end(&mut out)?,
        Format::Zlib => read::ZlibDecoder::new(compressed).read_to_end(&mut out)?,
        Format::Gzip => read::GzDecoder::new(compressed).read_to_end(&mut out)?,
        other => panic!("zlib does not support {other}"),
    };
    Ok(out)
}

/// Compresses with zlib.
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
        other => panic!("zlib does not support {other}"),
    }
}
