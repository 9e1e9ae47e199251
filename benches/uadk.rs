//! The cost of the UADK engine itself, on a simulated libwd.
//!
//! First with a device that completes at once and remembers its results, so that only the path to
//! the device and back is measured. Then the benefit of deep batches, and of several at once, on a
//! device with the published speed.
//!
//! `make bench BENCH=uadk`. Measures thread CPU time, or instructions counted by callgrind. Where a
//! bound is a time or a count, the "peer" is that bound.

use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use uadk_compress::clock::{Clock, SystemClock};
use uadk_compress::pool::Pool;
use uadk_compress::{
    Block, BlockCompressor, Compressor, Format, Libwd, OffloadCompressor, Policy,
    SoftwareCompressor, UadkCompressor, UadkConfig,
};
use uadk_compress_archive::GzOptions;
use uadk_compress_bench_support::cpu::{Cost, measure_thread};
use uadk_compress_bench_support::report::Report;
use uadk_compress_bench_support::{callgrind, corpus};
use uadk_compress_pages::GuestRam;
use uadk_compress_pages::snapshot::{self, Layout, Pages, Region, SaveOptions};
use uadk_sim::{Machine, Simulator, Timing};

const BLOCK: usize = 8 << 10;
const BATCH: usize = 64;
/// Blocks per job of the pool: twice the depth, so that the queue is refilled within a job.
const JOB: usize = 2 * BATCH;
const ROUNDS: usize = 400;
/// Number of runs, of which the best counts: other load on the machine only adds time.
const REPEATS: usize = 9;

/// Published speed of the device with 60 blocks in flight, in MB/s.
const PUBLISHED: f64 = 7245.0;

/// Environment variable that makes this program compress the given number of batches and exit, for
/// callgrind.
const COUNTED: &str = "UADK_BENCH_COUNTED_BATCHES";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    if let Ok(batches) = std::env::var(COUNTED) {
        return counted(&batches);
    }
    let mut report = Report::new("uadk");
    instructions(&mut report)?;
    let sim = Simulator::acquire(Machine::default());
    sim.memoise(true);
    let engine = |config: &UadkConfig| -> Result<UadkCompressor> {
        let libwd = uadk_sim::libwd();
        let uadk =
            UadkCompressor::with_libwd(&libwd, Format::Zlib, config, SystemClock::default())?;
        uadk.start()?;
        Ok(uadk)
    };
    let uadk = engine(&UadkConfig::default())?;
    let bench = Bench::new(&uadk)?;
    bench.sessions(&mut report);
    let plain = bench.overhead(&mut report);
    let staging = engine(&UadkConfig::default().with_stage_sources(true))?;
    let staged = Bench::new(&staging)?.cost(true).0;
    report.add(
        "compress 64 x 8 KiB",
        "CPU us per block",
        (staged, plain),
        "sources not staged",
        None,
    );
    sim.set_timing(Timing::Published);
    bench.depth(&mut report);
    bench.stream(&mut report)?;
    archive(&mut report, &uadk)?;
    pages(&mut report, &uadk)?;
    drop(bench);
    drop((uadk, staging));
    let missed = report.finish()?;
    std::process::exit(i32::from(missed > 0));
}

/// Compresses the batches for which instructions are counted.
fn counted(batches: &str) -> Result<()> {
    let batches: usize = batches.parse()?;
    let libwd = Libwd::load_from(Some(&uadk_sim::library_dir()?))?;
    // Long enough even under callgrind.
    let config = UadkConfig::default().with_deadline(Duration::from_secs(1000));
    let compressor = Compressor::builder()
        .format(Format::RawDeflate)
        .uadk(config.with_background(false))
        .policy(Policy::default().with_max_delay(Duration::MAX))
        .build_on(&libwd)?;
    let blocks: Vec<Vec<u8>> = corpus_blocks()?;
    let mut outputs = vec![vec![0; compressor.max_compressed_len(BLOCK)]; BATCH];
    for _ in 0..batches {
        let mut pairs = blocks.iter().zip(&mut outputs);
        let mut batch: [Block<'_>; BATCH] = std::array::from_fn(|_| {
            let (src, dst) = pairs.next().expect("a whole batch");
            Block::new(src, dst)
        });
        compressor.compress_batch(&mut batch);
        black_box(&batch);
    }
    let stats = compressor.stats();
    assert_eq!(stats.software.blocks(), 0, "{stats}");
    Ok(())
}

/// Measures the whole path of a block of a batch: policy, counters, engine. Excludes the simulator,
/// which is a separate library, and the C library's copies.
fn instructions(report: &mut Report) -> Result<()> {
    const FEW: usize = 10;
    const MANY: usize = 60;
    let few = callgrind::run_self(COUNTED, &FEW.to_string())?;
    let many = callgrind::run_self(COUNTED, &MANY.to_string())?;
    let rest = many.minus(&few);
    let this = std::env::current_exe()?;
    let this = this.file_name().map(|name| name.to_string_lossy().into_owned());
    let ours = rest.sum_where(|object, function| {
        // This bench's own functions create and check blocks.
        Some(object) == this.as_deref() && !function.starts_with("uadk::")
    });
    let per_block = ours as f64 / ((MANY - FEW) * BATCH) as f64;
    report.add("compress 8 KiB", "instructions", (per_block, 800.0), "bound", Some("<=1"));
    Ok(())
}

