//! Segments: pieces of one deflate stream that are made independently of each other.
//!
//! A segment refers to no data before it, begins and ends at a byte, and none of its blocks is the
//! last of the stream. It ends in an empty stored block, as pigz and zlib's `Z_SYNC_FLUSH` leave it.

use std::sync::Arc;

use block_deflate::{Encoder, Mode};
use uadk_compress::{BlockCompressor, Checked, Format, Level, SoftwareCompressor};

use super::last_block::{Finder, SLACK};
use super::member::EMPTY_DEFLATE;

/// Bytes of data in a full segment. Larger ones cost time when a small file of an archive is read;
/// smaller ones cost ratio, since each begins without history.
pub(crate) const SEGMENT_LEN: usize = 256 << 10;
/// The most data of a stored block.
const STORED_LEN: usize = 0xffff;
/// Bytes of a stored block before its data.
pub(crate) const STORED_HEADER: usize = 5;
/// The longest segment, and room for what an engine writes before it is known to be longer.
pub(super) const MAX_LEN: usize =
    SEGMENT_LEN + (SEGMENT_LEN.div_ceil(STORED_LEN) + 1) * STORED_HEADER + SLACK;
/// The end of an empty stored block, which is all of it where it begins at a byte but for three bits.
pub(super) const SYNC_MARKER: [u8; 4] = [0, 0, 0xff, 0xff];
/// The end of a stream behind a segment: an empty block with fixed codes.
pub(super) const END: [u8; 2] = EMPTY_DEFLATE;

/// What makes segments.
#[derive(Clone, Debug)]
pub(super) enum SegmentEngine {
    /// Our own encoder, which makes segments itself.
    Fast(Mode),
    /// An engine for whole streams, whose ends are turned into joints.
    Streams(Checked<Arc<dyn BlockCompressor>>),
}

impl SegmentEngine {
    /// Software for a level.
    pub(super) fn software(level: Level) -> Result<Self, uadk_compress::Error> {
        if level.get() <= 1 {
            let mode = if level == Level::FASTEST { Mode::Fast } else { Mode::Default };
            return Ok(Self::Fast(mode));
        }
        let engine = SoftwareCompressor::new(Format::RawDeflate, level)?;
        Ok(Self::Streams(Checked::new(Arc::new(engine))))
    }
}

/// A [`SegmentEngine`] with the contexts that one thread needs.
#[derive(Debug)]
pub(super) enum SegmentEncoder {
    Fast(Box<Encoder>),
    Streams { engine: Checked<Arc<dyn BlockCompressor>>, finder: Box<Finder> },
}

impl SegmentEncoder {
    pub(super) fn new(engine: &SegmentEngine) -> Self {
        match engine {
            SegmentEngine::Fast(mode) => Self::Fast(Box::new(Encoder::new(*mode))),
            SegmentEngine::Streams(engine) => {
                Self::Streams { engine: engine.clone(), finder: Box::new(Finder::new()) }
            }
        }
    }

    /// Makes a segment of `data`, which has 1 to [`SEGMENT_LEN`] bytes, at the beginning of `out`, and
    /// returns its length.
    pub(super) fn compress(&mut self, data: &[u8], out: &mut [u8]) -> usize {
        let stored_len = data.len() + data.len().div_ceil(STORED_LEN) * STORED_HEADER;
        let len = match self {
            Self::Fast(encoder) => encoder.compress_segment(data, out).ok(),
            Self::Streams { engine, finder } => {
                let room = stored_len + STORED_HEADER;
                let made = engine.compress(data, &mut out[..room]);
                let joined = made.ok().and_then(|len| join(finder, out, len));
                joined.or_else(|| {
                    // An engine that fails, or whose stream is none, has its work done by software.
                    let software = SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED);
                    let len = software.and_then(|e| e.compress(data, &mut out[..room])).ok()?;
                    join(finder, out, len)
                })
            }
        };
        match len {
            Some(len) if len < stored_len + STORED_HEADER => len,
            _ => {
                let len = store(data, &mut out[1..]);
                out[0] = 0;
                out[1 + len] = 0;
                out[2 + len..6 + len].copy_from_slice(&SYNC_MARKER);
                6 + len
            }
        }
    }
}

/// Turns a whole stream of `len` bytes into a segment; returns its length.
fn join(finder: &mut Finder, out: &mut [u8], len: usize) -> Option<usize> {
    let last = finder.find(out, len)?;
    out[last.start / 8] &= !(1 << (last.start % 8));
    // Three zeros begin a stored block that is not the last one; zeros fill its first byte.
    let end = (last.end + 3).div_ceil(8);
    out[len..end].fill(0);
    let used = last.end % 8;
    if used > 0 {
        out[last.end / 8] &= (1 << used) - 1;
    }
    out[end..end + 4].copy_from_slice(&SYNC_MARKER);
    Some(end + 4)
}

/// Writes `data` as stored blocks, without the first byte of the first of them, which the caller
/// writes; returns the length.
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
