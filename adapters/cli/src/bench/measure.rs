//! Measures the speed of an engine on blocks.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use uadk_compress::{Block, BlockCompressor, Error, Level, SoftwareCompressor};

/// The number of blocks in a batch: enough to keep an accelerator busy.
const BATCH: usize = 64;
/// The maximum size of a batch in bytes, unless one block is larger.
const BATCH_BYTES: usize = 16 << 20;
/// Small data is measured repeatedly for this long, to rise above the clock's noise.
const MIN_TIME: Duration = Duration::from_millis(20);
/// A block that finds the queues full is retried for this long.
const BUSY_TIMEOUT: Duration = Duration::from_millis(100);

/// How blocks are passed to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// One at a time.
    Single,
    /// Up to 64 at a time.
    Batch,
}

impl Mode {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Batch => "batch",
        }
    }
}

/// A measurement.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measured {
    /// The bytes in the blocks that were processed.
    pub(super) bytes: usize,
    /// Their compressed size.
    pub(super) compressed: usize,
    pub(super) compress: Work,
    /// `None` if the engine does not decompress the format.
    pub(super) decompress: Option<Work>,
}

/// Work in one direction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Work {
    /// Uncompressed bytes.
    bytes: usize,
    /// CPU time of the process.
    cpu: Duration,
    /// Wall-clock time.
    wall: Duration,
}

impl Work {
    /// Returns the uncompressed bytes per second of CPU time, in units of 1,000,000.
    pub(super) fn mb_per_cpu_s(&self) -> f64 {
        rate(self.bytes, self.cpu)
    }

    /// Returns the uncompressed bytes per second of wall-clock time, in units of 1,000,000.
    pub(super) fn mb_per_s(&self) -> f64 {
        rate(self.bytes, self.wall)
    }
}

/// Why there is no measurement.
#[derive(Debug)]
pub(super) enum Failure {
    /// The engine returned an error.
    Engine(Error),
    /// The decompressed data differs from the original.
    WrongBytes,
}

/// Compresses and decompresses blocks of `data` until all are done or `share` has elapsed.
///
/// If `share` is too short for all blocks, those processed are spread evenly over the data.
pub(super) fn measure(
    codec: &dyn BlockCompressor,
    data: &[u8],
    block_size: usize,
    mode: Mode,
    share: Duration,
) -> Result<Measured, Failure> {
    let blocks: Vec<_> = data.chunks(block_size).collect();
    let batch = BATCH.min((BATCH_BYTES / block_size).max(1));
    let groups: Vec<_> = blocks.chunks(batch).collect();
    let order = spread(groups.len());

    let mut bench = Bench::new(codec, mode, block_size, batch);
    // Warms up: creates contexts and sessions, and faults in pages.
    bench.run(groups[0])?;
    let decompress = bench.measured.decompress.map(|_| Work::default());
    bench.measured = Measured { decompress, ..Measured::default() };
    let begin = Instant::now();
    for pass in 0.. {
        for group in &order {
            let counted = bench.measured;
            bench.run(groups[*group])?;
            if pass > 0 {
                // Repeated passes only count for the speed.
                (bench.measured.bytes, bench.measured.compressed) =
                    (counted.bytes, counted.compressed);
            }
            if begin.elapsed() >= share {
                return Ok(bench.measured);
            }
        }
        if begin.elapsed() >= MIN_TIME {
            break;
        }
    }
    Ok(bench.measured)
}

/// An engine being measured, with its buffers.
struct Bench<'a> {
    codec: &'a dyn BlockCompressor,
    mode: Mode,
    packed: Vec<Vec<u8>>,
    restored: Vec<Vec<u8>>,
    measured: Measured,
}

impl<'a> Bench<'a> {
    fn new(codec: &'a dyn BlockCompressor, mode: Mode, block_size: usize, batch: usize) -> Self {
        let capacity = codec.max_compressed_len(block_size);
        Self {
            codec,
            mode,
            packed: vec![vec![0; capacity]; batch],
            restored: vec![vec![0; block_size]; batch],
            measured: Measured { decompress: Some(Work::default()), ..Measured::default() },
        }
    }

