//! Snapshots whose clusters a simulated accelerator compresses.

use std::sync::Arc;

use uadk_compress::{BlockCompressor, Compressor, Format, UadkConfig};
use uadk_compress_pages::snapshot::{
    Chain, Layout, Pages, Region, RestoreOptions, SaveOptions, Snapshot, restore, save,
};
use uadk_sim::{Machine, Simulator};

use crate::guest::{Memory, PAGE};
use crate::peer::assert_readable;
use crate::{BASE, snapshot_by};

const PAGES: usize = 512;

/// Returns a compressor with a device that finds matches, which it uses from the first block on.
fn compressor(format: Format) -> Compressor {
    let config = UadkConfig::default().with_background(false);
    let builder = Compressor::builder().format(format).uadk(config);
    builder.build_on(&uadk_sim::libwd_of("2.10")).expect("there is a device")
}

#[test]
fn clusters_of_the_accelerator_are_read_by_other_readers_and_failures_go_to_software() {
    let sim = Simulator::acquire(Machine::lz77());
    let memory = Memory::guest_like(PAGES);
    for format in [Format::Zstd, Format::Lz4] {
        let compressor = compressor(format);
        let codec: Arc<dyn BlockCompressor> = Arc::new(compressor.clone());
        let scripts = ["no-faults", "busy=1/10", "no-faults; status=1/30:67"];
        for (nth, script) in (1..).zip(scripts) {
            sim.script(script).expect("a script");
            let file = snapshot_by(&codec, &memory, Pages::All, &SaveOptions::default().id(BASE));
            assert_readable(&file, &memory);
            let done = compressor.stats();
            let blocks = done.accelerator.compress.blocks + done.software.compress.blocks;
            assert_eq!(blocks, nth * PAGES as u64 / 4, "{done}");
        }
        let stats = compressor.stats();
        assert!(stats.accelerator.compress.blocks > 0, "{stats}");
        assert!(stats.software.compress.blocks > 0, "{stats}");
    }
}

#[test]
fn clusters_of_every_size_that_the_device_takes_are_compressed_by_it() {
    for cluster_size in [16 << 10, 128 << 10, 256 << 10] {
        for format in [Format::Zstd, Format::Lz4] {
            save_on(Machine::lz77(), format, cluster_size, true);
        }
        // This algorithm is limited to 128 KiB, which for zstd is a block.
        save_on(Machine::lz77_zstd(), Format::Zstd, cluster_size, true);
        save_on(Machine::lz77_zstd(), Format::Lz4, cluster_size, cluster_size <= 128 << 10);
    }
}

/// Saves and restores memory, and checks whether the device compressed the clusters.
fn save_on(machine: Machine, format: Format, cluster_size: usize, offloaded: bool) {
    let _sim = Simulator::acquire(machine);
    let memory = Memory::guest_like(PAGES);
    let compressor = compressor(format);
    let codec: Arc<dyn BlockCompressor> = Arc::new(compressor.clone());
    let region = Region { address: 0, len: (PAGES * PAGE) as u64 };
    let layout = Layout::with_sizes(vec![region], PAGE, cluster_size).expect("a layout");
    let (mut file, ram) = (Vec::new(), [memory.ram()]);
    let options = SaveOptions::default();
    save(&mut file, &layout, &ram[..], Pages::All, &codec, &options, &mut |_| {}).expect("saved");
    let stats = compressor.stats();
    let clusters = (PAGES * PAGE / cluster_size) as u64;
    let (device, software) = (stats.accelerator.compress.blocks, stats.software.compress.blocks);
    assert_eq!(device + software, clusters, "{format} {cluster_size}: {stats}");
    // Software takes some while the queue is full.
    assert_eq!(device > 0, offloaded, "{format} {cluster_size}: {stats}");

    let chain = Chain::new(vec![Snapshot::open(&file[..]).expect("intact")]).expect("a base");
    let restored = Memory::new(PAGES);
    let options = RestoreOptions::default();
    restore(&chain, &[restored.ram()][..], &options, &mut |_| {}).expect("intact");
    assert!(restored.bytes() == memory.bytes(), "{format} {cluster_size}");
}
