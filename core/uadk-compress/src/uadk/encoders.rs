//! Encodes the device's sequences: zstd frames and LZ4 blocks.

use std::cell::RefCell;

use block_zstd::{Encoder, Sequence};
use uadk_sys::abi;

use super::lz4_block;
use super::lz77::{self, Counts};
use crate::{Error, Format};

/// Bytes of the counts before stored matches.
const COUNTS_LEN: usize = 16;

thread_local! {
    static ENCODERS: RefCell<Encoders> = const { RefCell::new(Encoders::new()) };
}

struct Encoders {
    sequences: Vec<Sequence>,
    /// Created at its first use.
    zstd: Option<Box<Encoder>>,
}

/// The output of the device for one block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    pub(super) alg_type: u32,
    /// The whole buffer that the device was offered.
    pub(super) output: &'a [u8],
    pub(super) counts: Counts,
}

/// Encodes `src` in `dst` with the sequences that the device found, and returns the length.
///
/// # Errors
///
/// [`Error::OutputFull`]; [`Error::Corrupt`] if the sequences don't describe `src`.
pub(super) fn encode(
    format: Format,
    src: &[u8],
    found: Found<'_>,
    dst: &mut [u8],
) -> Result<usize, Error> {
    with(|encoders| encoders.encode(format, src, found, dst))
}

/// Encodes a block in pieces, each with the matches that were [stored](store), as one zstd frame.
/// `stored` returns those of the piece with this index.
///
/// # Errors
///
/// As for [`encode`].
pub(super) fn encode_pieces<'a>(
    src: &[u8],
    piece_len: usize,
    stored: impl Fn(usize) -> Option<&'a [u8]>,
    dst: &mut [u8],
) -> Result<usize, Error> {
    with(|encoders| {
        let Encoders { sequences, zstd } = encoders;
        let encoder = zstd.get_or_insert_with(Box::default);
        let mut len = encoder.start(Some(src.len() as u64), dst).map_err(from_encoder)?;
        let last = src.len().div_ceil(piece_len) - 1;
        for (i, piece) in src.chunks(piece_len).enumerate() {
            let (counts, stored) = stored(i).and_then(restore).ok_or(Error::Corrupt)?;
            lz77::read(abi::WD_LZ77_ZSTD, piece.len(), stored, counts, sequences)
                .ok_or(Error::Corrupt)?;
            let dst = &mut dst[len..];
            len += encoder.block(piece, sequences, i == last, dst).map_err(from_encoder)?;
        }
        Ok(len)
    })
}

/// Returns how many bytes [`store`] needs for the matches of `len` bytes.
pub(super) const fn store_capacity(len: usize) -> usize {
    COUNTS_LEN + abi::SEQUENCE_LEN * (len / abi::MIN_MATCH + 2)
}

/// Stores the matches of `src` in `dst`, unchecked, and returns the length.
///
/// # Errors
///
/// [`Error::Corrupt`] if there are more than can be.
pub(super) fn store(src: &[u8], found: Found<'_>, dst: &mut [u8]) -> Result<usize, Error> {
    let Counts { literals, sequences, overflows, overflow_at } = found.counts;
    let stored = lz77::stored(found.output, src.len(), found.counts).ok_or(Error::Corrupt)?;
    let (head, rest) = dst.split_first_chunk_mut::<COUNTS_LEN>().ok_or(Error::OutputFull)?;
    for (field, count) in
        head.chunks_exact_mut(4).zip([literals, sequences, overflows, overflow_at])
    {
        field.copy_from_slice(&count.to_le_bytes());
    }
    rest.get_mut(..stored.len()).ok_or(Error::Corrupt)?.copy_from_slice(stored);
    Ok(COUNTS_LEN + stored.len())
}

/// Returns what was [stored](store).
fn restore(bytes: &[u8]) -> Option<(Counts, &[u8])> {
    let (head, stored) = bytes.split_first_chunk::<COUNTS_LEN>()?;
    let count = |i: usize| u32::from_le_bytes([head[i], head[i + 1], head[i + 2], head[i + 3]]);
    let [literals, sequences, overflows, overflow_at] = [0, 4, 8, 12].map(count);
    Some((Counts { literals, sequences, overflows, overflow_at }, stored))
}

/// Calls `work` with this thread's encoders. If they are gone because the thread is being torn
/// down, with others for this call.
fn with<R>(work: impl FnOnce(&mut Encoders) -> R) -> R {
    let mut work = Some(work);
    let done = ENCODERS.try_with(|encoders| {
        let mut encoders = encoders.try_borrow_mut().ok()?;
        Some(work.take()?(&mut encoders))
    });
    match (done, work) {
        (Ok(Some(result)), _) => result,
        (_, Some(work)) => work(&mut Encoders::new()),
        (_, None) => unreachable!("`work` ran, so there is a result"),
    }
}

fn from_encoder(error: block_zstd::Error) -> Error {
    match error {
        block_zstd::Error::DoesNotFit { .. } => Error::OutputFull,
        _ => Error::Corrupt,
    }
}

impl Encoders {
    const fn new() -> Self {
        Self { sequences: Vec::new(), zstd: None }
    }

    fn encode(
        &mut self,
        format: Format,
        src: &[u8],
        found: Found<'_>,
        dst: &mut [u8],
    ) -> Result<usize, Error> {
        let Self { sequences, zstd } = self;
        let Found { alg_type, output, counts } = found;
        let stored = lz77::stored(output, src.len(), counts).ok_or(Error::Corrupt)?;
        // Almost all blocks of zstd: only a sequence with 64 KiB of literals needs more.
        let as_coded =
            format == Format::Zstd && alg_type == abi::WD_LZ77_ZSTD && counts.overflows == 0;
        if !as_coded {
            lz77::read(alg_type, src.len(), stored, counts, sequences).ok_or(Error::Corrupt)?;
        }
        if format == Format::Lz4 {
            return lz4_block::encode(src, sequences, dst);
        }
        let encoder = zstd.get_or_insert_with(Box::default);
        let result = if as_coded {
            encoder.compress_coded(src, lz77::coded(stored, counts), dst)
        } else {
            encoder.compress(src, sequences, dst)
        };
        result.map_err(from_encoder)
    }
}