    /// Compresses and decompresses at most one batch.
    fn run(&mut self, group: &[&[u8]]) -> Result<(), Failure> {
        let (codec, mode) = (self.codec, self.mode);
        let bytes = group.iter().map(|block| block.len()).sum();
        let measured = &mut self.measured;

        let mut blocks: Vec<_> =
            group.iter().zip(&mut self.packed).map(|(src, dst)| Block::new(src, dst)).collect();
        measured.compress.add(bytes, || compress(codec, mode, &mut blocks));
        let lens = results(&blocks).map_err(Failure::Engine)?;
        measured.bytes += bytes;
        measured.compressed += lens.iter().sum::<usize>();

        let packed = self.packed.iter().zip(&lens).map(|(packed, len)| &packed[..*len]);
        let mut blocks: Vec<_> = packed
            .zip(&mut self.restored)
            .zip(group)
            // Output buffers of the exact size, as in storage engines.
            .map(|((src, dst), block)| Block::exact(src, &mut dst[..block.len()]))
            .collect();
        match &mut measured.decompress {
            Some(work) => work.add(bytes, || decompress(codec, mode, &mut blocks)),
            None => decompress_in_software(codec, &mut blocks),
        }
        let first = blocks.first().map(Block::result);
        if measured.decompress.is_some()
            && first.is_some_and(|result| result.is_err_and(|error| is_unsupported(&error)))
        {
            measured.decompress = None;
            decompress_in_software(codec, &mut blocks);
        }
        let restored = results(&blocks).map_err(|error| match error {
            // The engine compressed this input itself, so the error means wrong data.
            Error::Corrupt | Error::WrongLength { .. } => Failure::WrongBytes,
            error => Failure::Engine(error),
        })?;
        let same = group
            .iter()
            .zip(&self.restored)
            .zip(restored)
            .all(|((block, restored), len)| restored[..len] == **block);
        if same { Ok(()) } else { Err(Failure::WrongBytes) }
    }
}

impl Work {
    fn add(&mut self, bytes: usize, work: impl FnOnce()) {
        let (cpu, wall) = (cpu_time(), Instant::now());
        work();
        self.wall += wall.elapsed();
        self.cpu += cpu_time().saturating_sub(cpu);
        self.bytes += bytes;
    }
}

