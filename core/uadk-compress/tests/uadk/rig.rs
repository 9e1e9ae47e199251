//! A simulated machine, an engine on it, and blocks to process.

use std::sync::Arc;
use std::time::Duration;

use uadk_compress::clock::{Clock, ManualClock};
use uadk_compress::stats::Stats;
use uadk_compress::{
    Block, BlockCompressor, Format, Level, Libwd, OffloadCompressor, Policy, SoftwareCompressor,
    UadkCompressor, UadkConfig,
};
use uadk_sim::{Machine, Simulator};

use crate::common::{block, zlib_compress, zlib_decompress};

pub(crate) const LEN: usize = 8192;
pub(crate) const MS: Duration = Duration::from_millis(1);

pub(crate) type Engines = OffloadCompressor;

/// An engine with a software fallback, on a simulated machine. Dropped in this order.
#[derive(Debug)]
pub(crate) struct Rig {
    pub(crate) engines: Engines,
    pub(crate) uadk: UadkCompressor,
    pub(crate) clock: ManualClock,
    pub(crate) sim: Simulator,
    /// Blocks and bytes that earlier tests lost in this process.
    lost_before: (u64, usize),
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(Machine::default(), Format::Zlib, &UadkConfig::default(), Policy::default())
    }

    pub(crate) fn with(
        machine: Machine,
        format: Format,
        config: &UadkConfig,
        policy: Policy,
    ) -> Self {
        Self::on(Simulator::acquire(machine), format, config, policy)
    }

    /// Creates a rig on a machine that the test has prepared.
    pub(crate) fn on(sim: Simulator, format: Format, config: &UadkConfig, policy: Policy) -> Self {
        Self::on_libwd(sim, &uadk_sim::libwd(), format, config, policy)
    }

    /// Creates a rig on this version of the library.
    pub(crate) fn on_libwd(
        sim: Simulator,
        libwd: &Libwd,
        format: Format,
        config: &UadkConfig,
        policy: Policy,
    ) -> Self {
        let clock = ManualClock::default();
        let sim_clock = clock.clone();
        sim.set_clock(Arc::new(move || sim_clock.now()));
        // Everything happens in order: there are no background threads.
        let config = config.clone().with_background(false);
        let uadk = UadkCompressor::with_libwd(libwd, format, &config, clock.clone());
        let uadk = uadk.expect("UADK is installed");
        let engines = engines(&uadk, policy, &clock);
        let before = uadk.stats();
        let lost_before = (before.lost, before.quarantined_bytes);
        Self { engines, uadk, clock, sim, lost_before }
    }

    /// Returns the number of blocks that this test has lost.
    pub(crate) fn lost(&self) -> u64 {
        self.uadk.stats().lost - self.lost_before.0
    }

    /// Returns the bytes that this test has in quarantine.
    pub(crate) fn quarantined(&self) -> usize {
        self.uadk.stats().quarantined_bytes - self.lost_before.1
    }

    pub(crate) fn stats(&self) -> Stats {
        self.engines.stats()
    }

    /// Compresses a block and checks it with zlib.
    pub(crate) fn compress(&self, seed: u64) {
        compress(&self.engines, seed);
    }

    /// Decompresses a block that zlib compressed.
    pub(crate) fn decompress(&self, seed: u64) {
        decompress(&self.engines, seed);
    }

    pub(crate) fn compress_batch(&self, blocks: u64) {
        compress_batch(&self.engines, blocks);
    }

    pub(crate) fn decompress_batch(&self, blocks: u64) {
        decompress_batch(&self.engines, blocks);
    }
}

/// Combines the engine with a software fallback.
pub(crate) fn engines(uadk: &UadkCompressor, policy: Policy, clock: &ManualClock) -> Engines {
    let software =
        SoftwareCompressor::new(uadk.format(), Level::BALANCED).expect("a supported format");
    OffloadCompressor::with_clock(uadk.clone(), software, policy, clock.clone())
        .expect("one format")
}

pub(crate) fn compress(codec: &dyn BlockCompressor, seed: u64) {
    let data = block(seed, LEN);
    let mut compressed = vec![0; codec.max_compressed_len(LEN)];
    let written = codec.compress(&data, &mut compressed).expect("the bound holds");
    check_compressed(codec.format(), &compressed[..written], &data);
}

pub(crate) fn decompress(codec: &dyn BlockCompressor, seed: u64) {
    let data = block(seed, LEN);
    let theirs = zlib_compress(codec.format(), 6, &data).expect("writes to memory");
    let mut restored = vec![0; LEN];
    assert_eq!(codec.decompress(&theirs, &mut restored), Ok(LEN));
    assert!(restored == data, "block {seed} has changed");
}

pub(crate) fn compress_batch(codec: &dyn BlockCompressor, blocks: u64) {
    let sources: Vec<_> = (0..blocks).map(|seed| block(seed, LEN)).collect();
    let mut outputs = vec![vec![0; codec.max_compressed_len(LEN)]; sources.len()];
    let mut batch: Vec<_> =
        sources.iter().zip(&mut outputs).map(|(src, dst)| Block::new(src, dst)).collect();
    codec.compress_batch(&mut batch);
    let written: Vec<_> = batch.iter().map(|b| b.result().expect("the bound holds")).collect();
    for ((source, output), written) in sources.iter().zip(&outputs).zip(written) {
        check_compressed(codec.format(), &output[..written], source);
    }
}

pub(crate) fn decompress_batch(codec: &dyn BlockCompressor, blocks: u64) {
    let sources: Vec<_> = (0..blocks).map(|seed| block(seed, LEN)).collect();
    let theirs: Vec<_> = sources
        .iter()
        .map(|source| zlib_compress(codec.format(), 6, source).expect("writes to memory"))
        .collect();
    let mut outputs = vec![vec![0; LEN]; sources.len()];
    let mut batch: Vec<_> =
        theirs.iter().zip(&mut outputs).map(|(src, dst)| Block::new(src, dst)).collect();
    codec.decompress_batch(&mut batch);
    assert!(batch.iter().all(|block| block.result() == Ok(LEN)));
    drop(batch);
    assert!(outputs == sources, "blocks have changed");
}

fn check_compressed(format: Format, compressed: &[u8], data: &[u8]) {
    assert!(zlib_decompress(format, compressed).expect("valid data") == data, "compressed wrongly");
}

/// Asserts that one engine processed each of `blocks` blocks, with a reason for each in software.
pub(crate) fn assert_adds_up(stats: &Stats, blocks: u64) {
    assert_eq!(stats.accelerator.blocks() + stats.software.blocks(), blocks, "{stats}");
    assert_eq!(stats.fallbacks.total(), stats.software.blocks(), "{stats}");
}
