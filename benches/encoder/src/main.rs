//! The encoder against libdeflate level 1, zstd level 1 and ISA-L level 1 on real files of this
//! machine, in six kinds and three block sizes.
//!
//! `make bench BENCH=encoder` runs it twice: built for any x86-64, and for newer processors.
//! To run it without building the other benches:
//!
//! ```sh
//! cargo bench -p block-deflate-bench -- \
//!     [--rounds N] [--kib N] [--size N] [--only NAME]... [--details]
//! tools/with-v3 cargo bench -p block-deflate-bench --target-dir target/v3
//! ```
//!
//! libdeflate and ISA-L choose instructions at run time either way.
//!
//! Measures CPU time of the thread, with contexts reused. The codecs alternate on each chunk of
//! blocks, and the shortest time of all rounds counts for each chunk: other load on the machine
//! affects single chunks, and all codecs alike. Fails if a bound is missed; without ISA-L, the
//! bounds against it are missed.

mod peers;

use peers::Codec;
use rand::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;
use uadk_compress_bench_support::cpu::measure_thread;
use uadk_compress_bench_support::kinds;
use uadk_compress_bench_support::report::{self, Report};

/// Bytes per turn of a codec.
const CHUNK: usize = 256 << 10;
/// Number of rounds in which decoding is measured.
const DECODE_ROUNDS: usize = 3;

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
        let mut value = || args.next().expect("a value after the option");
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

/// Size and time of one codec's output for some data.
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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = options();
    let kinds = kinds::gather(options.limit, &report::folder().join("encoder-corpus"));
    let mut codecs = peers::all();
    codecs.retain(|codec| options.only.is_empty() || options.only.iter().any(|n| codec.name == n));
    println!("{}", peers::versions());

    let mut report = Report::new("encoder");
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
                let speeds = (ours.speed(), peer.speed());
                report.add(&case, "speed", speeds, "libdeflate-1", Some(">=1.45"));
                let ratios = (ours.ratio(), peer.ratio());
                report.add(&case, "ratio", ratios, "libdeflate-1", Some(">=0.975"));
            }
        }
        if options.details {
            print_details(&case, "all", &codecs, &totals);
        }
        report_all(&mut report, &case, &|name| find(&codecs, &totals, name));
    }
    extremes(&mut codecs, options.rounds, &mut report);
    let missed = report.finish()?;
    std::process::exit(i32::from(missed > 0));
}

fn find(codecs: &[Codec], taken: &[Taken], name: &str) -> Option<Taken> {
    codecs.iter().position(|codec| codec.name == name).map(|i| taken[i])
}

fn report_all(report: &mut Report, case: &str, by_name: &dyn Fn(&str) -> Option<Taken>) {
    let (Some(ours), Some(peer)) = (by_name("default"), by_name("libdeflate")) else { return };
    let all = format!("{case}, all");
    let mut add = |metric: &str, figures: (f64, f64), peer: &str, bound: Option<&str>| {
        report.add(&all, metric, figures, peer, bound);
    };
    add("speed", (ours.speed(), peer.speed()), "libdeflate-1", Some(">=1.8"));
    add("ratio", (ours.ratio(), peer.ratio()), "libdeflate-1", Some(">=0.99"));
    let decoding = (ours.decode_speed(), peer.decode_speed());
    add("decoding", decoding, "libdeflate-1", Some(">=0.96"));
    if let Some(fast) = by_name("fast") {
        add("fast: speed", (fast.speed(), peer.speed()), "libdeflate-1", Some(">=2.0"));
        add("fast: ratio", (fast.ratio(), peer.ratio()), "libdeflate-1", Some(">=0.95"));
    }
    if let Some(segment) = by_name("segment") {
        add("segments: speed", (segment.speed(), ours.speed()), "blocks", Some(">=0.98"));
    }
    let (zstd, isal) = match case {
        "4 KiB" => (Some(">=1.1"), Some(">=1.3")),
        "16 KiB" => (Some(">=1.0"), Some(">=0.95")),
        _ => (None, None),
    };
    if let Some(peer) = by_name("zstd") {
        add("speed", (ours.speed(), peer.speed()), "zstd-1", zstd);
        add("ratio", (ours.ratio(), peer.ratio()), "zstd-1", None);
    }
    // Without ISA-L the figures are NaN, which misses any bound.
    let (speed, ratio) = by_name("isal").map_or((f64::NAN, f64::NAN), |t| (t.speed(), t.ratio()));
    add("speed", (ours.speed(), speed), "isal-1", isal);
    add("ratio", (ours.ratio(), ratio), "isal-1", isal.map(|_| ">=1.0"));
}

/// Measures random bytes and zeros.
fn extremes(codecs: &mut [Codec], rounds: usize, report: &mut Report) {
    let mut random = vec![0; 1 << 20];
    Pcg64Mcg::seed_from_u64(1).fill_bytes(&mut random);
    let zeros = vec![0; 1 << 20];
    for (name, data, bound) in [("random", &random, ">=2"), ("zeros", &zeros, ">=5")] {
        let taken = measure(codecs, data, 4096, rounds);
        let by_name = |name| find(codecs, &taken, name);
        if let (Some(ours), Some(peer)) = (by_name("default"), by_name("libdeflate")) {
            let case = format!("4 KiB, {name}");
            report.add(&case, "speed", (ours.speed(), peer.speed()), "libdeflate-1", Some(bound));
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

fn measure(codecs: &mut [Codec], data: &[u8], size: usize, rounds: usize) -> Vec<Taken> {
    let mut all = vec![Taken { input: data.len(), ..Taken::default() }; codecs.len()];
    let mut out = vec![0; size * 2 + 1024];
    for chunk in data.chunks(CHUNK.max(size)) {
        let mut best = vec![(f64::MAX, f64::MAX); codecs.len()];
        for round in 0..rounds {
            for ((codec, taken), best) in codecs.iter_mut().zip(&mut all).zip(&mut best) {
                let (bytes, cost) = measure_thread(|| {
                    chunk.chunks(size).map(|block| (codec.compress)(block, &mut out)).sum::<usize>()
                });
                best.0 = best.0.min(cost.cpu.as_secs_f64());
                if round == 0 {
                    taken.bytes += bytes;
                }
                if codec.deflate && round < DECODE_ROUNDS {
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

/// Returns the seconds that libdeflate takes to decode the codec's output for a chunk.
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
    let ((), cost) = measure_thread(|| {
        for (stream, len) in &streams {
            let n = decoder.deflate_decompress(stream, &mut plain[..*len]);
            assert_eq!(n, Ok(*len), "{}", codec.name);
        }
    });
    cost.cpu.as_secs_f64()
}
