//! The device's results: C zlib at one level, with the driver's fixed headers.

use std::cell::RefCell;

use flate2::{Compress, Compression, Crc, Decompress, FlushCompress, FlushDecompress, Status};

use crate::machine::Algorithm;

const ZLIB_HEADER: &[u8] = &[0x78, 0x9c];
const GZIP_HEADER: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];

/// The device's smallest window, in zlib's window bits.
const MIN_WINDOW_BITS: u8 = 12;

thread_local! {
    static CODECS: RefCell<Codecs> =
        const { RefCell::new(Codecs { compress: [const { None }; 4], decompress: None }) };
}

struct Codecs {
    /// By window bits, starting at 12.
    compress: [Option<Compress>; 4],
    decompress: Option<Decompress>,
}

/// Why a stream was not decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    Corrupt,
    /// The input ends before the stream does.
    Truncated,
    /// The output does not fit.
    OutputFull,
}

/// Returns zlib's window bits for `win_sz` (4K, 8K, 16K, 24K, 32K). 24 KiB is not a power of two
/// and is rounded down.
const fn window_bits(win_sz: u32) -> u8 {
    match win_sz {
        0 => 12,
        1 => 13,
        2 | 3 => 14,
        _ => 15,
    }
}

/// Compresses `src` into `out`, which must be empty. Ignores the caller's output capacity.
pub(crate) fn compress(algorithm: Algorithm, win_sz: u32, src: &[u8], out: &mut Vec<u8>) {
    // Stored blocks are the worst case; zlib's own bound is slightly lower than this.
    out.reserve(src.len() + src.len() / 8 + 128);
    out.extend_from_slice(match algorithm {
        Algorithm::Zlib => ZLIB_HEADER,
        Algorithm::Gzip => GZIP_HEADER,
        _ => &[],
    });
    CODECS.with_borrow_mut(|codecs| {
        let bits = window_bits(win_sz);
        let codec = codecs.compress[usize::from(bits - MIN_WINDOW_BITS)].get_or_insert_with(|| {
            Compress::new_with_window_bits(Compression::new(1), false, bits)
        });
        codec.reset();
        let status = codec.compress_vec(src, out, FlushCompress::Finish);
        assert!(matches!(status, Ok(Status::StreamEnd)), "zlib exceeded its bound");
    });
    match algorithm {
        Algorithm::Zlib => out.extend_from_slice(&adler32(src).to_be_bytes()),
        Algorithm::Gzip => {
            let mut crc = Crc::new();
            crc.update(src);
            out.extend_from_slice(&crc.sum().to_le_bytes());
            out.extend_from_slice(&(src.len() as u32).to_le_bytes());
        }
        _ => {}
    }
}

/// Decompresses at most `capacity` bytes into `out`, which must be empty. Skips the header unread
/// and ignores the trailer's value. Returns the number of bytes consumed.
pub(crate) fn decompress(
    algorithm: Algorithm,
    src: &[u8],
    out: &mut Vec<u8>,
    capacity: usize,
) -> Result<usize, Rejected> {
    let header = algorithm.header_len() as usize;
    let body = src.get(header..).ok_or(Rejected::Truncated)?;
    let trailer = algorithm.trailer_len() as usize;
    CODECS.with_borrow_mut(|codecs| {
        let codec = codecs.decompress.get_or_insert_with(|| Decompress::new(false));
        codec.reset(false);
        let mut reserve = body.len().saturating_mul(4).max(256);
        loop {
            let consumed = codec.total_in() as usize;
            // One byte more than the capacity, so that zlib sees the end of a full output.
            out.reserve(reserve.min(capacity.saturating_add(1).saturating_sub(out.len())));
            let status = codec.decompress_vec(&body[consumed..], out, FlushDecompress::Finish);
            if out.len() > capacity {
                return Err(Rejected::OutputFull);
            }
            match status {
                Ok(Status::StreamEnd) => {
                    let end = header + codec.total_in() as usize;
                    return Ok((end + trailer).min(src.len()));
                }
                Ok(_) if out.len() == out.capacity() => reserve = out.len(),
                Ok(_) if codec.total_in() as usize == body.len() => {
                    return Err(Rejected::Truncated);
                }
                _ => return Err(Rejected::Corrupt),
            }
        }
    })
}

fn adler32(data: &[u8]) -> u32 {
    // The number of bytes that can be added before the sums must be reduced (zlib's NMAX).
    const CHUNK: usize = 5552;
    const BASE: u32 = 65521;
    let (mut a, mut b) = (1u32, 0u32);
    for chunk in data.chunks(CHUNK) {
        for &byte in chunk {
            a += u32::from(byte);
            b += a;
        }
        a %= BASE;
        b %= BASE;
    }
    (b << 16) | a
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn sample() -> Vec<u8> {
        (0..40_000u32).flat_map(|i| (i / 7 % 1009).to_le_bytes()).collect()
    }

    #[test]
    fn zlib_reads_compressed_zlib() {
        let data = sample();
        for win_sz in 0..=4 {
            let mut out = Vec::new();
            compress(Algorithm::Zlib, win_sz, &data, &mut out);
            assert_eq!(out[..2], *ZLIB_HEADER);
            let mut back = Vec::new();
            flate2::read::ZlibDecoder::new(&out[..]).read_to_end(&mut back).unwrap();
            assert_eq!(back, data);
        }
    }

    #[test]
    fn gzip_reads_compressed_gzip() {
        let data = sample();
        let mut out = Vec::new();
        compress(Algorithm::Gzip, 4, &data, &mut out);
        assert_eq!(out[..10], *GZIP_HEADER);
        let mut back = Vec::new();
        flate2::read::GzDecoder::new(&out[..]).read_to_end(&mut back).unwrap();
        assert_eq!(back, data);
    }

    #[test]
    fn output_may_fit_exactly() {
        let data = sample();
        for algorithm in [Algorithm::Deflate, Algorithm::Zlib, Algorithm::Gzip] {
            let (mut packed, mut out) = (Vec::new(), Vec::new());
            compress(algorithm, 4, &data, &mut packed);
            let consumed = decompress(algorithm, &packed, &mut out, data.len());
            assert_eq!(consumed, Ok(packed.len()));
            assert_eq!(out, data);
            out.clear();
            let tight = decompress(algorithm, &packed, &mut out, data.len() - 1);
            assert_eq!(tight, Err(Rejected::OutputFull));
        }
    }

    #[test]
    fn truncated_and_corrupt_input_are_distinguished_and_a_wrong_trailer_is_ignored() {
        let data = sample();
        let mut packed = Vec::new();
        compress(Algorithm::Zlib, 4, &data, &mut packed);
        let len = packed.len();
        let zlib = |src: &[u8]| {
            let mut out = Vec::new();
            (decompress(Algorithm::Zlib, src, &mut out, 1 << 20), out)
        };
        for cut in [1, 2, 3, len / 2, len - 5] {
            assert_eq!(zlib(&packed[..cut]).0, Err(Rejected::Truncated), "{cut}");
        }
        assert_eq!(zlib(&[0x78, 0x9c, 0xff]).0, Err(Rejected::Corrupt));
        packed[len - 1] ^= 1;
        packed[0] = 0;
        assert_eq!(zlib(&packed), (Ok(len), data));
    }
}
