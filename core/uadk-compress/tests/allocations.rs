//! In steady state, processing a block makes no heap allocation.

mod common;

use common::block;
use uadk_compress::clock::SystemClock;
use uadk_compress::fault::FaultInjector;
use uadk_compress::offload::Verify;
use uadk_compress::{
    Block, BlockCompressor, Compressor, Format, Level, OffloadCompressor, Policy,
    SoftwareCompressor, UadkCompressor, UadkConfig, Window,
};

/// Counts this thread's allocations while `codec` processes blocks of a kind it has seen before.
fn allocations(codec: &dyn BlockCompressor) -> u64 {
    let sources: Vec<_> = (0..8).map(|seed| block(seed, 16_384)).collect();
    let mut compressed = vec![vec![0; codec.max_compressed_len(16_384)]; 8];
    let mut restored = vec![vec![0; 16_384]; 8];
    let mut round = || {
        for ((src, dst), restored) in sources.iter().zip(&mut compressed).zip(&mut restored) {
            let written = codec.compress(src, dst).expect("the bound holds");
            codec.decompress(&dst[..written], restored).expect("just compressed");
            codec.compress(src, &mut dst[..100]).expect_err("the destination is too small");
        }
        let mut blocks = sources.iter().zip(&mut compressed).map(|(s, d)| Block::new(s, d));
        let mut blocks: [Block<'_>; 8] = std::array::from_fn(|_| blocks.next().expect("8 blocks"));
        codec.compress_batch(&mut blocks);
        let lens = blocks.map(|block| block.result().expect("the bound holds"));
        let streams = compressed.iter().zip(lens).map(|(stream, len)| &stream[..len]);
        let mut blocks = streams.zip(&mut restored).map(|(s, d)| Block::new(s, d));
        let mut blocks: [Block<'_>; 8] = std::array::from_fn(|_| blocks.next().expect("8 blocks"));
        codec.decompress_batch(&mut blocks);
        assert!(blocks.iter().all(|block| block.result().is_ok()));
    };
    round();
    let steady = allocation_counter::measure(|| (0..10).for_each(|_| round()));
    assert!(restored == sources);
    steady.count_total
}

#[test]
fn the_counter_counts() {
    let counted = allocation_counter::measure(|| drop(std::hint::black_box(vec![0_u8; 100])));
    assert_eq!(counted.count_total, 1);
}

/// libdeflate's contexts are counted as well: these tests build it with Rust's allocator.
#[test]
fn the_counter_counts_the_contexts_of_libdeflate() {
    let made = || libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    assert_ne!(allocation_counter::measure(|| drop(made())).count_total, 0);
}

#[test]
fn none_per_block_in_software() {
    for level in [Level::FASTEST, Level::BALANCED, Level::BEST] {
        for format in common::FORMATS {
            let engine = SoftwareCompressor::new(format, level).expect("a supported format");
            assert_eq!(allocations(&engine), 0, "{engine:?}");
        }
    }
}

#[test]
fn none_when_switching_to_another_window() {
    let engine = SoftwareCompressor::new(Format::Zlib, Level::FASTEST).expect("a supported format");
    let limited = engine.clone().with_window_limit(Window::Kib16);
    let (block, mut compressed) = (block(1, 65_536), vec![0; engine.max_compressed_len(65_536)]);
    let mut compress = |engine: SoftwareCompressor| engine.compress(&block, &mut compressed);
    compress(engine.clone()).expect("the bound holds");
    let counted =
        allocation_counter::measure(|| compress(limited).map(drop).expect("the bound holds"));
    assert_eq!(counted.count_total, 0);
}

#[test]
fn none_per_block_with_policy_and_counters() {
    let compressor = Compressor::builder().build().expect("software is always there");
    assert_eq!(allocations(&compressor), 0);
}

#[test]
fn none_per_block_with_an_accelerator_whose_work_is_verified() {
    let software =
        SoftwareCompressor::new(Format::Zlib, Level::BALANCED).expect("a supported format");
    let accelerator = FaultInjector::new(software.clone(), |_| None);
    let policy = Policy::default().with_verify(Verify::Compressed);
    let engines = OffloadCompressor::new(accelerator, software, policy).expect("one format");
    assert_eq!(allocations(&engines), 0);
    assert!(engines.stats().accelerator.blocks() > 0);
}

#[test]
fn none_per_block_on_the_device() {
    let sim = uadk_sim::Simulator::acquire(uadk_sim::Machine::default());
    // So that the simulator's own allocations are not counted.
    sim.memoise(true);
    for format in common::FORMATS {
        let config = UadkConfig::default().with_background(false);
        let libwd = uadk_sim::libwd_of("2.8");
        let uadk = UadkCompressor::with_libwd(&libwd, format, &config, SystemClock::default());
        let software =
            SoftwareCompressor::new(format, Level::BALANCED).expect("a supported format");
        // So that a busy machine does not matter.
        let policy = Policy::default().with_max_delay(std::time::Duration::MAX);
        let engines = OffloadCompressor::new(uadk.expect("a healthy device"), software, policy);
        let engines = engines.expect("one format");
        assert_eq!(allocations(&engines), 0, "{format}");
        let stats = engines.stats();
        assert_eq!(stats.software.compress.blocks, 0, "{stats}");
        assert_eq!(stats.software.decompress.blocks, 0, "{stats}");
    }
}

#[test]
fn none_per_block_with_matches_from_the_device() {
    for algorithms in [vec!["zlib", "lz77_zstd", "lz4"], vec!["zlib", "lz77_zstd", "lz77_only"]] {
        let machine = uadk_sim::Machine { algorithms, ..uadk_sim::Machine::lz77() };
        let sim = uadk_sim::Simulator::acquire(machine);
        sim.memoise(true);
        for format in [Format::Zstd, Format::Lz4] {
            let config = UadkConfig::default().with_background(false);
            let libwd = uadk_sim::libwd_of("2.10");
            let uadk = UadkCompressor::with_libwd(&libwd, format, &config, SystemClock::default());
            let software = SoftwareCompressor::new(format, Level::FAST).expect("a format");
            let policy = Policy::default().with_max_delay(std::time::Duration::MAX);
            let engines = OffloadCompressor::new(uadk.expect("a device"), software, policy);
            let engines = engines.expect("one format");
            assert_eq!(allocations(&engines), 0, "{format}");
            let stats = engines.stats();
            assert!(stats.accelerator.compress.blocks > 0, "{stats}");
            assert_eq!(stats.software.compress.blocks, 0, "{stats}");
        }
    }
}
