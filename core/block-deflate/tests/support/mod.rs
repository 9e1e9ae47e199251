//! Inputs, independent decoders, and an inflater that reports what it sees.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::missing_panics_doc,
    clippy::must_use_candidate
)]

pub mod inflate;

use block_deflate::{Encoder, Format, Mode, Window};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

pub const MODES: [Mode; 2] = [Mode::Fast, Mode::Default];
pub const FORMATS: [Format; 3] = [Format::Raw, Format::Zlib, Format::Gzip];
pub const WINDOWS: [Window; 4] = [Window::Kib4, Window::Kib8, Window::Kib16, Window::Kib32];

/// Returns a random generator that depends on the seed alone.
pub fn seeded(seed: u64) -> Pcg64Mcg {
    Pcg64Mcg::seed_from_u64(seed)
}

/// Returns `len` bytes of a random kind.
pub fn input(rng: &mut Pcg64Mcg, len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len + 300);
    match rng.random_range(0..9) {
        // Random, of a large or a small alphabet.
        0 => bytes.extend((0..len).map(|_| rng.random::<u8>())),
        1 => {
            let alphabet = rng.random_range(1..=30_u8);
            bytes.extend((0..len).map(|_| rng.random_range(0..alphabet)));
        }
        // Skewed.
        2 => bytes
            .extend((0..len).map(|_| rng.random::<u8>() & rng.random::<u8>() & rng.random::<u8>())),
        // Periodic, with errors or without.
        3 => {
            let period = rng.random_range(1..=600);
            let errors = rng.random_range(0..3) * 400;
            let pattern: Vec<u8> = (0..period).map(|_| rng.random()).collect();
            bytes.extend((0..len).map(|i| {
                let error = errors > 0 && rng.random_ratio(1, errors);
                if error { rng.random::<u8>() } else { pattern[i % period] }
            }));
        }
        // Runs.
        4 => {
            while bytes.len() < len {
                let longest = 2 << rng.random_range(0..9);
                let run = rng.random_range(1..=longest);
                bytes.extend(std::iter::repeat_n(rng.random::<u8>(), run));
            }
        }
        // Constant, or nearly.
        5 => {
            bytes.resize(len, rng.random::<u8>());
            if len > 0 && rng.random_bool(0.5) {
                let at = rng.random_range(0..len);
                bytes[at] ^= 1;
            }
        }
        // Pieces of several kinds.
        6 => {
            let longest = rng.random_range(1..=30_000);
            while bytes.len() < len {
                let piece = rng.random_range(1..=longest);
                bytes.extend(input(rng, piece));
            }
        }
        // Copies from anywhere before, between literals.
        _ => {
            let literals = rng.random_range(1..=12);
            let longest = 4 + rng.random_range(0..400);
            while bytes.len() < len {
                for _ in 0..rng.random_range(0..=literals) {
                    bytes.push(b'a' + rng.random_range(0..26_u8));
                }
                if !bytes.is_empty() {
                    let from = rng.random_range(0..bytes.len());
                    for i in 0..rng.random_range(0..longest) {
                        bytes.push(bytes[from + i]);
                    }
                }
            }
        }
    }
    bytes.truncate(len);
    bytes
}

/// Decodes with libdeflate.
pub fn libdeflate(format: Format, stream: &[u8], len: usize) -> Vec<u8> {
    let mut decoder = libdeflater::Decompressor::new();
    let mut bytes = vec![0; len];
    let n = match format {
        Format::Raw => decoder.deflate_decompress(stream, &mut bytes),
        Format::Zlib => decoder.zlib_decompress(stream, &mut bytes),
        Format::Gzip => decoder.gzip_decompress(stream, &mut bytes),
    };
    assert_eq!(n.expect("libdeflate decodes"), len);
    bytes
}

