//! zstd and LZ4 from the device's matches, and LZ4 from the device itself.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use uadk_compress::{
    Block, BlockCompressor, Dictionary, Error, Format, Level, OffloadCompressor, Policy, Settings,
    SoftwareCompressor, UadkConfig, Window,
};
use uadk_sim::{Fault, Lie, Machine, Simulator};

use crate::common::block;
use crate::rig::{MS, Rig, assert_adds_up};

/// A machine, the version of the library, and the format that it serves by which algorithm.
struct Way {
    algorithms: &'static [&'static str],
    version: &'static str,
    format: Format,
}

/// zstd from `lz77_zstd`; LZ4 from `lz4`, `lz77_only` and `lz77_zstd`.
const WAYS: [Way; 5] = [
    Way { algorithms: &["zlib", "lz77_zstd"], version: "2.9.1", format: Format::Zstd },
    Way { algorithms: &["zlib", "lz77_zstd"], version: "2.10", format: Format::Zstd },
    Way { algorithms: &["zlib", "lz77_zstd", "lz4"], version: "2.10", format: Format::Lz4 },
    Way { algorithms: &["zlib", "lz77_zstd", "lz77_only"], version: "2.10", format: Format::Lz4 },
    Way { algorithms: &["zlib", "lz77_zstd"], version: "2.9.1", format: Format::Lz4 },
];

impl Way {
    fn rig(&self) -> Rig {
        self.rig_with(&UadkConfig::default(), Policy::default())
    }

    fn rig_with(&self, config: &UadkConfig, policy: Policy) -> Rig {
        let algorithms = self.algorithms.to_vec();
        let machine = Machine { algorithms, ..Machine::lz77() };
        let sim = Simulator::acquire(machine);
        let libwd = uadk_sim::libwd_of(self.version);
        Rig::on_libwd(sim, &libwd, self.format, config, policy)
    }
}

/// Compresses a block, and checks it with libzstd or `lz4_flex`.
fn compress(codec: &dyn BlockCompressor, data: &[u8]) -> usize {
    let mut compressed = vec![0; codec.max_compressed_len(data.len())];
    let len = codec.compress(data, &mut compressed).expect("the bound holds");
    check(codec.format(), &compressed[..len], data);
    len
}

fn check(format: Format, compressed: &[u8], data: &[u8]) {
    let mut restored = vec![0; data.len()];
    let len = match format {
        Format::Zstd => zstd_safe::decompress(&mut restored[..], compressed).expect("a frame"),
        _ => lz4_flex::block::decompress_into(compressed, &mut restored).expect("a block"),
    };
    assert!(restored[..len] == *data, "{format}: other bytes");
}

/// Returns blocks of many kinds and lengths.
fn samples() -> Vec<Vec<u8>> {
    let mut rng = Pcg64Mcg::seed_from_u64(5);
    let mut samples: Vec<Vec<u8>> = (1..40).map(|len| vec![7; len]).collect();
    for len in [1, 2, 12, 13, 100, 1000, 4096, 16_384, 65_536, 131_072] {
        samples.push(block(len as u64, len));
        samples.push(vec![0; len]);
        samples.push((0..len).map(|i| (i % 3) as u8).collect());
        let mut noise = vec![0; len];
        rng.fill(&mut noise[..]);
        // Few matches, far apart.
        for _ in 0..len / 4096 {
            let (from, to) = (rng.random_range(0..len - 64), rng.random_range(0..len - 64));
            noise.copy_within(from..from + 64, to);
        }
        samples.push(noise);
    }
    // More literals than the field of a sequence holds, before a match.
    let mut long: Vec<u8> = vec![0; 100_000];
    rng.fill(&mut long[..]);
    long.copy_within(90_000..90_100, 99_000);
    samples.push(long);
    samples
}