/// Returns blocks of this machine's files.
fn corpus_blocks() -> Result<Vec<Vec<u8>>> {
    let records = corpus::records(&corpus::default_roots(), 2 * BATCH * BLOCK)?;
    let data: Vec<u8> = records.into_iter().flat_map(|record| record.value).collect();
    Ok(data.chunks_exact(BLOCK).take(BATCH).map(<[u8]>::to_vec).collect())
}

/// Measures writing an archive's stream through the device, with data that the device remembers.
fn archive(report: &mut Report, uadk: &UadkCompressor) -> Result<()> {
    const ROUNDS: usize = 2000;
    let engine = offload(&uadk.with_format(Format::RawDeflate)?)?;
    // A block of block gzip, repeated.
    let block = vec![b'x'; 65_280];
    let mut best = f64::MAX;
    for _ in 0..3 {
        let options = GzOptions::new().compressor(Arc::new(engine.clone())).threads(2);
        let mut writer = options.writer(std::io::sink())?;
        let begin = Instant::now();
        for _ in 0..ROUNDS {
            writer.write_all(&block)?;
        }
        writer.finish()?;
        best = best.min(begin.elapsed().as_secs_f64());
    }
    let speed = (ROUNDS * block.len()) as f64 / 1e6 / best;
    report.add("tar create's stream", "MB/s", (speed, PUBLISHED), "device, 60 deep", None);
    Ok(())
}

/// Measures saving a snapshot through the device, with memory that the device remembers.
fn pages(report: &mut Report, uadk: &UadkCompressor) -> Result<()> {
    const LEN: usize = 128 << 20;
    let engine: Arc<dyn BlockCompressor> = Arc::new(offload(uadk)?);
    let mut memory = vec![b'x'; LEN];
    let memory = [GuestRam::from_mut(&mut memory)?];
    let layout = Layout::new(vec![Region { address: 0, len: LEN as u64 }])?;
    let mut best = f64::MAX;
    for _ in 0..3 {
        let options = SaveOptions::default().threads(2);
        let begin = Instant::now();
        snapshot::save(
            std::io::sink(),
            &layout,
            &memory[..],
            Pages::All,
            &engine,
            &options,
            &mut |_| {},
        )?;
        best = best.min(begin.elapsed().as_secs_f64());
    }
    report.add("pages save", "MB/s", (LEN as f64 / 1e6 / best, PUBLISHED), "device, 60 deep", None);
    Ok(())
}

fn offload(uadk: &UadkCompressor) -> Result<OffloadCompressor> {
    let software = SoftwareCompressor::new(uadk.format(), uadk_compress::Level::FAST)?;
    Ok(OffloadCompressor::new(uadk.clone(), software, Policy::default())?)
}

/// An engine, and blocks of this machine's files, plain and compressed.
struct Bench<'a> {
    uadk: &'a UadkCompressor,
    blocks: Vec<Vec<u8>>,
    streams: Vec<Vec<u8>>,
}

impl<'a> Bench<'a> {
    fn new(uadk: &'a UadkCompressor) -> Result<Self> {
        let blocks = corpus_blocks()?;
        let streams = blocks
            .iter()
            .map(|block| {
                let mut stream = vec![0; uadk.max_compressed_len(BLOCK)];
                let len = uadk.compress(block, &mut stream)?;
                stream.truncate(len);
                Ok(stream)
            })
            .collect::<std::result::Result<_, uadk_compress::Error>>()?;
        Ok(Self { uadk, blocks, streams })
    }

    /// Measures taking and returning a session. An empty batch does that and reads the clock, whose
    /// cost is subtracted.
    fn sessions(&self, report: &mut Report) {
        const CALLS: u32 = 200_000;
        let cost = best(|| {
            for _ in 0..CALLS {
                self.uadk.compress_batch(black_box(&mut []));
            }
        });
        let clock = SystemClock::default();
        let reading = best(|| {
            for _ in 0..CALLS {
                black_box(clock.now());
            }
        });
        let nanos = |cost: Cost| cost.cpu.as_secs_f64() * 1e9 / f64::from(CALLS);
        let nanos = nanos(cost) - nanos(reading);
        report.add("session", "take and return, ns", (nanos, 60.0), "bound", Some("<=1"));
    }

    /// Measures CPU time of the path of a batch, including the simulator's share but not the two
    /// copies of the output. Returns the time per compressed block.
    fn overhead(&self, report: &mut Report) -> f64 {
        let compress = self.cost(true);
        let decompress = self.cost(false);
        for (case, (ours, ..)) in
            [("compress 64 x 8 KiB", compress), ("decompress 64 x 8 KiB", decompress)]
        {
            report.add(case, "CPU us per block", (ours, 2.0), "bound", Some("<=1"));
        }
        compress.0
    }