/// Decodes with zlib, with a window no larger than stated.
pub fn zlib(format: Format, stream: &[u8], window: Window, len: usize) -> Vec<u8> {
    zlib_within(window, format, stream, len).expect("zlib decodes")
}

/// Decodes with zlib and a history limited to `window`.
///
/// Within one call zlib looks back through its whole output, so each call outputs one byte.
pub fn zlib_within(
    window: Window,
    format: Format,
    stream: &[u8],
    len: usize,
) -> Result<Vec<u8>, flate2::DecompressError> {
    let bits = window.bits() as u8;
    let mut decoder = match format {
        Format::Raw => flate2::Decompress::new_with_window_bits(false, bits),
        Format::Zlib => flate2::Decompress::new_with_window_bits(true, bits),
        Format::Gzip => flate2::Decompress::new_gzip(bits),
    };
    // One more byte, to reach the end of the stream.
    let mut bytes = vec![0; len + 1];
    let mut status = flate2::Status::Ok;
    while status == flate2::Status::Ok {
        let (read, written) = (decoder.total_in() as usize, decoder.total_out() as usize);
        let next = &mut bytes[written..][..1];
        status = decoder.decompress(&stream[read..], next, flate2::FlushDecompress::None)?;
    }
    assert_eq!(status, flate2::Status::StreamEnd);
    assert_eq!(decoder.total_in() as usize, stream.len());
    bytes.truncate(decoder.total_out() as usize);
    Ok(bytes)
}

/// Decodes with `miniz_oxide`, which doesn't support gzip.
pub fn miniz(format: Format, stream: &[u8]) -> Vec<u8> {
    match format {
        Format::Raw => miniz_oxide::inflate::decompress_to_vec(stream),
        Format::Zlib => miniz_oxide::inflate::decompress_to_vec_zlib(stream),
        Format::Gzip => miniz_oxide::inflate::decompress_to_vec(&stream[10..stream.len() - 8]),
    }
    .expect("miniz_oxide decodes")
}

/// Compresses within the bound and into a buffer of the exact size, and checks what a decoder can't
/// see.
pub fn compress(encoder: &mut Encoder, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0xa5; encoder.bound(bytes.len()) + 16];
    let bound = encoder.bound(bytes.len());
    let len = encoder.compress(bytes, &mut out[..bound]).expect("the bound suffices");
    assert!(out[bound..].iter().all(|&b| b == 0xa5));

    let mut exact = vec![0; len];
    assert_eq!(encoder.compress(bytes, &mut exact), Ok(len));
    assert_eq!(exact, out[..len], "output depends on the buffer size");
    if len > 0 {
        let mut short = vec![0xa5; len - 1];
        let error = encoder.compress(bytes, &mut short).expect_err("one byte too small");
        if bytes.len() <= 65536 {
            assert_eq!(error.needed, len);
            assert!(short.iter().all(|&b| b == 0xa5), "partial output was written");
        }
    }
    exact
}

/// Strips header and trailer.
pub fn raw(format: Format, stream: &[u8]) -> &[u8] {
    match format {
        Format::Raw => stream,
        Format::Zlib => &stream[2..stream.len() - 4],
        Format::Gzip => &stream[10..stream.len() - 8],
    }
}

/// Compresses with these settings and decodes with all decoders.
pub fn check(encoder: &mut Encoder, bytes: &[u8]) -> usize {
    let (format, window) = (encoder.format(), encoder.window());
    let stream = compress(encoder, bytes);
    assert!(libdeflate(format, &stream, bytes.len()) == bytes, "libdeflate");
    assert!(zlib(format, &stream, window, bytes.len()) == bytes, "zlib");
    assert!(miniz(format, &stream) == bytes, "miniz_oxide");
    let seen = inflate::inflate(raw(format, &stream));
    assert!(seen.bytes == bytes, "inflate");
    assert!(seen.ended && seen.max_distance <= window.size());
    assert_eq!(seen.len, raw(format, &stream).len());
    stream.len()
}