#[test]
fn blocks_of_every_kind_are_compressed_on_the_device() {
    for way in &WAYS {
        for level in [1, 12] {
            let policy = Policy::default().with_min_block(0);
            let rig = way.rig_with(&UadkConfig::default(), policy);
            let settings = Settings::new().with_level(Level::nearest(level));
            let codec = rig.engines.reconfigured(&settings).expect("levels");
            let samples = samples();
            for sample in &samples {
                compress(&codec, sample);
            }
            let stats = rig.stats();
            assert_eq!(stats.accelerator.compress.blocks, samples.len() as u64, "{stats}");
        }
    }
}

#[test]
fn batches_are_compressed_on_the_device() {
    for way in &WAYS {
        let rig = way.rig();
        let sources: Vec<_> = (0..200).map(|seed| block(seed, 16_384)).collect();
        let mut outputs = vec![vec![0; rig.engines.max_compressed_len(16_384)]; sources.len()];
        let mut blocks: Vec<_> =
            sources.iter().zip(&mut outputs).map(|(src, dst)| Block::new(src, dst)).collect();
        rig.engines.compress_batch(&mut blocks);
        for (block, source) in blocks.iter().zip(&sources) {
            check(way.format, block.output().expect("the bound holds"), source);
        }
        assert_eq!(rig.stats().accelerator.compress.blocks, 200, "{}", rig.stats());
    }
}

#[test]
fn decompression_is_left_to_software() {
    for way in &WAYS {
        let rig = way.rig();
        let data = block(1, 16_384);
        let mut compressed = vec![0; 20_000];
        let len = rig.engines.compress(&data, &mut compressed).expect("the bound holds");
        let mut restored = vec![0; data.len()];
        assert_eq!(rig.engines.decompress(&compressed[..len], &mut restored), Ok(data.len()));
        assert!(restored == data);
        let stats = rig.stats();
        assert_eq!(stats.software.decompress.blocks, 1, "{stats}");
        assert_eq!(stats.fallbacks.unsupported, 1, "{stats}");
        let refused = rig.uadk.decompress(&compressed[..len], &mut restored);
        assert!(refused.unwrap_err().to_string().contains("no device decompresses"));
    }
}

#[test]
fn devices_queues_and_versions_without_the_algorithms_use_software() {
    let without = |algorithms: &[&'static str], queue_version, version, format| {
        let algorithms = algorithms.to_vec();
        let machine = Machine { algorithms, queue_version, ..Machine::lz77() };
        let sim = Simulator::acquire(machine);
        let libwd = uadk_sim::libwd_of(version);
        let config = UadkConfig::default();
        let rig = Rig::on_libwd(sim, &libwd, format, &config, Policy::default());
        compress(&rig.engines, &block(1, 16_384));
        let stats = rig.stats();
        assert_eq!(stats.fallbacks.unsupported, 1, "{format} {version}: {stats}");
        assert_eq!(stats.breaker.opened, 0, "{stats}");
        let error = rig.uadk.start().expect_err("not offered").to_string();
        assert!(error.contains(&format!("no device compresses {format}")), "{error}");
    };
    let all = ["zlib", "gzip", "deflate", "lz77_zstd", "lz77_only", "lz4"];
    for format in [Format::Zstd, Format::Lz4] {
        without(&["zlib", "gzip"], 2, "2.10", format);
        without(&["zlib", "gzip", "deflate"], 3, "2.10", format);
        without(&all, 2, "2.10", format);
        // The figures of these versions are wrong.
        without(&all, 3, "2.8", format);
        without(&all, 3, "2.6", format);
    }
    without(&["zlib", "lz4", "lz77_only"], 3, "2.10", Format::Zstd);
    without(&["zlib", "lz4", "lz77_only"], 3, "2.9.1", Format::Lz4);
}

