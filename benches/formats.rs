//! zstd and LZ4 with matches from a simulated device, against software alone: the CPU time of the
//! host, and the size.
//!
//! The device completes at once and remembers its results, so that its own search is not measured.
//! Neither is the time in which the simulator looks a block up and copies the matches, which a real
//! device writes by itself.
//!
//! Then liblz4, which the software engine uses, against `lz4_flex`.
//!
//! `make bench BENCH=formats`. Measures thread CPU time. Batches of both sides alternate, each over
//! blocks of real files of this machine in random order, and the cheapest time of all rounds counts
//! for each batch: other load on the machine affects single batches, and both sides alike.

use std::time::Duration;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;
use uadk_compress::clock::SystemClock;
use uadk_compress::{
    Block, BlockCompressor, Format, Level, OffloadCompressor, Policy, SoftwareCompressor,
    UadkCompressor, UadkConfig,
};
use uadk_compress_bench_support::cpu::measure_thread;
use uadk_compress_bench_support::kinds;
use uadk_compress_bench_support::report::{self, Report};
use uadk_sim::{Machine, Simulator};

/// Bytes of each of the six kinds of files.
const LIMIT: usize = 2 << 20;
const ROUNDS: usize = 9;
const BATCH: usize = 64;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let kinds = kinds::gather(LIMIT, &report::folder().join("encoder-corpus"));
    let mut report = Report::new("formats");
    let sim = Simulator::acquire(Machine::lz77());
    sim.memoise(true);
    for (format, size, time, length) in [
        (Format::Zstd, 4 << 10, None, None),
        (Format::Zstd, 16 << 10, Some("<=0.45"), Some("<=1.05")),
        (Format::Zstd, 64 << 10, Some("<=0.40"), Some("<=1.05")),
        (Format::Zstd, 128 << 10, None, Some("<=1.05")),
        (Format::Lz4, 4 << 10, None, None),
        (Format::Lz4, 16 << 10, None, None),
        (Format::Lz4, 64 << 10, None, None),
    ] {
        let blocks: Vec<&[u8]> = kinds.iter().flat_map(|kind| kind.data.chunks(size)).collect();
        let sides = Sides::new(format)?;
        let [ours, peer] = sides.measure(&sim, blocks, size);
        let peer_name = if format == Format::Zstd { "zstd-1" } else { "lz4" };
        let case = format!("{format} with matches, {} KiB", size >> 10);
        let micros = (ours.micros_per_block, peer.micros_per_block);
        report.add(&case, "CPU us/block", micros, peer_name, time);
        report.add(&case, "size/byte", (ours.part, peer.part), peer_name, length);
        let stats = sides.ours.stats();
        assert_eq!(stats.software.compress.blocks, 0, "{stats}");
    }
    for size in [4, 16, 64].map(|kib| kib << 10) {
        let blocks: Vec<&[u8]> = kinds.iter().flat_map(|kind| kind.data.chunks(size)).collect();
        libraries(&mut report, blocks, size)?;
    }
    let missed = report.finish()?;
    std::process::exit(i32::from(missed > 0));
}

/// The engine on the device, and software alone.
struct Sides {
    ours: OffloadCompressor,
    peer: SoftwareCompressor,
}

/// Time and size of one side.
#[derive(Clone, Copy)]
struct Taken {
    micros_per_block: f64,
    part: f64,
}

/// Blocks that are compressed together, and the lowest times of both sides in seconds.
struct Batch<'a> {
    blocks: Vec<&'a [u8]>,
    seconds: [f64; 2],
    /// The lowest time of the simulator, which is part of the first side's.
    simulator: f64,
}

impl Sides {
    fn new(format: Format) -> Result<Self> {
        let libwd = uadk_sim::libwd_of("2.10");
        // The simulator's search takes long, when a block is new.
        let config = UadkConfig::default()
            .with_background(false)
            .with_verify_lz4(false)
            .with_deadline(Duration::from_secs(1000));
        let uadk = UadkCompressor::with_libwd(&libwd, format, &config, SystemClock::default())?;
        uadk.start()?;
        let peer = SoftwareCompressor::new(format, Level::FAST)?;
        let policy = Policy::default().with_max_delay(Duration::MAX);
        Ok(Self { ours: OffloadCompressor::new(uadk, peer.clone(), policy)?, peer })
    }

