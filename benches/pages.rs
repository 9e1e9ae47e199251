//! Page batches, snapshots and lazy restore against the alternatives: zlib as QEMU calls it, zstd,
//! and a full restore.
//!
//! `make bench BENCH=pages`. The image of a guest's memory is made from this machine's files: see
//! `uadk_compress_bench_support::guest`. Measures thread CPU time unless stated otherwise. The
//! sides alternate on each chunk of pages, and the cheapest time of all rounds counts for each
//! chunk.

#[path = "../examples/lazy_restore/memory.rs"]
mod memory;

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use uadk_compress::{Block, BlockCompressor, Compressor, Format, Level};
use uadk_compress_bench_support::cpu::measure_thread;
use uadk_compress_bench_support::guest;
use uadk_compress_bench_support::report::Report;
use uadk_compress_pages::snapshot::{
    Chain, ImageFile, Layout, Pages, Region, RestoreOptions, SaveOptions, Snapshot, restore, save,
};
use uadk_compress_pages::{Channel, GuestRam, Page, ZeroPages};

use memory::Mapping;

const PAGE: usize = guest::PAGE;
/// Pages per packet, and per turn.
const BATCH: usize = 128;
const IMAGE: usize = 64 << 20;
const LAZY: usize = 1 << 30;
const ROUNDS: usize = 7;
/// QEMU's default.
const LEVEL: Level = match Level::new(1) {
    Some(level) => level,
    None => Level::BALANCED,
};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let image = guest::image(IMAGE)?;
    let zero = image.chunks_exact(PAGE).filter(|page| page.iter().all(|byte| *byte == 0)).count();
    println!("{} pages of {PAGE} bytes, {zero} of them zero", image.len() / PAGE);
    let mut report = Report::new("pages");
    codecs(&mut report, &image)?;
    batches(&mut report, &image)?;
    scan(&mut report)?;
    snapshots(&mut report, &image)?;
    lazy(&mut report, &image)?;
    let missed = report.finish()?;
    std::process::exit(i32::from(missed > 0));
}

/// Returns the sum over all chunks of the cheapest thread CPU seconds, for both sides.
fn duel<T>(chunks: &[T], mut ours: impl FnMut(&T), mut theirs: impl FnMut(&T)) -> (f64, f64) {
    let mut cheapest = vec![[f64::INFINITY; 2]; chunks.len()];
    for round in 0..ROUNDS {
        for (chunk, best) in chunks.iter().zip(&mut cheapest) {
            // The second side finds the chunk in the cache, so the order alternates.
            for side in [round % 2, 1 - round % 2] {
                let ((), cost) =
                    measure_thread(|| if side == 0 { ours(chunk) } else { theirs(chunk) });
                best[side] = best[side].min(cost.cpu.as_secs_f64());
            }
        }
    }
    let sum = |side: usize| cheapest.iter().map(|best| best[side]).sum();
    (sum(0), sum(1))
}

