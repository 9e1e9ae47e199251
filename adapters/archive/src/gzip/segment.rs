//! Segments: pieces of one deflate stream that are compressed independently.
//!
//! A segment refers to no data before it, begins and ends at a byte boundary, and none of its
//! blocks is the last one of the stream. It ends in an empty stored block, as written by pigz and
//! by zlib's `Z_SYNC_FLUSH`.

use std::array;
use std::ops::Range;
use std::sync::Arc;

use block_deflate::{Encoder, Mode};
use uadk_compress::{
    Block, BlockCompressor, Checked, Format, Level, SoftwareCompressor, SoftwareEncoder,
};

use super::last_block::{Finder, SLACK};
use super::layout::Layout;
use super::member::EMPTY_DEFLATE;

/// Bytes of data in a full segment. Larger segments cost time when a small file of an archive is
/// read; smaller ones cost ratio, as each begins without history.
pub(crate) const SEGMENT_LEN: usize = 512 << 10;
/// Data of at most this length that forms a whole stream is also compressed with our own encoder.
const SHORT_LEN: usize = 64;
/// The maximum data of a stored block.
const STORED_LEN: usize = 0xffff;
/// Bytes of a stored block before its data.
pub(crate) const STORED_HEADER: usize = 5;
/// The maximum length of a segment, plus space for an engine to exceed it before it is rejected.
pub(super) const MAX_LEN: usize =
    SEGMENT_LEN + (SEGMENT_LEN.div_ceil(STORED_LEN) + 1) * STORED_HEADER + SLACK;
/// The byte-aligned end of an empty stored block: all of it except the three header bits.
pub(super) const SYNC_MARKER: [u8; 4] = [0, 0, 0xff, 0xff];
/// Ends a stream after a segment: an empty last block with fixed codes.
pub(super) const END: [u8; 2] = EMPTY_DEFLATE;

/// The engine that compresses segments.
#[derive(Clone, Debug)]
pub(super) enum SegmentEngine {
    /// Our own encoder, which produces segments directly.
    Fast(Mode),
    /// An engine for whole streams, whose ends are turned into segment ends.
    Streams(Checked<Arc<dyn BlockCompressor>>),
}

impl SegmentEngine {
    /// Creates a software engine for a gzip level.
    pub(super) fn software(level: Level) -> Result<Self, uadk_compress::Error> {
        if level.get() <= 1 {
            let mode = if level == Level::FASTEST { Mode::Fast } else { Mode::Default };
            return Ok(Self::Fast(mode));
        }
        let level = Layout::OneMember.software_level(level);
        let engine = SoftwareCompressor::new(Format::RawDeflate, level)?;
        let engine = engine.with_encoder(SoftwareEncoder::Libdeflate);
        Ok(Self::Streams(Checked::new(Arc::new(engine))))
    }
}

/// A [`SegmentEngine`] with the contexts of one thread.
#[derive(Debug)]
pub(super) enum SegmentEncoder {
    Fast(Box<Encoder>),
    Streams { engine: Checked<Arc<dyn BlockCompressor>>, finders: Box<[Finder; 2]> },
}

impl SegmentEncoder {
    pub(super) fn new(engine: &SegmentEngine) -> Self {
        match engine {
            SegmentEngine::Fast(mode) => Self::Fast(Box::new(Encoder::new(*mode))),
            SegmentEngine::Streams(engine) => {
                let finders = Box::new([Finder::new(), Finder::new()]);
                Self::Streams { engine: engine.clone(), finders }
            }
        }
    }

    /// Compresses up to two pieces of data, of 1 to [`SEGMENT_LEN`] bytes each, into segments, and
    /// returns their lengths. Each has [`MAX_LEN`] bytes of `out`.
    pub(super) fn compress(&mut self, data: &[u8], out: &mut [u8]) -> [usize; 2] {
        let pieces = || data.chunks(SEGMENT_LEN);
        let mut lens = [None; 2];
        match self {
            Self::Fast(encoder) => {
                for ((piece, out), len) in pieces().zip(out.chunks_mut(MAX_LEN)).zip(&mut lens) {
                    *len = encoder.compress_segment(piece, out).ok();
                }
            }
            Self::Streams { engine, finders } => {
                let outputs = out.chunks_mut(MAX_LEN);
                let mut blocks: Vec<Block<'_>> = pieces()
                    .zip(outputs)
                    .map(|(piece, out)| Block::new(piece, &mut out[..output_limit(piece.len())]))
                    .collect();
                engine.compress_batch(&mut blocks);
                let streams: [usize; 2] = array::from_fn(|i| {
                    blocks.get(i).map_or(0, |block| block.result().unwrap_or(0))
                });
                drop(blocks);
                lens = join_both(finders, out, streams);
            }
        }
        let mut pieces = pieces().zip(out.chunks_mut(MAX_LEN));
        lens.map(|len| pieces.next().map_or(0, |(piece, out)| finish(piece, out, len)))
    }