#[test]
fn blocks_that_are_too_long_and_dictionaries_and_checksums_use_software() {
    for way in &WAYS {
        let rig = way.rig();
        let (data, long) = (block(1, 16_384), block(2, 131_073));
        compress(&rig.engines, &long);
        // zstd has blocks of its own, and other algorithms take more at once.
        let offloaded = u64::from(way.format == Format::Zstd || way.algorithms.len() > 2);
        assert_eq!(rig.stats().accelerator.compress.blocks, offloaded, "{}", rig.stats());

        let dictionary = Settings::new().with_dictionary(Dictionary::new(block(3, 4096)));
        let with = rig.engines.reconfigured(&dictionary).expect("both formats have dictionaries");
        let mut compressed = vec![0; 20_000];
        let len = with.compress(&data, &mut compressed).expect("the bound holds");
        let mut restored = vec![0; data.len()];
        assert_eq!(with.decompress(&compressed[..len], &mut restored), Ok(data.len()));
        assert!(restored == data);
        let checksum = Settings::new().with_checksum(true);
        let with = rig.engines.reconfigured(&checksum).expect("a setting of software");
        compress(&with, &data);
        let stats = rig.stats();
        assert_eq!(stats.accelerator.compress.blocks, offloaded, "{stats}");
        assert_eq!(stats.fallbacks.no_accelerator, 0, "{stats}");
    }
}

#[test]
fn long_zstd_blocks_are_compressed_in_pieces() {
    let rig = WAYS[1].rig();
    let lens = [131_073, 200_000, 262_144, 262_145, 1 << 20, 8 << 20];
    for (n, len) in lens.into_iter().enumerate() {
        let mut data = block(n as u64, len);
        // One piece is noise, and one is zeros.
        Pcg64Mcg::seed_from_u64(1).fill(&mut data[..len / 4]);
        data[len / 2..].fill(0);
        let compressed = compress(&rig.engines, &data);
        assert!(compressed < len, "{compressed} of {len}");
        let mut too_small = vec![0; compressed - 1];
        assert_eq!(rig.engines.compress(&data, &mut too_small), Err(Error::OutputFull));
    }
    let stats = rig.stats();
    assert_eq!(stats.accelerator.compress.blocks, 2 * lens.len() as u64, "{stats}");
    assert_eq!(stats.breaker.opened, 0, "{stats}");
}

#[test]
fn long_and_short_zstd_blocks_share_a_batch() {
    let rig = WAYS[1].rig();
    let lens = [100_000, 300_000, 16_384, 16_384, 131_072, 131_073, 400_000, 5000, 4096];
    let sources: Vec<_> = lens.iter().map(|&len| block(len as u64, len)).collect();
    for _ in 0..3 {
        let capacity = rig.engines.max_compressed_len(400_000);
        let mut outputs = vec![vec![0; capacity]; sources.len()];
        let mut blocks: Vec<_> =
            sources.iter().zip(&mut outputs).map(|(src, dst)| Block::new(src, dst)).collect();
        rig.engines.compress_batch(&mut blocks);
        for (block, source) in blocks.iter().zip(&sources) {
            check(Format::Zstd, block.output().expect("the bound holds"), source);
        }
    }
    assert_eq!(rig.stats().accelerator.compress.blocks, 27, "{}", rig.stats());
}

#[test]
fn a_lie_about_one_piece_leaves_the_whole_block_to_software() {
    let data = block(1, 500_000);
    for fault in lies() {
        for piece in 1..=4 {
            let rig = WAYS[1].rig();
            compress(&rig.engines, &data);
            rig.sim.fault(fault, piece);
            compress(&rig.engines, &data);
            assert_adds_up(&rig.stats(), 2);
        }
    }
    // The queue is full for a while, and a completion is lost.
    let rig = WAYS[1].rig();
    compress(&rig.engines, &data);
    for fault in [Fault::Busy, Fault::Lost { write_late: false }] {
        rig.sim.fault(fault, 3);
        compress(&rig.engines, &data);
        rig.clock.advance(1000 * MS);
    }
    assert_adds_up(&rig.stats(), 3);
}

#[test]
fn matches_stay_within_the_window() {
    // Repeats at a distance of 20,000 bytes.
    let data: Vec<u8> = (0..40_000_u32).map(|i| ((i % 20_000).pow(2) % 65_521) as u8).collect();
    for way in &WAYS {
        let rig = way.rig();
        let whole = compress(&rig.engines, &data);
        let settings = Settings::new().with_window(Window::Kib16);
        let limited = rig.engines.reconfigured(&settings).expect("windows");
        assert!(compress(&limited, &data) > whole + 10_000, "{}", way.version);
    }
}

