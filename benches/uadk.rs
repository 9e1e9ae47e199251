//! What the UADK engine itself costs, on the stand-in for libwd: with a device that is done at once and
//! remembers its results, so that what is left is the path there and back; and what deep batches are
//! worth on one as fast as published.
//!
//! `make bench BENCH=uadk`. CPU time of the thread. Where a bound is a time, the "peer" is that bound.

use std::hint::black_box;

use uadk_compress::clock::{Clock, SystemClock};
use uadk_compress::{Block, BlockCompressor, Format, UadkCompressor, UadkConfig};
use uadk_compress_bench_support::corpus;
use uadk_compress_bench_support::cpu::{Cost, of_thread};
use uadk_compress_bench_support::report::Report;
use uadk_sim::{Machine, Simulator, Timing};

const BLOCK: usize = 8 << 10;
const BATCH: usize = 64;
const ROUNDS: usize = 400;
/// The best of so many counts: what else the machine does costs time, never saves any.
const REPEATS: usize = 9;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = Simulator::acquire(Machine::default());
    sim.memoise(true);
    let config = UadkConfig::default();
    let uadk = UadkCompressor::with_libwd(
        &uadk_sim::libwd(),
        Format::Zlib,
        &config,
        SystemClock::default(),
    )?;
    let bench = Bench::new(&uadk)?;

    let mut report = Report::new("uadk");
    bench.sessions(&mut report);
    bench.overhead(&mut report);
    sim.set_timing(Timing::Published);
    bench.depth(&mut report);
    drop(bench);
    drop(uadk);
    let missed = report.finish()?;
    std::process::exit(i32::from(missed > 0));
}

/// An engine, and blocks of the machine's files in both states.
struct Bench<'a> {
    uadk: &'a UadkCompressor,
    blocks: Vec<Vec<u8>>,
    streams: Vec<Vec<u8>>,
}

impl<'a> Bench<'a> {
    fn new(uadk: &'a UadkCompressor) -> Result<Self, Box<dyn std::error::Error>> {
        let records = corpus::records(&corpus::default_roots(), 2 * BATCH * BLOCK)?;
        let data: Vec<u8> = records.into_iter().flat_map(|record| record.value).collect();
        let blocks: Vec<_> = data.chunks_exact(BLOCK).take(BATCH).map(<[u8]>::to_vec).collect();
        let streams = blocks
            .iter()
            .map(|block| {
                let mut stream = vec![0; uadk.max_compressed_len(BLOCK)];
                let len = uadk.compress(block, &mut stream)?;
                stream.truncate(len);
                Ok(stream)
            })
            .collect::<Result<_, uadk_compress::Error>>()?;
        Ok(Self { uadk, blocks, streams })
    }

    /// A batch of no blocks reads the clock, takes this thread's session, and returns it.
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

    /// The whole path of a batch, with the stand-in's share, without the two copies of the output.
    fn overhead(&self, report: &mut Report) {
        for (case, sources, room) in [
            ("compress 64 x 8 KiB", &self.blocks, self.uadk.max_compressed_len(BLOCK)),
            ("decompress 64 x 8 KiB", &self.streams, BLOCK),
        ] {
            let compressing = room > BLOCK;
            let mut outputs = vec![vec![0; room]; BATCH];
            let lens = self.batch(compressing, sources, &mut outputs);
            let path = best(|| {
                for _ in 0..ROUNDS {
                    black_box(self.batch(compressing, sources, &mut outputs));
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
            let ours = micros(path) - micros(copies);
            report.add(case, "CPU us per block", (ours, 2.0), "bound", Some("<=1"));
        }
    }

    /// Wall time, since it is the device that is waited for.
    fn depth(&self, report: &mut Report) {
        let room = self.uadk.max_compressed_len(BLOCK);
        let mut outputs = vec![vec![0; room]; BATCH];
        let single = best(|| {
            for (block, output) in self.blocks.iter().zip(&mut outputs) {
                self.uadk.compress(block, output).expect("the bound holds");
            }
        });
        let batch = best(|| {
            for _ in 0..20 {
                black_box(self.batch(true, &self.blocks, &mut outputs));
            }
        });
        let mb_per_s =
            |cost: Cost, blocks: usize| (blocks * BLOCK) as f64 / 1e6 / cost.wall.as_secs_f64();
        let sides = (mb_per_s(batch, 20 * BATCH), mb_per_s(single, BATCH));
        report.add("batch of 64 x 8 KiB", "MB/s", sides, "one by one", Some(">=8"));
        let published = (sides.0, 7245.0);
        report.add("batch of 64 x 8 KiB", "MB/s", published, "device, 60 deep", None);
        report.add("one by one, 8 KiB", "MB/s", (sides.1, 557.0), "device, 1 deep", None);
    }

    fn batch(&self, compress: bool, src: &[Vec<u8>], dst: &mut [Vec<u8>]) -> [usize; BATCH] {
        let mut pairs = src.iter().zip(dst);
        let mut blocks: [Block<'_>; BATCH] = std::array::from_fn(|_| {
            let (src, dst) = pairs.next().expect("a whole batch");
            Block::new(src, dst)
        });
        if compress {
            self.uadk.compress_batch(&mut blocks);
        } else {
            self.uadk.decompress_batch(&mut blocks);
        }
        blocks.map(|block| block.result.expect("a sound device"))
    }
}

/// The cheapest of some runs.
fn best(mut work: impl FnMut()) -> Cost {
    (0..REPEATS)
        .map(|_| of_thread(&mut work).1)
        .reduce(|a, b| Cost { cpu: a.cpu.min(b.cpu), wall: a.wall.min(b.wall) })
        .expect("at least one")
}
