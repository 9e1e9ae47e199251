//! The encoder against libdeflate level 1, zstd level 1 and ISA-L level 1 on real files of this
//! machine, in six kinds and three block sizes.
//!
//! `cargo run --release -p block-deflate-bench --features isal -- [--rounds N] [--kib N] [--size N]
//! [--only NAME]... [--details]`
//!
//! Thread CPU time, contexts reused. The codecs take turns at each chunk of blocks, and of all
//! rounds the cheapest time of each chunk counts: what else the machine does hits single chunks, and
//! all codecs alike. Prints a table and writes `target/bench/encoder.json`; fails if a bound is
//! missed.

mod corpus;
mod peers;
mod report;

use std::path::{Path, PathBuf};

use peers::Codec;
use report::Report;

/// Bytes per turn.
const CHUNK: usize = 256 << 10;
const FIRST_DECODED: usize = 3;

struct Options {
    rounds: usize,
    limit: usize,
    sizes: Vec<usize>,
    only: Vec<String>,
    details: bool,
}

fn options() -> Options {
    let mut options = Options {
        rounds: 7,
        limit: 2 << 20,
        sizes: vec![4096, 16384, 65536],
        only: Vec::new(),
        details: false,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().expect("a value behind the option");
        match arg.as_str() {
            "--rounds" => options.rounds = value().parse().expect("a number"),
            "--kib" => options.limit = value().parse::<usize>().expect("a number") << 10,
            "--size" => options.sizes = vec![value().parse().expect("a number")],
            "--only" => options.only.push(value()),
            "--details" => options.details = true,
            _ => {}
        }
    }
    options
}

/// What one codec took for some data.
#[derive(Clone, Copy, Default)]
struct Taken {
    input: usize,
    bytes: usize,
    seconds: f64,
    decode_seconds: f64,
}

impl Taken {
    fn add(&mut self, other: &Self) {
        self.input += other.input;
        self.bytes += other.bytes;
        self.seconds += other.seconds;
        self.decode_seconds += other.decode_seconds;
    }

    fn speed(&self) -> f64 {
        self.input as f64 / self.seconds / 1e6
    }

    fn ratio(&self) -> f64 {
        self.input as f64 / self.bytes as f64
    }

    fn decode_speed(&self) -> f64 {
        self.input as f64 / self.decode_seconds / 1e6
    }
}

fn main() {
    let options = options();
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let kinds = corpus::gather(options.limit, &target.join("bench/encoder-corpus"));
    let mut codecs = peers::all();
    codecs.retain(|codec| options.only.is_empty() || options.only.iter().any(|n| codec.name == n));
    println!("{}", peers::versions());

    let mut report = Report::default();
    for &size in &options.sizes {
        let case = format!("{} KiB", size >> 10);
        let mut totals = vec![Taken::default(); codecs.len()];
        for kind in &kinds {
            let taken = measure(&mut codecs, &kind.data, size, options.rounds);
            for (total, taken) in totals.iter_mut().zip(&taken) {
                total.add(taken);
            }
            if options.details {
                print_details(&case, kind.name, &codecs, &taken);
            }
            let by_name = |name| find(&codecs, &taken, name);
            if let (Some(ours), Some(peer)) = (by_name("default"), by_name("libdeflate")) {
                let case = format!("{case}, {}", kind.name);
                report.add(&case, "speed", (ours.speed(), peer.speed()), "libdeflate-1", ">=1.45");
                report.add(&case, "ratio", (ours.ratio(), peer.ratio()), "libdeflate-1", ">=0.975");
            }
        }
        if options.details {
            print_details(&case, "all", &codecs, &totals);
        }
        report_all(&mut report, &case, &|name| find(&codecs, &totals, name));
    }
    extremes(&mut codecs, options.rounds, &mut report);
    std::process::exit(i32::from(report.finish(&target.join("bench/encoder.json")) > 0));
}

fn find(codecs: &[Codec], taken: &[Taken], name: &str) -> Option<Taken> {
    codecs.iter().position(|codec| codec.name == name).map(|i| taken[i])
}