#[test]
fn an_output_that_is_too_small_is_no_fault() {
    for way in &WAYS {
        let rig = way.rig();
        let data = block(1, 16_384);
        let len = compress(&rig.engines, &data);
        for capacity in [0, 1, 10, len / 2, len - 1] {
            let result = rig.engines.compress(&data, &mut vec![0; capacity]);
            assert_eq!(result, Err(Error::OutputFull), "{capacity}");
        }
        assert_eq!(rig.stats().breaker.opened, 0, "{}", rig.stats());
        assert_eq!(rig.stats().software.compress.blocks, 0, "{}", rig.stats());
    }
}

/// Lies about sequences and LZ4 blocks, and other impossible completions.
fn lies() -> Vec<Fault> {
    let lies = [
        Lie::Literals(1),
        Lie::Literals(-1),
        Lie::Literals(i32::MAX),
        Lie::Sequences(1),
        Lie::Sequences(-1),
        Lie::Sequences(i32::MAX),
        Lie::OverflowCount(1),
        Lie::OverflowCount(2),
        Lie::OverflowPosition(u32::MAX),
        Lie::LiteralLength(1),
        Lie::LiteralLength(-1),
        Lie::MatchLength(1),
        Lie::MatchLength(-1),
        Lie::MatchLength(i32::MAX),
        Lie::ZeroOffset,
        Lie::ZeroRepeat,
        Lie::BeforeStart,
        Lie::BeyondWindow,
        Lie::WrongMatch,
        Lie::NoEndRules,
    ];
    let mut lies: Vec<_> = lies.into_iter().map(Fault::Lie).collect();
    lies.extend([Fault::FlipBit, Fault::Empty, Fault::Truncated(9), Fault::Status(67)]);
    lies
}

#[test]
fn lies_are_faults_of_the_device_and_never_reach_a_block() {
    for way in &WAYS {
        for fault in lies() {
            let rig = way.rig();
            // Long literals, and matches of all lengths.
            let data = samples().pop().expect("samples");
            compress(&rig.engines, &data);
            rig.sim.fault(fault, 1);
            compress(&rig.engines, &data);
            rig.clock.advance(100 * MS);
            let data = block(1, 16_384);
            compress(&rig.engines, &data);
            rig.sim.fault(fault, 1);
            compress(&rig.engines, &data);
            let stats = rig.stats();
            assert_adds_up(&stats, 4);
        }
    }
}

#[test]
fn each_lie_that_concerns_the_algorithm_is_noticed() {
    for way in &WAYS {
        let noticed = |fault| {
            let rig = way.rig();
            let data = block(1, 16_384);
            compress(&rig.engines, &data);
            rig.sim.fault(fault, 1);
            compress(&rig.engines, &data);
            rig.stats().fallbacks.device_error == 1
        };
        let noticed = lies().into_iter().filter(|fault| noticed(*fault)).count();
        assert!(noticed >= 6, "{:?} {}: {noticed}", way.algorithms, way.version);
    }
}

#[test]
fn lz4_from_the_device_is_verified_unless_switched_off() {
    let way = &WAYS[2];
    let result = |config: &UadkConfig| {
        let rig = way.rig_with(config, Policy::default());
        let data = block(1, 16_384);
        compress(&rig.engines, &data);
        rig.sim.fault(Fault::FlipBit, 1);
        let mut compressed = vec![0; 20_000];
        rig.engines.compress(&data, &mut compressed).expect("the bound holds");
        rig.stats().fallbacks.device_error
    };
    assert_eq!(result(&UadkConfig::default()), 1);
    assert_eq!(result(&UadkConfig::default().with_verify_lz4(false)), 0);
}

