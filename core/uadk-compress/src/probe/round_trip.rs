//! A round trip of real blocks through an engine.

use std::fmt::Write;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::{Block, BlockCompressor, Error, Format, Level, SoftwareCompressor};

/// Bytes per block.
const BLOCK: usize = 16 << 10;
/// Blocks per batch: enough to keep an accelerator busy.
const BATCH: usize = 64;
/// How long each direction is measured.
const MEASURED_TIME: Duration = Duration::from_millis(100);
/// How long blocks that find the queues full are retried.
const BUSY_LIMIT: Duration = Duration::from_millis(50);

/// What a [`round_trip`] measured.
///
/// ```
/// use uadk_compress::probe::{RoundTrip, round_trip};
/// use uadk_compress::{Format, Level, SoftwareCompressor};
///
/// let engine = SoftwareCompressor::new(Format::Zlib, Level::FAST)?;
/// let RoundTrip { bytes, compressed, compress_mb_per_s, .. } = round_trip(&engine)?;
/// println!("{compress_mb_per_s:.0} MB/s");
/// assert!(compressed < bytes);
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RoundTrip {
    /// The format of the compressed blocks.
    pub format: Format,
    /// Uncompressed bytes per block.
    pub block_size: usize,
    /// Uncompressed bytes of all blocks of the sample.
    pub bytes: usize,
    /// Compressed bytes of all blocks of the sample.
    pub compressed: usize,
    /// The rate of input bytes when compressing on one thread, in 1,000,000 bytes per second of
    /// wall-clock time.
    pub compress_mb_per_s: f64,
    /// The rate of output bytes when decompressing, in the same unit.
    pub decompress_mb_per_s: f64,
}

/// Compresses a built-in sample of 1 MiB with `codec` in batches, decompresses it, and compares.
/// Takes a few tenths of a second.
///
/// The software engine also decompresses the compressed blocks, so that the result does not rest on
/// `codec` alone.
///
/// # Errors
///
/// The engine's errors; [`Error::Corrupt`] if the restored data differs.
pub fn round_trip(codec: &dyn BlockCompressor) -> Result<RoundTrip, Error> {
    let sample = sample(BLOCK * BATCH);
    let originals: Vec<_> = sample.chunks(BLOCK).collect();
    let capacity = codec.max_compressed_len(BLOCK);
    let (packed, compress) = timed(capacity, &originals, |blocks| codec.compress_batch(blocks))?;
    let packed: Vec<_> = packed.iter().map(Vec::as_slice).collect();
    let (restored, decompress) = timed(BLOCK, &packed, |blocks| codec.decompress_batch(blocks))?;

    let same =
        |blocks: &[Vec<u8>]| blocks.iter().zip(&originals).all(|(ours, block)| ours == block);
    if !same(&restored) {
        return Err(Error::Corrupt);
    }
    if let Ok(software) = SoftwareCompressor::new(codec.format(), Level::FAST) {
        let mut blocks = vec![vec![0; BLOCK]; packed.len()];
        for (packed, block) in packed.iter().zip(&mut blocks) {
            let len = software.decompress(packed, block)?;
            block.truncate(len);
        }
        if !same(&blocks) {
            return Err(Error::Corrupt);
        }
    }
    let mb_per_s = |time: Duration| sample.len() as f64 / 1e6 / time.as_secs_f64();
    Ok(RoundTrip {
        format: codec.format(),
        block_size: BLOCK,
        bytes: sample.len(),
        compressed: packed.iter().map(|block| block.len()).sum(),
        compress_mb_per_s: mb_per_s(compress),
        decompress_mb_per_s: mb_per_s(decompress),
    })
}

