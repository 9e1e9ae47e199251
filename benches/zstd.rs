//! `block-zstd` against libzstd at level 1, on blocks of real files of this machine in six kinds.
//!
//! Ours encodes sequences that were found before, as by a device; libzstd searches and encodes. So
//! the ratio of the times is the share of the CPU time that remains when a device does the search.
//! The sizes compare the match finder of the bench, with a window of 32 KiB, with libzstd's.
//!
//! `make bench BENCH=zstd`. Measures thread CPU time. The two sides alternate on groups of blocks,
//! in random order, and the cheapest time of all rounds counts for each group: other load on the
//! machine affects single groups, and both sides alike.

#[path = "../core/block-zstd/tests/support/coded.rs"]
mod coded;

use block_zstd::{CodedSequence, CodedSequences, Encoder, Sequence, max_compressed_len};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;
use uadk_compress_bench_support::cpu::measure_thread;
use uadk_compress_bench_support::kinds;
use uadk_compress_bench_support::lz77::Parser;
use uadk_compress_bench_support::report::{self, Report};
use zstd_safe::CCtx;

/// Bytes of each kind.
const LIMIT: usize = 2 << 20;
const ROUNDS: usize = 9;
const WINDOW: usize = 32 << 10;
/// Blocks are measured in groups of this many bytes or more, since reading the clock takes time.
const GROUP: usize = 64 << 10;

/// Block sizes, with bounds for time and size.
const SIZES: [(usize, Option<&str>, Option<&str>); 4] = [
    (4 << 10, None, None),
    (16 << 10, Some("<=0.45"), Some("<=1.05")),
    (64 << 10, Some("<=0.40"), Some("<=1.05")),
    (128 << 10, None, Some("<=1.05")),
];

/// A block and its sequences.
struct Block<'a> {
    src: &'a [u8],
    sequences: Vec<CodedSequence>,
    literals: usize,
}

/// A group of blocks, and the lowest times of both sides in seconds.
struct Group<'a> {
    blocks: Vec<Block<'a>>,
    seconds: [f64; 2],
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let kinds = kinds::gather(LIMIT, &report::folder().join("encoder-corpus"));
    let mut report = Report::new("zstd");
    let mut sides = Sides::new();
    for (size, time, length) in SIZES {
        let mut totals = [Taken::default(); 2];
        for kind in &kinds {
            let taken = sides.measure(&kind.data, size);
            for (total, taken) in totals.iter_mut().zip(taken) {
                total.seconds += taken.seconds;
                total.input += taken.input;
                total.bytes += taken.bytes;
            }
            add(&mut report, &format!("{} KiB, {}", size >> 10, kind.name), taken, [None; 2]);
        }
        add(&mut report, &format!("{} KiB, all", size >> 10), totals, [time, length]);
    }
    let missed = report.finish()?;
    std::process::exit(i32::from(missed > 0));
}

/// Time and size of one side.
#[derive(Clone, Copy, Default)]
struct Taken {
    seconds: f64,
    /// Bytes of the blocks, and of the frames.
    input: usize,
    bytes: usize,
}

fn add(report: &mut Report, case: &str, [ours, peer]: [Taken; 2], bounds: [Option<&str>; 2]) {
    let nanos = |taken: Taken| taken.seconds * 1e9 / taken.input as f64;
    report.add(case, "CPU ns/byte", (nanos(ours), nanos(peer)), "zstd-1", bounds[0]);
    let part = |taken: Taken| taken.bytes as f64 / taken.input as f64;
    report.add(case, "size/byte", (part(ours), part(peer)), "zstd-1", bounds[1]);
}

/// Both encoders.
struct Sides {
    ours: Encoder,
    theirs: CCtx<'static>,
    dst: Vec<u8>,
    parser: Parser,
    rng: Pcg64Mcg,
}

impl Sides {
    fn new() -> Self {
        Self {
            ours: Encoder::new(),
            theirs: CCtx::create(),
            dst: Vec::new(),
            parser: Parser::new(WINDOW),
            rng: Pcg64Mcg::seed_from_u64(1),
        }
    }

    /// Measures both on data in blocks of a size.
    fn measure(&mut self, data: &[u8], size: usize) -> [Taken; 2] {
        self.dst.resize(zstd_safe::compress_bound(size).max(max_compressed_len(size)), 0);
        let parser = &mut self.parser;
        let mut blocks: Vec<_> = data
            .chunks(size)
            .map(|src| {
                let found = parser.parse(src).into_iter();
                let found: Vec<_> = found
                    .map(|m| Sequence { literals: m.literals, match_len: m.len, offset: m.offset })
                    .collect();
                let sequences = coded::code(&found).expect("lengths below 64 KiB");
                let literals = coded::of(&sequences, src).literals;
                Block { src, sequences, literals }
            })
            .collect();
        blocks.shuffle(&mut self.rng);
        let mut groups = Vec::new();
        while !blocks.is_empty() {
            let rest = blocks.split_off(blocks.len().min(GROUP.div_ceil(size)));
            groups.push(Group { blocks, seconds: [f64::INFINITY; 2] });
            blocks = rest;
        }

        let mut bytes = [0; 2];
        for round in 0..ROUNDS {
            groups.shuffle(&mut self.rng);
            for group in &mut groups {
                // The second side finds the group in the cache, so the order alternates.
                for side in [round % 2, 1 - round % 2] {
                    let (len, cost) = measure_thread(|| self.compress(&group.blocks, side));
                    group.seconds[side] = group.seconds[side].min(cost.cpu.as_secs_f64());
                    bytes[side] += if round == 0 { len } else { 0 };
                }
            }
        }
        [0, 1].map(|side| Taken {
            seconds: groups.iter().map(|group| group.seconds[side]).sum(),
            input: data.len(),
            bytes: bytes[side],
        })
    }

    /// Compresses blocks and returns the sum of their sizes.
    fn compress(&mut self, blocks: &[Block<'_>], side: usize) -> usize {
        let Self { ours, theirs, dst, .. } = self;
        let one = |&Block { src, ref sequences, literals }: &Block<'_>| {
            if side == 0 {
                let sequences = CodedSequences { list: sequences, literals };
                ours.compress_coded(src, sequences, dst).expect("the bound suffices")
            } else {
                theirs.compress(&mut dst[..], src, 1).expect("the bound suffices")
            }
        };
        blocks.iter().map(one).sum()
    }
}