    /// Compresses up to [`SEGMENT_LEN`] bytes of data into a whole stream, which nothing can
    /// follow, and returns its length. `out` has [`MAX_LEN`] bytes.
    pub(super) fn compress_whole(&mut self, data: &[u8], out: &mut [u8]) -> usize {
        let limit = output_limit(data.len());
        let len = match self {
            Self::Fast(encoder) => encoder.compress(data, &mut out[..limit]).ok(),
            Self::Streams { engine, finders } => {
                let mut blocks = [Block::new(data, &mut out[..limit])];
                engine.compress_batch(&mut blocks);
                let [block] = blocks;
                let len = block.result().ok();
                len.filter(|len| finders[0].find(out, *len).is_some())
            }
        };
        let by_software = || {
            let software = SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED).ok()?;
            software.compress(data, &mut out[..limit]).ok()
        };
        let len = len.or_else(by_software).filter(|len| *len <= stored_len(data.len()));
        let shorter = compress_short(data, len.unwrap_or(limit));
        match (len, shorter) {
            (_, Some(shorter)) => {
                out[..shorter.len()].copy_from_slice(&shorter);
                shorter.len()
            }
            (Some(len), None) => len,
            (None, None) => {
                out[0] = 0;
                let len = 1 + store(data, &mut out[1..]);
                let last = data.len().saturating_sub(1) / STORED_LEN;
                out[last * (STORED_LEN + STORED_HEADER)] = 1;
                len
            }
        }
    }
}

/// Compresses a few bytes of data with our own encoder; `None` unless the stream is shorter than
/// `len`. Engines store such data, but codes make it shorter.
fn compress_short(data: &[u8], len: usize) -> Option<Vec<u8>> {
    if data.len() > SHORT_LEN {
        return None;
    }
    let mut out = vec![0; Encoder::segment_bound(data.len())];
    let shorter = Encoder::new(Mode::Default).compress(data, &mut out).ok()?;
    out.truncate(shorter);
    (shorter < len).then_some(out)
}

/// Returns the output limit of an engine for a piece of data: the length of the data when stored.
const fn output_limit(len: usize) -> usize {
    stored_len(len) + STORED_HEADER
}

const fn stored_len(len: usize) -> usize {
    len + len.div_ceil(STORED_LEN) * STORED_HEADER
}

/// Completes a segment and returns its length: `len`, if an engine produced it and it is not longer
/// than the stored data. Software takes over if the engine failed or its stream was invalid.
fn finish(piece: &[u8], out: &mut [u8], len: Option<usize>) -> usize {
    let by_software = || {
        let software = SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED).ok()?;
        let len = software.compress(piece, &mut out[..output_limit(piece.len())]).ok()?;
        let last = Finder::new().find(out, len)?;
        Some(join(out, len, last))
    };
    match len.or_else(by_software) {
        Some(len) if len < output_limit(piece.len()) => len,
        _ => {
            let len = store(piece, &mut out[1..]);
            out[0] = 0;
            out[1 + len] = 0;
            out[2 + len..6 + len].copy_from_slice(&SYNC_MARKER);
            6 + len
        }
    }
}

/// Turns whole streams of these lengths into segments; returns their lengths.
fn join_both(finders: &mut [Finder; 2], out: &mut [u8], lens: [usize; 2]) -> [Option<usize>; 2] {
    let [first, second] = finders;
    let found = match lens {
        [0, 0] => [None, None],
        [len, 0] => [first.find(out, len), None],
        [0, len] => [None, second.find(&out[MAX_LEN..], len)],
        [one, other] => {
            let (a, b) = out.split_at(MAX_LEN);
            Finder::find_both([first, second], [(a, one), (b, other)])
        }
    };
    let mut outputs = out.chunks_mut(MAX_LEN);
    array::from_fn(|i| {
        let out = outputs.next()?;
        Some(join(out, lens[i], found[i].clone()?))
    })
}

/// Turns a whole stream of `len` bytes with last block `last` into a segment; returns its length.
fn join(out: &mut [u8], len: usize, last: Range<usize>) -> usize {
    out[last.start / 8] &= !(1 << (last.start % 8));
    // Three zero bits begin a stored block that is not the last one; zeros pad its first byte.
    let end = (last.end + 3).div_ceil(8);
    out[len..end].fill(0);
    let used = last.end % 8;
    if used > 0 {
        out[last.end / 8] &= (1 << used) - 1;
    }
    out[end..end + 4].copy_from_slice(&SYNC_MARKER);
    end + 4
}

/// Writes `data` as stored blocks, except the first byte of the first block, which the caller
/// writes. Returns the length.
pub(super) fn store(data: &[u8], out: &mut [u8]) -> usize {
    let mut at = 0;
    for (i, piece) in data.chunks(STORED_LEN).enumerate() {
        if i > 0 {
            out[at] = 0;
            at += 1;
        }
        let len = piece.len() as u16;
        out[at..at + 2].copy_from_slice(&len.to_le_bytes());
        out[at + 2..at + 4].copy_from_slice(&(!len).to_le_bytes());
        out[at + 4..at + 4 + piece.len()].copy_from_slice(piece);
        at += 4 + piece.len();
    }
    at
}