/// Measures our codec for the method uadk, in software, against zlib at level 1, page by page.
fn codecs(report: &mut Report, image: &[u8]) -> Outcome {
    let codec = Compressor::builder().format(Format::Zlib).level(LEVEL).build()?;
    let pages: Vec<&[u8]> =
        image.chunks_exact(PAGE).filter(|page| page.iter().any(|byte| *byte != 0)).collect();
    let chunks: Vec<&[&[u8]]> = pages.chunks(BATCH).collect();
    let bound = codec.max_compressed_len(PAGE);
    let (mut ours, mut theirs) = (vec![vec![0; bound]; BATCH], vec![0; bound]);
    let mut zlib = Compress::new(Compression::fast(), true);
    let (own, peer) = duel(
        &chunks,
        |chunk| {
            let mut blocks: Vec<_> =
                chunk.iter().zip(&mut ours).map(|(page, dst)| Block::new(page, dst)).collect();
            codec.compress_batch(&mut blocks);
            assert!(blocks.iter().all(|block| block.result().is_ok()));
        },
        |chunk| {
            for page in *chunk {
                zlib.reset();
                zlib.compress(page, &mut theirs, FlushCompress::Finish).expect("zlib compresses");
            }
        },
    );
    let bytes = (pages.len() * PAGE) as f64;
    let speeds = |own: f64, peer: f64| (bytes / own / 1e6, bytes / peer / 1e6);
    report.add("uadk, software", "compress MB/s", speeds(own, peer), "zlib 1", Some(">=2.2"));

    // Bytes on the wire: a page that doesn't get smaller is sent uncompressed.
    let (mut own_blobs, mut peer_blobs) = (Vec::new(), Vec::new());
    for page in &pages {
        let len = codec.compress(page, &mut theirs)?;
        own_blobs.push(theirs[..len].to_vec());
        zlib.reset();
        zlib.compress(page, &mut theirs, FlushCompress::Finish)?;
        peer_blobs.push(theirs[..zlib.total_out() as usize].to_vec());
    }
    let ratio =
        |blobs: &[Vec<u8>]| bytes / blobs.iter().map(|b| b.len().min(PAGE)).sum::<usize>() as f64;
    let ratios = (ratio(&own_blobs), ratio(&peer_blobs));
    report.add("uadk, software", "compression ratio", ratios, "zlib 1", Some(">=0.96"));

    let pairs: Vec<_> = own_blobs.chunks(BATCH).zip(peer_blobs.chunks(BATCH)).collect();
    let mut landing = vec![vec![0; PAGE]; BATCH];
    let mut page = vec![0; PAGE];
    let mut inflate = Decompress::new(true);
    let (own, peer) = duel(
        &pairs,
        |(blobs, _)| {
            let mut blocks: Vec<_> = blobs
                .iter()
                .zip(&mut landing)
                .map(|(blob, page)| Block::exact(blob, page))
                .collect();
            codec.decompress_batch(&mut blocks);
            assert!(blocks.iter().all(|block| block.result().is_ok()));
        },
        |(_, blobs)| {
            for blob in *blobs {
                inflate.reset(true);
                inflate
                    .decompress(blob, &mut page, FlushDecompress::Finish)
                    .expect("a valid stream");
            }
        },
    );
    report.add("uadk, software", "decompress MB/s", speeds(own, peer), "zlib 1", Some(">=2.0"));
    Ok(())
}

/// Measures the whole path of a batch, including zero pages, against the bare codec on the other
/// pages.
fn batches(report: &mut Report, image: &[u8]) -> Outcome {
    let codec = Arc::new(Compressor::builder().format(Format::Zlib).level(LEVEL).build()?);
    let mut channel = Channel::new(codec.clone(), PAGE, BATCH)?;
    let mapping = Mapping::new(image.len())?;
    let ram = mapping.ram();
    ram.write(0, image)?;
    let offsets: Vec<u64> = (0..image.len() as u64).step_by(PAGE).collect();
    let chunks: Vec<(&[u64], Vec<&[u8]>)> = offsets
        .chunks(BATCH)
        .zip(image.chunks(BATCH * PAGE))
        .map(|(offsets, bytes)| {
            let pages = bytes.chunks_exact(PAGE);
            (offsets, pages.filter(|page| page.iter().any(|byte| *byte != 0)).collect())
        })
        .collect();
    let mut outputs = vec![vec![0; PAGE - 1]; BATCH];
    let compress = duel(
        &chunks,
        |(offsets, _)| {
            let batch = channel.compress(&ram, offsets).expect("offsets inside RAM");
            assert!(batch.io_slices().count() <= BATCH);
        },
        |(_, pages)| {
            let mut blocks: Vec<_> =
                pages.iter().zip(&mut outputs).map(|(page, dst)| Block::new(page, dst)).collect();
            codec.compress_batch(&mut blocks);
        },
    );

    let mut batches = Vec::new();
    for (offsets, _) in &chunks {
        let pages: Vec<Option<Vec<u8>>> = channel
            .compress(&ram, offsets)?
            .pages()
            .map(|page| match page {
                Page::Zero => None,
                Page::Raw(bytes) | Page::Compressed(bytes) => Some(bytes.to_vec()),
            })
            .collect();
        batches.push((*offsets, pages));
    }
    // QEMU decompresses directly into guest memory.
    let mut plain = image.to_vec();
    let decompress = duel(
        &batches,
        |(offsets, pages)| {
            let pages = offsets.iter().copied().zip(pages.iter().map(|page| match page {
                None => Page::Zero,
                Some(bytes) if bytes.len() == PAGE => Page::Raw(bytes),
                Some(bytes) => Page::Compressed(bytes),
            }));
            channel.decompress(&ram, pages, ZeroPages::Fresh).expect("valid pages");
        },
        |(offsets, pages)| {
            let targets = plain[offsets[0] as usize..].chunks_exact_mut(PAGE);
            let mut blocks = Vec::with_capacity(BATCH);
            for (page, target) in pages.iter().zip(targets) {
                match page {
                    None => {}
                    Some(bytes) if bytes.len() == PAGE => target.copy_from_slice(bytes),
                    Some(bytes) => blocks.push(Block::exact(bytes, target)),
                }
            }
            codec.decompress_batch(&mut blocks);
        },
    );
    let both = (compress.0 + decompress.0, compress.1 + decompress.1);
    report.add("batch path", "compress CPU s", compress, "bare codec", None);
    report.add("batch path", "decompress CPU s", decompress, "bare codec", None);
    report.add("batch path", "both ways CPU s", both, "bare codec", Some("<=1.05"));
    Ok(())
}

