//! Checks for the promises of [`BlockCompressor`], to run against any implementation. New versions
//! of this crate may check more of these promises.
//!
//! Call them from your codec's tests:
//!
//! ```
//! # use uadk_compress::{conformance, Format, Level, SoftwareCompressor};
//! # let my_codec = SoftwareCompressor::new(Format::Gzip, Level::FAST)?;
//! conformance::all(&my_codec);
//! # Ok::<(), uadk_compress::Error>(())
//! ```
//!
//! Each check panics with a description of the broken promise.

#![allow(clippy::missing_panics_doc, reason = "these checks fail by panicking")]

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::{Block, BlockCompressor, Checked, Error, Level, Settings, Window};

/// Runs all checks below.
pub fn all(codec: &dyn BlockCompressor) {
    restores_every_block(codec);
    fits_into_the_bound(codec);
    reports_a_destination_that_is_too_small(codec);
    survives_damage(codec);
    batches_equal_single_blocks(codec);
    serves_all_threads_at_once(codec);
    keeps_its_format_with_other_settings(codec);
}

/// Checks that blocks of all kinds and sizes are restored unchanged, into destinations of the exact
/// size and larger ones.
pub fn restores_every_block(codec: &dyn BlockCompressor) {
    for sample in samples() {
        let compressed = compress(codec, &sample);
        for capacity in [sample.len(), sample.len() + 100] {
            let mut restored = vec![0; capacity];
            let written = codec.decompress(&compressed, &mut restored);
            assert_eq!(
                written,
                Ok(sample.len()),
                "decompressing a block of {} bytes into {capacity} bytes",
                sample.len(),
            );
            assert!(
                restored[..sample.len()] == sample[..],
                "a block of {} bytes came back changed",
                sample.len(),
            );
        }
    }
}

/// Checks that every block fits into [`max_compressed_len`](BlockCompressor::max_compressed_len),
/// and that none holds more than
/// [`max_decompressed_len`](BlockCompressor::max_decompressed_len).
pub fn fits_into_the_bound(codec: &dyn BlockCompressor) {
    for sample in samples() {
        let compressed = compress(codec, &sample);
        if let Some(bound) = codec.max_decompressed_len(compressed.len()) {
            assert!(
                sample.len() <= bound,
                "{} compressed bytes hold {}, more than max_decompressed_len ({bound})",
                compressed.len(),
                sample.len(),
            );
        }
    }
}

/// Checks that a destination that is too small, or even empty, results in [`Error::OutputFull`] in
/// both directions.
pub fn reports_a_destination_that_is_too_small(codec: &dyn BlockCompressor) {
    for sample in samples().into_iter().filter(|sample| !sample.is_empty()) {
        let compressed = compress(codec, &sample);
        for capacity in [0, sample.len() / 2, sample.len() - 1] {
            if capacity < compressed.len() {
                // An encoder may need a few more bytes than its result, so success is optional. But
                // a result, if returned, must be complete.
                let mut dst = vec![0; capacity];
                match codec.compress(&sample, &mut dst) {
                    Err(Error::OutputFull) => {}
                    Ok(written) => {
                        let mut restored = vec![0; sample.len()];
                        let whole = codec.decompress(&dst[..written], &mut restored);
                        assert!(
                            whole == Ok(sample.len()) && restored == sample,
                            "{} bytes compressed into {capacity} were not restored",
                            sample.len(),
                        );
                    }
                    Err(other) => {
                        panic!("a destination that is too small must be OutputFull, not {other:?}")
                    }
                }
            }
            let decompressed = codec.decompress(&compressed, &mut vec![0; capacity]);
            assert_eq!(
                decompressed,
                Err(Error::OutputFull),
                "decompressing {} bytes into {capacity}",
                sample.len(),
            );
        }
    }
}

/// Checks that truncated blocks, damaged blocks and random bytes result in an error or in some
/// output within bounds, never in a panic.
pub fn survives_damage(codec: &dyn BlockCompressor) {
    let sample = &text(5000);
    let compressed = compress(codec, sample);
    let mut restored = vec![0; sample.len()];

    assert!(codec.decompress(&[], &mut restored).is_err(), "an empty input passed for a block");
    for len in (0..compressed.len()).step_by(7) {
        let whole = codec.decompress(&compressed[..len], &mut restored) == Ok(sample.len())
            && restored == *sample;
        assert!(!whole, "the first {len} of {} bytes passed for the block", compressed.len());
    }
    let mut rng = Pcg64Mcg::seed_from_u64(7);
    for _ in 0..2000 {
        let mut damaged = compressed.clone();
        damaged[rng.random_range(..compressed.len())] ^= 1 << rng.random_range(0..8);
        check_damaged(codec, &damaged, &mut restored);
        let mut garbage = vec![0; rng.random_range(..300)];
        rng.fill(&mut garbage[..]);
        check_damaged(codec, &garbage, &mut restored);
    }
}

