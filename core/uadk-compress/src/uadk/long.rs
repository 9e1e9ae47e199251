//! zstd frames of blocks that are longer than the device takes at once. Their pieces are a batch.
//! Each is a block of the frame, and can be encoded only after those before it, since zstd's repeat
//! offsets go on. So the matches of all pieces are collected first.

use std::cell::RefCell;

use uadk_sys::abi;

use super::call::Call;
use super::encoders;
use crate::{Block, Error};

/// The bytes of a piece.
const PIECE: usize = abi::MAX_LZ77_ZSTD_INPUT;
/// Bytes that a thread keeps for the matches of its next long block.
const MAX_KEPT: usize = 8 << 20;

thread_local! {
    static MATCHES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Compresses a block on the device. While the queue is full, its pieces are offered to the device
/// up to `tries` times.
pub(super) fn compress(
    call: Call<'_>,
    tries: u32,
    src: &[u8],
    dst: &mut [u8],
) -> Result<usize, Error> {
    // Taken, so that nothing else can use it meanwhile.
    let mut matches = MATCHES.try_with(RefCell::take).unwrap_or_default();
    let result = compress_with(call, tries, &mut matches, src, dst);
    if matches.capacity() <= MAX_KEPT {
        let _ = MATCHES.try_with(|kept| kept.replace(matches));
    }
    result
}

fn compress_with(
    call: Call<'_>,
    tries: u32,
    matches: &mut Vec<u8>,
    src: &[u8],
    dst: &mut [u8],
) -> Result<usize, Error> {
    let capacity = encoders::store_capacity(PIECE);
    let len = capacity * src.len().div_ceil(PIECE);
    if matches.len() < len {
        matches.resize(len, 0);
    }
    let mut pieces: Vec<_> = src
        .chunks(PIECE)
        .zip(matches.chunks_mut(capacity))
        .map(|(src, dst)| Block::new(src, dst))
        .collect();
    let mut offers = 0;
    Call { stores_matches: true, ..call }.run(&mut pieces, &mut |_, piece| {
        offers += 1;
        let enough = offers >= tries;
        if enough {
            piece.set_result(Err(Error::Busy));
        }
        enough
    });
    for piece in &pieces {
        piece.result()?;
    }
    encoders::encode_pieces(src, PIECE, |i| pieces.get(i)?.output().ok(), dst).map_err(|error| {
        match error {
            Error::Corrupt => Error::Device { code: abi::WD_OUT_EPARA.cast_signed() },
            error => error,
        }
    })
}

/// Returns whether a block is longer than the device takes at once.
pub(super) fn is_long(block: &Block<'_>) -> bool {
    block.src().len() > PIECE
}