/// Measures how fast zero pages are detected.
fn scan(report: &mut Report) -> Outcome {
    for (case, len, passes) in [("2 MiB, cached", 2 << 20, 200), ("256 MiB", 256 << 20, 4)] {
        let mapping = Mapping::new(len)?;
        let ram = mapping.ram();
        // Writes to every page, since untouched ones all share the kernel's zero page.
        for offset in (0..len as u64).step_by(PAGE) {
            ram.write(offset, &[1; 8])?;
            ram.write(offset, &[0; 8])?;
        }
        let mut best = f64::INFINITY;
        for _ in 0..ROUNDS {
            let (zeros, cost) = measure_thread(|| {
                let offsets = (0..passes).flat_map(|_| (0..len as u64).step_by(PAGE));
                offsets.filter(|offset| ram.is_zero(*offset, PAGE) == Ok(true)).count()
            });
            assert_eq!(zeros, passes * len / PAGE);
            best = best.min(cost.cpu.as_secs_f64());
        }
        let speed = (passes * len) as f64 / best / 1e9;
        let bound = (len < 4 << 20).then_some(">=1.0");
        report.add(format!("zero scan, {case}"), "GB/s", (speed, 15.0), "15 GB/s", bound);
    }
    Ok(())
}

/// Measures saving and restoring snapshots of the image against the `zstd` command, in wall time.
fn snapshots(report: &mut Report, image: &[u8]) -> Outcome {
    for format in [Format::RawDeflate, Format::Zstd, Format::Lz4] {
        snapshots_in(format, report, image)?;
    }
    Ok(())
}