/// Checks that a batch produces the same results as its blocks one by one, with none left out.
pub fn batches_equal_single_blocks(codec: &dyn BlockCompressor) {
    let samples = samples();
    let bound = |sample: &Vec<u8>| codec.max_compressed_len(sample.len());
    // Every third destination is empty, but not that of the empty block.
    let capacities: Vec<_> =
        samples.iter().enumerate().map(|(i, s)| if i % 3 == 2 { 0 } else { bound(s) }).collect();

    let mut outputs: Vec<_> = capacities.iter().map(|&capacity| vec![0; capacity]).collect();
    let mut blocks: Vec<_> =
        samples.iter().zip(&mut outputs).map(|(src, dst)| Block::new(src, dst)).collect();
    codec.compress_batch(&mut blocks);
    let results: Vec<_> = blocks.iter().map(Block::result).collect();

    for (i, result) in results.iter().enumerate() {
        let expected = if capacities[i] == 0 { Err(&Error::OutputFull) } else { Ok(()) };
        assert_eq!(result.as_ref().map(|_| ()), expected, "block {i} of a batch");
    }

    let mut restored: Vec<_> = samples.iter().map(|sample| vec![0; sample.len()]).collect();
    let mut blocks: Vec<_> = results
        .iter()
        .zip(&outputs)
        .zip(&mut restored)
        .filter_map(|((result, src), dst)| Some(Block::exact(&src[..*result.as_ref().ok()?], dst)))
        .collect();
    codec.decompress_batch(&mut blocks);
    let written: Vec<_> = blocks.iter().map(Block::result).collect();

    let whole = results.iter().zip(&samples).zip(&restored).filter(|((r, _), _)| r.is_ok());
    for (i, ((_, sample), restored)) in whole.enumerate() {
        assert_eq!(written[i], Ok(sample.len()), "restored block {i} of a batch");
        assert!(restored == sample, "restored block {i} of a batch came back changed");
    }
}

/// Checks that one value serves several threads at once.
pub fn serves_all_threads_at_once(codec: &dyn BlockCompressor) {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| restores_every_block(codec));
        }
    });
}

/// Checks that other levels and windows, if the codec has such settings, change neither its format
/// nor the set of blocks that it can read.
pub fn keeps_its_format_with_other_settings(codec: &dyn BlockCompressor) {
    let levels = (-5..=Level::BEST.get()).filter_map(Level::new);
    let levels = levels.map(|level| Settings::new().with_level(level));
    let windows = Window::ALL.iter().map(|&window| Settings::new().with_window(window));
    // Words that repeat at any distance.
    let sample = text(65_536);
    for settings in levels.chain(windows) {
        let Some(other) = codec.reconfigured(&settings) else { continue };
        assert_eq!(other.format(), codec.format(), "format with {settings:?}");
        for (writer, reader) in [(&*other, codec), (codec, &*other)] {
            let mut restored = vec![0; sample.len()];
            let written = reader.decompress(&compress(writer, &sample), &mut restored);
            assert!(
                written == Ok(sample.len()) && restored == sample,
                "a block was not restored with {settings:?} on one side",
            );
        }
    }
}

fn check_damaged(codec: &dyn BlockCompressor, damaged: &[u8], dst: &mut [u8]) {
    match Checked::new(codec).decompress(damaged, dst) {
        Ok(_) | Err(Error::Corrupt | Error::OutputFull) => {}
        Err(other) => panic!("a damaged block must be Corrupt or OutputFull, not {other:?}"),
    }
}

fn compress(codec: &dyn BlockCompressor, src: &[u8]) -> Vec<u8> {
    let mut dst = vec![0; codec.max_compressed_len(src.len())];
    match Checked::new(codec).compress(src, &mut dst) {
        Ok(written) => dst.truncate(written),
        Err(error) => panic!(
            "compressing {} bytes into {} (max_compressed_len) failed: {error}",
            src.len(),
            dst.len(),
        ),
    }
    dst
}

/// Returns text, zeros, noise and short periods, from empty to longer than deflate's window.
fn samples() -> Vec<Vec<u8>> {
    let mut rng = Pcg64Mcg::seed_from_u64(42);
    let mut samples = vec![vec![], vec![0], vec![1, 2, 3]];
    for len in [100, 4096, 16_357, 65_536, 200_000] {
        samples.push(text(len));
        samples.push(vec![0; len]);
        let mut noise = vec![0; len];
        rng.fill(&mut noise[..]);
        samples.push(noise);
        samples.push((0..len).map(|i| (i % 7) as u8).collect());
    }
    samples
}

/// Returns text made of a small vocabulary.
fn text(len: usize) -> Vec<u8> {
    const WORDS: [&str; 16] = [
        "block ",
        "page ",
        "the ",
        "of ",
        "a ",
        "column ",
        "family ",
        "level ",
        "index ",
        "key ",
        "value ",
        "sorted ",
        "and ",
        "merge ",
        "flush\n",
        "0123456789 ",
    ];
    let mut rng = Pcg64Mcg::seed_from_u64(len as u64);
    let mut text = Vec::with_capacity(len + 16);
    while text.len() < len {
        text.extend_from_slice(WORDS[rng.random_range(..WORDS.len())].as_bytes());
    }
    text.truncate(len);
    text
}
