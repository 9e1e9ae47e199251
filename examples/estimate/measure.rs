//! Compresses and decompresses the sampled blocks, as RocksDB would.

use std::time::Duration;

use uadk_compress::{Block, BlockCompressor};
use uadk_compress_bench_support::cpu::measure_thread;

use crate::block::varint_len;
use crate::codecs::Case;
use crate::error::Error;
use crate::sample::LevelSample;

/// RocksDB's `max_compressed_bytes_per_kb`, at its default: of 1024 bytes, a block must save 128 to
/// be stored compressed.
const MAX_COMPRESSED_PER_KB: usize = 896;
/// Behind each block: its type and a checksum (`kBlockTrailerSize`).
const BLOCK_TRAILER: u64 = 5;
/// Blocks that are measured together. A device works on all of them at once.
const BATCH: usize = 64;

/// What became of some blocks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) blocks: u64,
    /// Bytes in files, with trailers.
    pub(crate) stored: u64,
    /// Blocks that didn't get small enough and are stored uncompressed.
    pub(crate) stored_raw: u64,
    /// CPU time of this thread.
    pub(crate) compress: Duration,
    pub(crate) decompress: Duration,
}

/// Measures a case on the sample of each level, in their order.
///
/// # Errors
///
/// Fails if the codec does, or if a block doesn't survive the round trip.
pub(crate) fn measure(case: &Case, samples: &[LevelSample]) -> Result<Vec<Measured>, Error> {
    let Some(codec) = case.codec.as_deref() else {
        return Ok(samples.iter().map(uncompressed).collect());
    };
    // A codec's first block pays for its context and for cold code.
    if let Some(first) = samples.first() {
        batch(case, codec, &first.blocks[..first.blocks.len().min(BATCH)])?;
    }
    let level = |sample: &LevelSample| {
        let batches = sample.blocks.chunks(BATCH).map(|blocks| batch(case, codec, blocks));
        batches.sum::<Result<Measured, Error>>()
    };
    samples.iter().map(level).collect()
}

fn uncompressed(sample: &LevelSample) -> Measured {
    let blocks = sample.blocks.len() as u64;
    let stored = sample.size() + blocks * BLOCK_TRAILER;
    Measured { blocks, stored, stored_raw: blocks, ..Measured::default() }
}

fn batch(case: &Case, codec: &dyn BlockCompressor, blocks: &[Vec<u8>]) -> Result<Measured, Error> {
    let failed = |source| Error::Codec { case: case.name(), source };
    let mut outputs: Vec<Vec<u8>> =
        blocks.iter().map(|block| vec![0; limit(block.len())]).collect();
    let mut jobs: Vec<_> =
        blocks.iter().zip(&mut outputs).map(|(src, dst)| Block::new(src, dst)).collect();
    let ((), compress) = measure_thread(|| codec.compress_batch(&mut jobs));
    let results: Vec<_> = jobs.iter().map(Block::result).collect();
    drop(jobs);

    let mut measured = Measured { compress: compress.cpu, ..Measured::default() };
    let mut compressed = Vec::with_capacity(blocks.len());
    for ((block, output), result) in blocks.iter().zip(&outputs).zip(results) {
        measured.blocks += 1;
        let stored = match result {
            Ok(len) => {
                compressed.push((block, &output[..len]));
                varint_len(block.len()) + len
            }
            Err(uadk_compress::Error::OutputFull) => {
                measured.stored_raw += 1;
                block.len()
            }
            Err(error) => return Err(failed(error)),
        };
        measured.stored += stored as u64 + BLOCK_TRAILER;
    }

    let mut restored: Vec<Vec<u8>> =
        compressed.iter().map(|(block, _)| vec![0; block.len()]).collect();
    let mut jobs: Vec<_> = compressed
        .iter()
        .zip(&mut restored)
        .map(|((_, src), dst)| Block::exact(src, dst))
        .collect();
    let ((), decompress) = measure_thread(|| codec.decompress_batch(&mut jobs));
    measured.decompress = decompress.cpu;
    for (job, (block, _)) in jobs.iter().zip(&compressed) {
        if job.output().map_err(failed)? != block.as_slice() {
            return Err(Error::WrongBytes { case: case.name() });
        }
    }
    Ok(measured)
}

/// Returns the space that RocksDB offers for a block's compressed bytes. The uncompressed size, a
/// varint, is in front of them.
fn limit(len: usize) -> usize {
    ((len * MAX_COMPRESSED_PER_KB) >> 10).saturating_sub(varint_len(len))
}

impl std::iter::Sum for Measured {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |sum, part| Self {
            blocks: sum.blocks + part.blocks,
            stored: sum.stored + part.stored,
            stored_raw: sum.stored_raw + part.stored_raw,
            compress: sum.compress + part.compress,
            decompress: sum.decompress + part.decompress,
        })
    }
}
