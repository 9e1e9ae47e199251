//! Real blocks through an engine, there and back.

use std::fmt::Write;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::{Block, BlockCompressor, Error, Format, Level, SoftwareCompressor};

/// Bytes of a block.
const BLOCK: usize = 16 << 10;
/// Blocks of a batch: as many as keep an accelerator busy.
const BATCH: usize = 64;
/// Each direction is repeated for so long.
const MEASURED_TIME: Duration = Duration::from_millis(100);
/// Blocks that find the queues full are tried again for so long.
const BUSY_LIMIT: Duration = Duration::from_millis(50);

/// What a [`round_trip`] measured.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RoundTrip {
    /// The format of the compressed blocks.
    pub format: Format,
    /// Bytes of a block.
    pub block_size: usize,
    /// Bytes of all blocks of the sample.
    pub bytes: usize,
    /// Bytes that they were compressed to.
    pub compressed: usize,
    /// Compressed bytes go in at this rate, in units of 1,000,000 bytes per second of the clock on
    /// the wall, by one thread.
    pub compress_mb_per_s: f64,
    /// The same for bytes that come out when decompressing.
    pub decompress_mb_per_s: f64,
}

/// Compresses a built-in sample of 1 MiB with `codec` in batches, decompresses it, and compares. It
/// takes a few tenths of a second.
///
/// The software engine decompresses what `codec` compressed as well, so that the answer does not
/// rest on `codec` alone.
///
/// # Errors
///
/// The engine's own; [`Error::Corrupt`] if something else came back than was put in.
pub fn round_trip(codec: &dyn BlockCompressor) -> Result<RoundTrip, Error> {
    let sample = sample(BLOCK * BATCH);
    let originals: Vec<_> = sample.chunks(BLOCK).collect();
    let room = codec.max_compressed_len(BLOCK);
    let (packed, compress) = timed(room, &originals, |blocks| codec.compress_batch(blocks))?;
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

/// Calls `work` with a batch of `inputs`, again and again; returns the outputs and the time of the
/// fastest run.
fn timed(
    room: usize,
    inputs: &[&[u8]],
    work: impl Fn(&mut [Block<'_>]),
) -> Result<(Vec<Vec<u8>>, Duration), Error> {
    let mut outputs = vec![vec![0; room]; inputs.len()];
    let mut fastest = Duration::MAX;
    let begin = Instant::now();
    loop {
        for output in &mut outputs {
            output.resize(room, 0);
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
        let lens: Result<Vec<usize>, Error> = blocks.iter().map(Block::result).collect();
        for (output, len) in outputs.iter_mut().zip(lens?) {
            output.truncate(len);
        }
        if begin.elapsed() >= MEASURED_TIME {
            return Ok((outputs, fastest));
        }
    }
}

/// Text that compresses about as well as logs and rows do.
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
    fn the_software_engine_gets_its_blocks_back_in_every_format() {
        for format in [Format::RawDeflate, Format::Zlib, Format::Gzip] {
            let engine = SoftwareCompressor::new(format, Level::FASTEST).expect("a format of ours");
            let result = round_trip(&engine).expect("software works");
            assert_eq!(result.format, format);
            assert!(result.compressed * 2 < result.bytes, "{result:?}");
            assert!(result.compress_mb_per_s > 0.0 && result.decompress_mb_per_s > 0.0);
        }
    }

    /// Gives the right lengths and wrong bytes.
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

    /// Never has a free queue.
    #[derive(Debug)]
    struct Crowded;

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
    }

    #[test]
    fn wrong_bytes_are_corrupt_and_full_queues_end_in_busy() {
        assert_eq!(round_trip(&Forgetful), Err(Error::Corrupt));
        assert_eq!(round_trip(&Crowded), Err(Error::Busy));
    }
}
