//! Inputs, sequences and the decoder.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::missing_panics_doc,
    clippy::must_use_candidate
)]

pub mod coded;
pub mod data;
pub mod libzstd;
pub mod parser;

use block_zstd::{Encoder, Error, MAX_BLOCK_LEN, Sequence, max_compressed_len};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

/// Returns a random generator that depends on the seed alone.
pub fn seeded(seed: u64) -> Pcg64Mcg {
    Pcg64Mcg::seed_from_u64(seed)
}

/// Compresses within the bound and into buffers of the exact size and a byte less.
pub fn compress(encoder: &mut Encoder, src: &[u8], sequences: &[Sequence]) -> Vec<u8> {
    let bound = max_compressed_len(src.len());
    let mut out = vec![0xa5; bound + 16];
    let len = encoder.compress(src, sequences, &mut out[..bound]).expect("the bound suffices");
    assert!(out[bound..].iter().all(|&b| b == 0xa5));

    let mut exact = vec![0; len];
    assert_eq!(encoder.compress(src, sequences, &mut exact), Ok(len));
    assert_eq!(exact, out[..len], "output depends on the buffer size");
    let mut short = vec![0xa5; len - 1];
    let result = encoder.compress(src, sequences, &mut short);
    assert_eq!(result, Err(Error::DoesNotFit { needed: len }));
    assert!(short.iter().all(|&b| b == 0xa5), "partial output was written");
    exact
}

/// Compresses, decodes, and returns the length. So do the same sequences as zstd stores them, if
/// they can be.
pub fn check(encoder: &mut Encoder, src: &[u8], sequences: &[Sequence]) -> usize {
    let frame = compress(encoder, src, sequences);
    libzstd::check(&frame, src);
    if let Some(list) = coded::code(sequences) {
        let mut out = vec![0; max_compressed_len(src.len())];
        let len = encoder.compress_coded(src, coded::of(&list, src), &mut out).expect("sound");
        libzstd::check(&out[..len], src);
    }
    frame.len()
}

/// Parses and compresses each piece as a block of one frame.
pub fn compress_blocks(encoder: &mut Encoder, pieces: &[&[u8]], size: Option<u64>) -> Vec<u8> {
    let mut parser = parser::Parser::new();
    let total = pieces.iter().map(|piece| piece.len() + 3).sum::<usize>();
    let mut frame = vec![0; total + 14];
    let mut len = encoder.start(size, &mut frame).expect("a header fits");
    for (i, piece) in pieces.iter().enumerate() {
        assert!(piece.len() <= MAX_BLOCK_LEN);
        let last = i + 1 == pieces.len();
        let sequences = parser.parse(piece);
        len += encoder.block(piece, &sequences, last, &mut frame[len..]).expect("a block fits");
    }
    frame.truncate(len);
    frame
}