fn report_all(report: &mut Report, case: &str, by_name: &dyn Fn(&str) -> Option<Taken>) {
    let (Some(ours), Some(peer)) = (by_name("default"), by_name("libdeflate")) else { return };
    let case = format!("{case}, all");
    report.add(&case, "speed", (ours.speed(), peer.speed()), "libdeflate-1", ">=1.8");
    report.add(&case, "ratio", (ours.ratio(), peer.ratio()), "libdeflate-1", ">=0.99");
    let decoding = (ours.decode_speed(), peer.decode_speed());
    report.add(&case, "decoding", decoding, "libdeflate-1", ">=0.96");
    if let Some(fast) = by_name("fast") {
        report.add(&case, "fast: speed", (fast.speed(), peer.speed()), "libdeflate-1", ">=2.0");
        report.add(&case, "fast: ratio", (fast.ratio(), peer.ratio()), "libdeflate-1", ">=0.95");
    }
    if let Some(segment) = by_name("segment") {
        report.add(&case, "segments: speed", (segment.speed(), ours.speed()), "blocks", ">=0.98");
    }
    let bounds: [Option<&str>; 2] = match case.as_str() {
        "4 KiB, all" => [Some(">=1.1"), Some(">=1.3")],
        "16 KiB, all" => [Some(">=1.0"), Some(">=0.95")],
        _ => [None, None],
    };
    for (name, bound) in ["zstd", "isal"].into_iter().zip(bounds) {
        if let Some(peer) = by_name(name) {
            let bound = bound.unwrap_or_default();
            report.add(&case, "speed", (ours.speed(), peer.speed()), &format!("{name}-1"), bound);
            let bound = if name == "isal" && !bound.is_empty() { ">=1.0" } else { "" };
            report.add(&case, "ratio", (ours.ratio(), peer.ratio()), &format!("{name}-1"), bound);
        }
    }
}

/// Random bytes and zeros.
fn extremes(codecs: &mut [Codec], rounds: usize, report: &mut Report) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let random: Vec<u8> = (0..1 << 20)
        .map(|_| {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
        })
        .collect();
    let zeros = vec![0; 1 << 20];
    for (name, data, bound) in [("random", &random, ">=2"), ("zeros", &zeros, ">=5")] {
        let taken = measure(codecs, data, 4096, rounds);
        let by_name = |name| find(codecs, &taken, name);
        if let (Some(ours), Some(peer)) = (by_name("default"), by_name("libdeflate")) {
            let case = format!("4 KiB, {name}");
            report.add(&case, "speed", (ours.speed(), peer.speed()), "libdeflate-1", bound);
        }
    }
}

fn print_details(case: &str, kind: &str, codecs: &[Codec], taken: &[Taken]) {
    for (codec, taken) in codecs.iter().zip(taken) {
        println!(
            "{case:<7} {kind:<9} {:<11} {:>7.3} {:>7.1} MB/s, decoding {:>7.1} MB/s",
            codec.name,
            taken.ratio(),
            taken.speed(),
            taken.decode_speed()
        );
    }
}

fn thread_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

fn measure(codecs: &mut [Codec], data: &[u8], size: usize, rounds: usize) -> Vec<Taken> {
    let mut all = vec![Taken { input: data.len(), ..Taken::default() }; codecs.len()];
    let mut out = vec![0; size * 2 + 1024];
    for chunk in data.chunks(CHUNK.max(size)) {
        let mut best = vec![(f64::MAX, f64::MAX); codecs.len()];
        for round in 0..rounds {
            for ((codec, taken), best) in codecs.iter_mut().zip(&mut all).zip(&mut best) {
                let start = thread_seconds();
                let mut bytes = 0;
                for block in chunk.chunks(size) {
                    bytes += (codec.compress)(block, &mut out);
                }
                best.0 = best.0.min(thread_seconds() - start);
                if round == 0 {
                    taken.bytes += bytes;
                }
                if codec.deflate && round < FIRST_DECODED {
                    best.1 = best.1.min(decode(codec, chunk, size, &mut out));
                }
            }
        }
        for (taken, best) in all.iter_mut().zip(&best) {
            taken.seconds += best.0;
            taken.decode_seconds += best.1;
        }
    }
    all
}

/// How long libdeflate takes to decode what the codec makes of a chunk.
fn decode(codec: &mut Codec, chunk: &[u8], size: usize, out: &mut [u8]) -> f64 {
    let streams: Vec<(Vec<u8>, usize)> = chunk
        .chunks(size)
        .map(|block| {
            let len = (codec.compress)(block, out);
            (out[..len].to_vec(), block.len())
        })
        .collect();
    let mut decoder = libdeflater::Decompressor::new();
    let mut plain = vec![0; size];
    let start = thread_seconds();
    for (stream, len) in &streams {
        let n = decoder.deflate_decompress(stream, &mut plain[..*len]);
        assert_eq!(n, Ok(*len), "{}", codec.name);
    }
    thread_seconds() - start
}

impl Report {
    fn finish(&self, path: &Path) -> usize {
        self.print();
        if let Err(error) = self.write(path) {
            println!("{}: {error}", path.display());
        }
        self.missed()
    }
}