    fn measure(&self, sim: &Simulator, mut blocks: Vec<&[u8]>, size: usize) -> [Taken; 2] {
        let (count, len) = (blocks.len(), blocks.iter().map(|block| block.len()).sum::<usize>());
        let mut rng = Pcg64Mcg::seed_from_u64(1);
        let mut outputs = vec![vec![0; self.ours.max_compressed_len(size)]; BATCH];
        blocks.shuffle(&mut rng);
        let mut batches: Vec<_> = blocks
            .chunks(BATCH)
            .map(|blocks| Batch {
                blocks: blocks.to_vec(),
                seconds: [f64::INFINITY; 2],
                simulator: f64::INFINITY,
            })
            .collect();
        let mut bytes = [0; 2];
        for round in 0..=ROUNDS {
            batches.shuffle(&mut rng);
            for batch in &mut batches {
                // The second side finds the blocks in the cache, so the order alternates.
                for side in [round % 2, 1 - round % 2] {
                    let codec: &dyn BlockCompressor =
                        if side == 0 { &self.ours } else { &self.peer };
                    sim.count_own_time(true);
                    let (len, cost) =
                        measure_thread(|| compress(codec, &batch.blocks, &mut outputs));
                    let own = sim.own_time().as_secs_f64();
                    // In the first round the device searches.
                    if round == 0 {
                        bytes[side] += len;
                    } else {
                        batch.seconds[side] = batch.seconds[side].min(cost.cpu.as_secs_f64());
                        if side == 0 {
                            batch.simulator = batch.simulator.min(own);
                        }
                    }
                }
            }
        }
        [0, 1].map(|side| {
            let host = |batch: &Batch<'_>| {
                batch.seconds[side] - if side == 0 { batch.simulator } else { 0.0 }
            };
            let seconds: f64 = batches.iter().map(host).sum();
            Taken {
                micros_per_block: seconds * 1e6 / count as f64,
                part: bytes[side] as f64 / len as f64,
            }
        })
    }
}

/// Compares the library that the software engine uses for LZ4 with `lz4_flex`, which is safe Rust.
fn libraries(report: &mut Report, mut blocks: Vec<&[u8]>, size: usize) -> Result<()> {
    let engine = SoftwareCompressor::new(Format::Lz4, Level::FAST)?;
    let capacity = lz4_flex::block::get_maximum_output_size(size);
    let mut packed: [Vec<Vec<u8>>; 2] = [0, 1].map(|_| vec![vec![0; capacity]; blocks.len()]);
    let mut lens = [0, 1].map(|_| vec![0; blocks.len()]);
    let (mut restored, mut table) = (vec![0; size], lz4_flex::block::CompressTable::small());
    let mut seconds = [[f64::INFINITY; 2]; 2];
    blocks.shuffle(&mut Pcg64Mcg::seed_from_u64(2));
    for round in 0..ROUNDS {
        for side in [round % 2, 1 - round % 2] {
            let (packed, lens) = (&mut packed[side], &mut lens[side]);
            let ((), compress) = measure_thread(|| {
                for ((block, packed), len) in blocks.iter().zip(&mut *packed).zip(&mut *lens) {
                    *len = if side == 0 {
                        engine.compress(block, packed).expect("the bound suffices")
                    } else {
                        lz4_flex::block::compress_into_with_table(block, packed, &mut table)
                            .expect("the bound suffices")
                    };
                }
            });
            let ((), decompress) = measure_thread(|| {
                for ((block, packed), len) in blocks.iter().zip(&*packed).zip(&*lens) {
                    let restored = &mut restored[..block.len()];
                    let len = if side == 0 {
                        engine.decompress(&packed[..*len], restored).expect("just made")
                    } else {
                        lz4_flex::block::decompress_into(&packed[..*len], restored)
                            .expect("just made")
                    };
                    assert_eq!(len, block.len());
                }
            });
            for (best, cost) in seconds[side].iter_mut().zip([compress, decompress]) {
                *best = best.min(cost.cpu.as_secs_f64());
            }
        }
    }
    let micros = |seconds: f64| seconds * 1e6 / blocks.len() as f64;
    let case = format!("liblz4, {} KiB", size >> 10);
    for (way, metric) in ["compress CPU us/block", "decompress CPU us/block"].iter().enumerate() {
        let sides = (micros(seconds[0][way]), micros(seconds[1][way]));
        report.add(&case, metric, sides, "lz4_flex", None);
    }
    Ok(())
}

/// Compresses blocks and returns the sum of their sizes.
fn compress(codec: &dyn BlockCompressor, blocks: &[&[u8]], outputs: &mut [Vec<u8>]) -> usize {
    let mut batch: Vec<_> =
        blocks.iter().zip(outputs).map(|(src, dst)| Block::new(src, dst)).collect();
    codec.compress_batch(&mut batch);
    batch.iter().map(|block| block.result().expect("the bound suffices")).sum()
}