fn compress(codec: &dyn BlockCompressor, mode: Mode, blocks: &mut [Block<'_>]) {
    if mode == Mode::Batch {
        codec.compress_batch(blocks);
    }
    run_or_retry(mode, blocks, |src, dst| codec.compress(src, dst));
}

fn decompress(codec: &dyn BlockCompressor, mode: Mode, blocks: &mut [Block<'_>]) {
    if mode == Mode::Batch {
        codec.decompress_batch(blocks);
    }
    run_or_retry(mode, blocks, |src, dst| codec.decompress(src, dst));
}

/// Runs single blocks, and retries the blocks of a batch that found the queues full.
fn run_or_retry(
    mode: Mode,
    blocks: &mut [Block<'_>],
    work: impl Fn(&[u8], &mut [u8]) -> Result<usize, Error>,
) {
    for block in blocks {
        if mode == Mode::Single {
            block.run(&work);
        }
        if is_busy(block) {
            let begin = Instant::now();
            while is_busy(block) && begin.elapsed() < BUSY_TIMEOUT {
                block.run(&work);
            }
        }
    }
}

/// Decompresses blocks in software to check them, if the engine can't decompress its format.
fn decompress_in_software(codec: &dyn BlockCompressor, blocks: &mut [Block<'_>]) {
    match SoftwareCompressor::new(codec.format(), Level::BALANCED) {
        Ok(software) => software.decompress_batch(blocks),
        Err(error) => {
            for block in blocks {
                block.set_result(Err(error.clone()));
            }
        }
    }
}

fn results(blocks: &[Block<'_>]) -> Result<Vec<usize>, Error> {
    blocks.iter().map(Block::result).collect()
}

fn is_busy(block: &Block<'_>) -> bool {
    block.answer() == Some(&Err(Error::Busy))
}

/// Returns the numbers below `len` in bit-reversed order (van der Corput 1935), in which every
/// prefix is spread over the whole range.
fn spread(len: usize) -> Vec<usize> {
    let bits = len.next_power_of_two().trailing_zeros();
    let reversed = |n: usize| n.reverse_bits().checked_shr(usize::BITS - bits).unwrap_or(0);
    (0..len.next_power_of_two()).map(reversed).filter(|n| *n < len).collect()
}

fn rate(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64().max(1e-9)
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Returns whether the error means that the engine does not support such blocks at all.
fn is_unsupported(error: &Error) -> bool {
    matches!(error, Error::Unsupported(_))
}

#[cfg(test)]
mod tests {
    use uadk_compress::Format;

    use super::*;

    const ENOUGH: Duration = Duration::from_secs(60);

    #[test]
    fn all_blocks_are_counted_once_in_both_modes() {
        let data: Vec<_> = (0..100_000_u32).map(|n| (n / 100) as u8).collect();
        let engine =
            SoftwareCompressor::new(Format::Zlib, Level::FASTEST).expect("a supported format");
        for mode in [Mode::Single, Mode::Batch] {
            for block_size in [7000, 100_000, 1 << 20] {
                let measured =
                    measure(&engine, &data, block_size, mode, ENOUGH).expect("software works");
                assert_eq!(measured.bytes, data.len());
                assert!(measured.compressed < data.len() / 4);
                let decompress = measured.decompress.expect("software decompresses");
                assert!(measured.compress.mb_per_s() > 0.0 && decompress.mb_per_cpu_s() > 0.0);
            }
        }
    }

    #[test]
    fn every_prefix_of_the_order_is_spread() {
        assert_eq!(spread(1), [0]);
        assert_eq!(spread(8), [0, 4, 2, 6, 1, 5, 3, 7]);
        assert_eq!(spread(5), [0, 4, 2, 1, 3]);
        for len in [2, 3, 100, 1025] {
            let mut order = spread(len);
            order.sort_unstable();
            assert!(order.into_iter().eq(0..len));
        }
    }

    /// Only compresses, like a device that lacks raw deflate.
    #[derive(Debug)]
    struct OneWay(SoftwareCompressor);

    impl BlockCompressor for OneWay {
        fn format(&self) -> Format {
            self.0.format()
        }
        fn max_compressed_len(&self, len: usize) -> usize {
            self.0.max_compressed_len(len)
        }
        fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
            self.0.compress(src, dst)
        }
        fn decompress(&self, _: &[u8], _: &mut [u8]) -> Result<usize, Error> {
            Err(Error::Unsupported("only compresses".into()))
        }
    }

    /// Returns the right lengths but wrong data.
    #[derive(Debug)]
    struct Forgetful(SoftwareCompressor);

    impl BlockCompressor for Forgetful {
        fn format(&self) -> Format {
            self.0.format()
        }
        fn max_compressed_len(&self, len: usize) -> usize {
            self.0.max_compressed_len(len)
        }
        fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
            self.0.compress(src, dst)
        }
        fn decompress(&self, _: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
            Ok(dst.len())
        }
    }

    #[test]
    fn an_engine_that_only_compresses_has_no_decompression_speed() {
        let engine = SoftwareCompressor::new(Format::RawDeflate, Level::FASTEST);
        let engine = OneWay(engine.expect("a supported format"));
        let measured =
            measure(&engine, &[1; 9999], 4096, Mode::Batch, ENOUGH).expect("software works");
        assert!(measured.decompress.is_none());
        assert_eq!(measured.bytes, 9999);
    }

    #[test]
    fn wrong_bytes_are_noticed() {
        let engine = SoftwareCompressor::new(Format::Zlib, Level::FASTEST);
        let engine = Forgetful(engine.expect("a supported format"));
        for mode in [Mode::Single, Mode::Batch] {
            let failure = measure(&engine, &[1; 9999], 4096, mode, ENOUGH).unwrap_err();
            assert!(matches!(failure, Failure::WrongBytes), "{failure:?}");
        }
    }
}