/// Calls `work` repeatedly with a batch of `inputs`. Returns the outputs and the time of the
/// fastest run.
fn timed(
    capacity: usize,
    inputs: &[&[u8]],
    work: impl Fn(&mut [Block<'_>]),
) -> Result<(Vec<Vec<u8>>, Duration), Error> {
    let mut outputs = vec![vec![0; capacity]; inputs.len()];
    let mut fastest = Duration::MAX;
    let begin = Instant::now();
    loop {
        for output in &mut outputs {
            output.resize(capacity, 0);
        }
        let mut blocks: Vec<_> = inputs
            .iter()
            .zip(&mut outputs)
            .map(|(input, output)| Block::new(input, output.as_mut_slice()))
            .collect();
        let start = Instant::now();
        work(&mut blocks);
        while start.elapsed() < BUSY_LIMIT {
            let is_busy = |block: &&mut Block<'_>| block.answer() == Some(&Err(Error::Busy));
            let mut busy = blocks.iter_mut().filter(is_busy);
            let Some(block) = busy.next() else { break };
            work(std::slice::from_mut(block));
        }
        fastest = fastest.min(start.elapsed());
        let lens = lens(&blocks)?;
        for (output, len) in outputs.iter_mut().zip(lens) {
            output.truncate(len);
        }
        if begin.elapsed() >= MEASURED_TIME {
            return Ok((outputs, fastest));
        }
    }
}

/// Returns the length of each output. A failure counts more than full queues, which may follow
/// from it.
fn lens(blocks: &[Block<'_>]) -> Result<Vec<usize>, Error> {
    let failure = blocks.iter().map(Block::result).find_map(|result| match result {
        Ok(_) | Err(Error::Busy) => None,
        Err(error) => Some(error),
    });
    failure.map_or_else(|| blocks.iter().map(Block::result).collect(), Err)
}

/// Returns text that compresses about as well as logs and database rows.
fn sample(len: usize) -> Vec<u8> {
    let mut text = String::with_capacity(len + 128);
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    while text.len() < len {
        let state: u64 = rng.random();
        let verb = ["read", "write", "flush", "compact"][state as usize % 4];
        _ = writeln!(
            text,
            "block {:08x} of file {:03}: {verb} took {} us",
            state >> 32,
            state % 512,
            state % 9973
        );
    }
    text.truncate(len);
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_software_engine_restores_its_blocks_in_every_format() {
        for format in [Format::RawDeflate, Format::Zlib, Format::Gzip] {
            let engine =
                SoftwareCompressor::new(format, Level::FASTEST).expect("a supported format");
            let result = round_trip(&engine).expect("software works");
            assert_eq!(result.format, format);
            assert!(result.compressed * 2 < result.bytes, "{result:?}");
            assert!(result.compress_mb_per_s > 0.0 && result.decompress_mb_per_s > 0.0);
        }
    }

    /// Returns the right lengths but the wrong bytes.
    #[derive(Debug)]
    struct Forgetful;

    impl BlockCompressor for Forgetful {
        fn format(&self) -> Format {
            Format::Custom("forgetful")
        }
        fn max_compressed_len(&self, len: usize) -> usize {
            len
        }
        fn compress(&self, src: &[u8], _: &mut [u8]) -> Result<usize, Error> {
            Ok(src.len())
        }
        fn decompress(&self, src: &[u8], _: &mut [u8]) -> Result<usize, Error> {
            Ok(src.len())
        }
    }

    /// Never has a free queue, or fails for the last block of a batch.
    #[derive(Debug)]
    struct Crowded {
        fails: bool,
    }

    impl BlockCompressor for Crowded {
        fn format(&self) -> Format {
            Format::Zlib
        }
        fn max_compressed_len(&self, len: usize) -> usize {
            len
        }
        fn compress(&self, _: &[u8], _: &mut [u8]) -> Result<usize, Error> {
            Err(Error::Busy)
        }
        fn decompress(&self, _: &[u8], _: &mut [u8]) -> Result<usize, Error> {
            Err(Error::Busy)
        }
        fn compress_batch(&self, blocks: &mut [Block<'_>]) {
            let last = blocks.len() - 1;
            for (i, block) in blocks.iter_mut().enumerate() {
                let fails = self.fails && i == last && i > 0;
                block.set_result(Err(if fails { Error::Corrupt } else { Error::Busy }));
            }
        }
    }

    #[test]
    fn wrong_bytes_are_corrupt_and_full_queues_result_in_busy() {
        assert_eq!(round_trip(&Forgetful), Err(Error::Corrupt));
        assert_eq!(round_trip(&Crowded { fails: false }), Err(Error::Busy));
    }

    #[test]
    fn a_failure_counts_more_than_full_queues() {
        assert_eq!(round_trip(&Crowded { fails: true }), Err(Error::Corrupt));
    }
}