#[test]
fn a_lost_request_keeps_its_figures_and_its_buffer() {
    for way in &WAYS {
        let rig = way.rig();
        let data = block(1, 16_384);
        compress(&rig.engines, &data);
        rig.sim.fault(Fault::Lost { write_late: true }, 1);
        compress(&rig.engines, &data);
        assert_eq!(rig.lost(), 1);
        rig.clock.advance(1000 * MS);
        for seed in 0..20 {
            compress(&rig.engines, &block(seed, 16_384));
        }
        // Writes to memory that is kept: valgrind and the allocator would notice anything else.
        assert_eq!(rig.sim.write_late(), 1);
        compress(&rig.engines, &data);
    }
}

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Compresses random blocks, every second one with a random fault. `BLOCKS=` is the number of
/// blocks of each format, `SEED=` selects others: `make fuzz-formats`.
fn random_blocks(format: Format) {
    let (blocks, seed) = (from_env("BLOCKS", 6000), from_env("SEED", 1));
    // Printed only if the test fails.
    println!("SEED={seed} BLOCKS={blocks}");
    let ways: Vec<_> = WAYS.iter().filter(|way| way.format == format).collect();
    for (n, way) in ways.iter().enumerate() {
        let none = std::time::Duration::ZERO;
        let config = UadkConfig::default().with_hold_off(none);
        let policy = Policy::default().with_min_block(0).with_hold_off(none, none);
        let rig = way.rig_with(&config, policy);
        let mut rng = Pcg64Mcg::seed_from_u64(seed << 8 | n as u64);
        let lies = lies();
        let share = blocks / ways.len() as u64;
        for block in 0..share {
            let data = random_block(&mut rng);
            if rng.random_ratio(1, 2) {
                rig.sim.fault(lies[rng.random_range(0..lies.len())], 1);
            }
            let len = compress(&rig.engines, &data);
            assert!(len <= rig.engines.max_compressed_len(data.len()), "block {block}");
            rig.clock.advance(MS);
        }
        let stats = rig.stats();
        assert!(stats.accelerator.compress.blocks > share / 3, "{stats}");
        assert!(stats.fallbacks.device_error > share / 6, "{stats}");
    }
}

/// Returns a block of few or many different bytes, with repetitions. Mostly short: special cases
/// are near the ends.
fn random_block(rng: &mut Pcg64Mcg) -> Vec<u8> {
    let longer = if rng.random_ratio(1, 200) { 20 } else { 1 };
    let bound = [40, 300, 1200, 5000][rng.random_range(0..4)] * longer;
    let len = rng.random_range(1..bound);
    let alphabet = rng.random_range(1..=255);
    let mut data: Vec<u8> = (0..len).map(|_| rng.random_range(0..=alphabet)).collect();
    for _ in 0..rng.random_range(0..20) {
        let (a, b) = (rng.random_range(0..len), rng.random_range(0..len));
        let run = rng.random_range(0..len - a.max(b));
        data.copy_within(a..a + run, b);
    }
    data
}

#[test]
fn random_blocks_and_random_faults_never_make_a_wrong_zstd_frame() {
    random_blocks(Format::Zstd);
}

#[test]
fn random_blocks_and_random_faults_never_make_a_wrong_lz4_block() {
    random_blocks(Format::Lz4);
}

#[test]
fn engines_for_zstd_and_lz4_share_the_device_with_others() {
    let sim = Simulator::acquire(Machine::lz77());
    let libwd = uadk_sim::libwd_of("2.10");
    let rig = Rig::on_libwd(sim, &libwd, Format::Zlib, &UadkConfig::default(), Policy::default());
    rig.compress(1);
    for format in [Format::Zstd, Format::Lz4] {
        let uadk = rig.uadk.with_format(format).expect("supported");
        let software = SoftwareCompressor::new(format, Level::FAST).expect("supported");
        let both = OffloadCompressor::new(uadk, software, Policy::default()).expect("one format");
        compress(&both, &block(1, 16_384));
        assert_eq!(both.stats().accelerator.compress.blocks, 1);
    }
    assert_eq!(rig.uadk.stats().initialisations, 1);
}