    /// Returns the microseconds per block without the copies of the output, and those of the
    /// copies.
    fn cost(&self, compress: bool) -> (f64, f64) {
        let capacity = if compress { self.uadk.max_compressed_len(BLOCK) } else { BLOCK };
        let sources = if compress { &self.blocks } else { &self.streams };
        let mut outputs = [(); BATCH].map(|()| vec![0; capacity]);
        let lens = batch(self.uadk, compress, sources, &mut outputs);
        let path = best(|| {
            for _ in 0..ROUNDS {
                black_box(batch(self.uadk, compress, sources, &mut outputs));
            }
        });
        let results = outputs.clone();
        let copies = best(|| {
            for _ in 0..2 * ROUNDS {
                for ((result, output), len) in results.iter().zip(&mut outputs).zip(lens) {
                    output[..len].copy_from_slice(black_box(&result[..len]));
                }
            }
        });
        let micros = |cost: Cost| cost.cpu.as_secs_f64() * 1e6 / (ROUNDS * BATCH) as f64;
        (micros(path) - micros(copies), micros(copies))
    }

    /// Measures batches against single blocks, in wall time, since the thread waits for the device.
    fn depth(&self, report: &mut Report) {
        let capacity = self.uadk.max_compressed_len(BLOCK);
        let mut outputs = [(); BATCH].map(|()| vec![0; capacity]);
        let single = best(|| {
            for (block, output) in self.blocks.iter().zip(&mut outputs) {
                self.uadk.compress(block, output).expect("the bound suffices");
            }
        });
        let batch = best(|| {
            for _ in 0..20 {
                black_box(batch(self.uadk, true, &self.blocks, &mut outputs));
            }
        });
        let mb_per_s =
            |cost: Cost, blocks: usize| (blocks * BLOCK) as f64 / 1e6 / cost.wall.as_secs_f64();
        let sides = (mb_per_s(batch, 20 * BATCH), mb_per_s(single, BATCH));
        report.add("batch of 64 x 8 KiB", "MB/s", sides, "one by one", Some(">=8"));
        let published = (sides.0, PUBLISHED);
        report.add("batch of 64 x 8 KiB", "MB/s", published, "device, 60 deep", None);
        report.add("one by one, 8 KiB", "MB/s", (sides.1, 557.0), "device, 1 deep", None);
    }

    /// Measures one thread that feeds batches to the pool, where one batch is in flight while
    /// another drains.
    fn stream(&self, report: &mut Report) -> Result<()> {
        const WARM_UP: usize = 100;
        const JOBS: usize = 300;
        let capacity = self.uadk.max_compressed_len(BLOCK);
        let blocks = Arc::new(self.blocks.clone());
        let mut fastest = f64::MAX;
        for _ in 0..5 {
            let (uadk, blocks) = (self.uadk.clone(), Arc::clone(&blocks));
            let work = move |(): &mut (), outputs: &mut Box<[Vec<u8>; JOB]>| {
                black_box(batch(&uadk, true, &blocks, outputs));
            };
            let mut pool = Pool::new("stream", 2, || (), work);
            let mut spare: Vec<_> = (0..=pool.capacity())
                .map(|_| Box::new([(); JOB].map(|()| vec![0; capacity])))
                .collect();
            // Measures from the end of one job to that of another, with equally many in flight.
            let (mut taken, mut begin) = (0, Instant::now());
            while taken < WARM_UP + JOBS {
                if pool.is_full()
                    && let Some(done) = pool.take()
                {
                    spare.push(done?);
                    taken += 1;
                    if taken == WARM_UP {
                        // Threads, sessions and buffers now exist.
                        begin = Instant::now();
                    }
                }
                let outputs = spare.pop().ok_or("no spare job")?;
                pool.submit(outputs).map_err(|_| "the pool is full")?;
            }
            fastest = fastest.min(begin.elapsed().as_secs_f64());
        }
        let speed = (JOBS * JOB * BLOCK) as f64 / 1e6 / fastest;
        let case = "stream of 8 KiB blocks";
        report.add(case, "MB/s", (speed, PUBLISHED), "device, 60 deep", Some(">=0.95"));
        Ok(())
    }
}

/// Processes `N` blocks of `src`, repeating them as needed.
fn batch<const N: usize>(
    codec: &dyn BlockCompressor,
    compress: bool,
    src: &[Vec<u8>],
    dst: &mut [Vec<u8>; N],
) -> [usize; N] {
    let mut pairs = src.iter().cycle().zip(dst);
    let mut blocks: [Block<'_>; N] = std::array::from_fn(|_| {
        let (src, dst) = pairs.next().expect("a whole batch");
        Block::new(src, dst)
    });
    if compress {
        codec.compress_batch(&mut blocks);
    } else {
        codec.decompress_batch(&mut blocks);
    }
    blocks.map(|block| block.result().expect("the device succeeds"))
}

/// Returns the cost of the cheapest of [`REPEATS`] runs.
fn best(mut work: impl FnMut()) -> Cost {
    (0..REPEATS)
        .map(|_| measure_thread(&mut work).1)
        .reduce(|a, b| Cost { cpu: a.cpu.min(b.cpu), wall: a.wall.min(b.wall) })
        .expect("at least one run")
}