fn snapshots_in(format: Format, report: &mut Report, image: &[u8]) -> Outcome {
    let folder = tempfile::tempdir()?;
    let [raw, ours, theirs, restored] =
        ["image", "snapshot", "image.zst", "restored"].map(|name| folder.path().join(name));
    std::fs::write(&raw, image)?;
    let layout = Layout::new(vec![Region { address: 0, len: image.len() as u64 }])?;
    let codec: Arc<dyn BlockCompressor> =
        Arc::new(Compressor::builder().format(format).level(LEVEL).build()?);
    let (mut own, mut peer) = ([f64::INFINITY; 2], [f64::INFINITY; 2]);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let file = File::create(&ours)?;
        let memory = ImageFile::new(File::open(&raw)?, &layout);
        let options = SaveOptions::default().threads(2);
        save(file, &layout, &memory, Pages::All, &codec, &options, &mut |_| {})?;
        own[0] = own[0].min(start.elapsed().as_secs_f64());
        peer[0] = peer[0].min(zstd(&["-1", "-T2"], &raw, &theirs)?);

        let start = Instant::now();
        let file =
            File::options().read(true).write(true).create(true).truncate(true).open(&restored)?;
        file.set_len(layout.len())?;
        let chain = Chain::new(vec![Snapshot::open(File::open(&ours)?)?])?;
        let options = RestoreOptions::default().threads(2).zero_pages(ZeroPages::Fresh);
        restore(&chain, &ImageFile::new(file, &layout), &options, &mut |_| {})?;
        own[1] = own[1].min(start.elapsed().as_secs_f64());
        assert!(std::fs::read(&restored)? == image, "wrong memory restored");
        peer[1] = peer[1].min(zstd(&["-d"], &theirs, &restored)?);
    }
    let case = format!("snapshot in {format}, 2 threads");
    let speed = |seconds: f64| image.len() as f64 / 1e6 / seconds;
    for (nth, what) in ["save MB/s, wall", "restore MB/s, wall"].into_iter().enumerate() {
        report.add(&case, what, (speed(own[nth]), speed(peer[nth])), "zstd -1 -T2", None);
    }
    let ratio =
        |path: &Path| Ok::<f64, std::io::Error>(image.len() as f64 / path.metadata()?.len() as f64);
    let ratios = (ratio(&ours)?, ratio(&theirs)?);
    report.add(&case, "compression ratio", ratios, "zstd -1 -T2", None);
    Ok(())
}

/// Runs the `zstd` command and returns the seconds that it took.
fn zstd(options: &[&str], from: &Path, to: &Path) -> Result<f64, Box<dyn Error>> {
    let start = Instant::now();
    let mut command = Command::new("zstd");
    command.args(options).args(["-q", "-f"]).arg(from).arg("-o").arg(to);
    let done = command
        .status()
        .map_err(|error| format!("failed to run zstd: {error} (install the package zstd)"))?;
    assert!(done.success(), "{done}");
    Ok(start.elapsed().as_secs_f64())
}

/// Measures the time to the first page of a lazily restored gigabyte.
fn lazy(report: &mut Report, image: &[u8]) -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("snapshot");
    let layout = Layout::new(vec![Region { address: 0, len: LAZY as u64 }])?;
    let codec: Arc<dyn BlockCompressor> = Arc::new(Compressor::builder().level(LEVEL).build()?);
    {
        let mapping = Mapping::new(LAZY)?;
        for start in (0..LAZY as u64).step_by(image.len()) {
            for (offset, page) in (start..).step_by(PAGE).zip(image.chunks_exact(PAGE)) {
                if page.iter().any(|byte| *byte != 0) {
                    mapping.ram().write(offset, page)?;
                }
            }
        }
        let ram = [mapping.ram()];
        let file = File::create(&path)?;
        save(file, &layout, &ram[..], Pages::All, &codec, &SaveOptions::default(), &mut |_| {})?;
    }
    let mut first = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let chain = Arc::new(Chain::new(vec![Snapshot::open(File::open(&path)?)?])?);
        let mapping = Mapping::new(LAZY)?;
        mapping.fault_from(chain, 0)?;
        let mut page = vec![0; PAGE];
        mapping.ram().read(LAZY as u64 / 2 + 77 * PAGE as u64, &mut page)?;
        first = first.min(start.elapsed().as_secs_f64());
        assert!(page == image[77 * PAGE..][..PAGE], "wrong page restored");
    }
    let start = Instant::now();
    let chain = Chain::new(vec![Snapshot::open(File::open(&path)?)?])?;
    let mapping = Mapping::new(LAZY)?;
    let ram: [GuestRam<'_>; 1] = [mapping.ram()];
    let options = RestoreOptions::default().zero_pages(ZeroPages::Fresh);
    restore(&chain, &ram[..], &options, &mut |_| {})?;
    let full = start.elapsed().as_secs_f64();
    report.add("lazy restore, 1 GiB", "first page ms", (first * 1e3, 50.0), "50 ms", Some("<=1.0"));
    report.add(
        "lazy restore, 1 GiB",
        "first page ms",
        (first * 1e3, full * 1e3),
        "full restore",
        None,
    );
    Ok(())
}
