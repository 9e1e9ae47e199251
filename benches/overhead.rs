//! The overhead of the trait, the policy and the counters over calling libdeflate directly, on
//! 4 KiB blocks of this machine's files.
//!
//! "software" has no accelerator and must cost nothing. "offloaded" has libdeflate as its
//! accelerator and times every block; with a clock that takes 29 ns to read, half of the overhead
//! is reading it.
//!
//! `make bench BENCH=overhead`. Measures thread CPU time.

use libdeflater::{CompressionLvl, Compressor as Libdeflate, Decompressor};
use uadk_compress::{
    BlockCompressor, Compressor, Format, Level, OffloadCompressor, Policy, SoftwareCompressor,
    SoftwareEncoder,
};
use uadk_compress_bench_support::corpus;
use uadk_compress_bench_support::duel::{compress_all, duel};
use uadk_compress_bench_support::report::Report;

const BLOCK: usize = 4096;
const CORPUS_BYTES: usize = 8 << 20;
const BOUND: &str = "<=1.02";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let records = corpus::records(&corpus::default_roots(), CORPUS_BYTES)?;
    let data: Vec<u8> = records.into_iter().flat_map(|record| record.value).collect();
    let blocks: Vec<&[u8]> = data.chunks_exact(BLOCK).collect();
    println!("{} blocks of {BLOCK} bytes", blocks.len());

    let mut report = Report::new("overhead");
    for level in [1, 6] {
        measure(&mut report, level, &blocks)?;
    }
    let missed = report.finish()?;
    std::process::exit(i32::from(missed > 0));
}

fn measure(
    report: &mut Report,
    level: i32,
    blocks: &[&[u8]],
) -> Result<(), Box<dyn std::error::Error>> {
    // The same encoder on both sides.
    let encoder = SoftwareEncoder::Libdeflate;
    let nearest = Level::nearest(level);
    let software = SoftwareCompressor::new(Format::RawDeflate, nearest)?.with_encoder(encoder);
    let compressor = Compressor::builder().level(nearest).software_encoder(encoder).build()?;
    let accelerated = OffloadCompressor::new(software.clone(), software, Policy::default())?;
    // Trait objects, as in the adapters, so that calls aren't inlined.
    let engines: [(&str, Box<dyn BlockCompressor>, Option<&str>); 2] = [
        ("software", Box::new(compressor), Some(BOUND)),
        ("offloaded", Box::new(accelerated), None),
    ];
    for (engine, ours, bound) in engines {
        let case = format!("level {level}, {engine}");
        let duels = duel_with_libdeflate(level, &*ours, blocks)?;
        for (direction, sides) in ["compress", "decompress"].iter().zip(duels) {
            report.add(case.clone(), &format!("{direction} CPU us"), sides, "libdeflate", bound);
        }
    }
    Ok(())
}

/// Measures one engine behind the trait against libdeflate at the same level, compressing and
/// decompressing.
fn duel_with_libdeflate(
    level: i32,
    ours: &dyn BlockCompressor,
    blocks: &[&[u8]],
) -> Result<[(f64, f64); 2], Box<dyn std::error::Error>> {
    let same_level = CompressionLvl::new(level).map_err(|_| "libdeflate has no such level")?;
    let mut libdeflate = Libdeflate::new(same_level);
    let mut inflate = Decompressor::new();

    let capacity = ours.max_compressed_len(BLOCK);
    let streams = compress_all(blocks, capacity, |block, dst| ours.compress(block, dst))?;
    let streams: Vec<&[u8]> = streams.iter().map(Vec::as_slice).collect();

    let compress = duel(
        blocks,
        capacity,
        |block, dst| ours.compress(block, dst).expect("the bound suffices"),
        |block, dst| libdeflate.deflate_compress(block, dst).expect("the bound suffices"),
    );
    let decompress = duel(
        &streams,
        BLOCK,
        |stream, dst| ours.decompress(stream, dst).expect("a valid stream"),
        |stream, dst| inflate.deflate_decompress(stream, dst).expect("a valid stream"),
    );
    Ok([compress, decompress])
}
