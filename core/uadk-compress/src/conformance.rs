//! What every [`BlockCompressor`] promises, as checks that any implementation can be run through.
//!
//! Call them from a test of your own codec:
//!
//! ```
//! # use uadk_compress::{conformance, Format, Level, SoftwareCompressor};
//! # let my_codec = SoftwareCompressor::new(Format::Gzip, Level::DEFAULT)?;
//! conformance::all(&my_codec);
//! # Ok::<(), uadk_compress::Error>(())
//! ```
//!
//! Each panics with a description of the promise that was broken.

#![allow(clippy::missing_panics_doc, reason = "to panic is how these checks fail")]

use crate::{Block, BlockCompressor, Error, Window};

/// All checks below.
pub fn all(codec: &dyn BlockCompressor) {
    restores_every_block(codec);
    fits_into_the_bound(codec);
    reports_a_destination_that_is_too_small(codec);
    survives_damage(codec);
    batches_equal_single_blocks(codec);
    serves_all_threads_at_once(codec);
    keeps_its_format_at_every_level(codec);
    keeps_its_format_with_every_window(codec);
}

/// Blocks of all kinds and sizes come back as they were, into exact and into larger room.
pub fn restores_every_block(codec: &dyn BlockCompressor) {
    for sample in samples() {
        let compressed = compress(codec, &sample);
        for room in [sample.len(), sample.len() + 100] {
            let mut restored = vec![0; room];
            let written = codec.decompress(&compressed, &mut restored);
            assert_eq!(
                written,
                Ok(sample.len()),
                "decompressing a block of {} bytes into room for {room}",
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

/// Every block fits into [`max_compressed_len`](BlockCompressor::max_compressed_len), and none
/// holds more than [`max_decompressed_len`](BlockCompressor::max_decompressed_len).
pub fn fits_into_the_bound(codec: &dyn BlockCompressor) {
    for sample in samples() {
        let compressed = compress(codec, &sample);
        if let Some(bound) = codec.max_decompressed_len(compressed.len()) {
            assert!(
                sample.len() <= bound,
                "{} compressed bytes hold {}, but at most {bound} were promised",
                compressed.len(),
                sample.len(),
            );
        }
    }
}

/// Too little room is [`Error::OutputFull`] in both directions, down to none at all.
pub fn reports_a_destination_that_is_too_small(codec: &dyn BlockCompressor) {
    for sample in samples().into_iter().filter(|sample| !sample.is_empty()) {
        let compressed = compress(codec, &sample);
        for room in [0, sample.len() / 2, sample.len() - 1] {
            if room < compressed.len() {
                // An encoder may need a few bytes more than its result; it may not write more than
                // it was given, and a result must be whole.
                let mut dst = vec![0; room];
                match codec.compress(&sample, &mut dst) {
                    Err(Error::OutputFull) => {}
                    Ok(written) => {
                        let mut restored = vec![0; sample.len()];
                        let whole = codec.decompress(&dst[..written], &mut restored);
                        assert!(
                            whole == Ok(sample.len()) && restored == sample,
                            "{} bytes compressed into {room} did not come back",
                            sample.len(),
                        );
                    }
                    Err(other) => panic!("no room must be OutputFull, not {other:?}"),
                }
            }
            let decompressed = codec.decompress(&compressed, &mut vec![0; room]);
            assert_eq!(
                decompressed,
                Err(Error::OutputFull),
                "decompressing {} bytes into room for {room}",
                sample.len(),
            );
        }
    }
}

/// Truncated and damaged blocks, and blocks that are none, end in an error or in some output within
/// bounds, never in a panic.
pub fn survives_damage(codec: &dyn BlockCompressor) {
    let sample = &text(5000);
    let compressed = compress(codec, sample);
    let mut restored = vec![0; sample.len()];

    assert!(codec.decompress(&[], &mut restored).is_err(), "no bytes at all are not a block");
    for len in (0..compressed.len()).step_by(7) {
        let whole = codec.decompress(&compressed[..len], &mut restored) == Ok(sample.len())
            && restored == *sample;
        assert!(!whole, "the first {len} of {} bytes passed for the block", compressed.len());
    }
    let mut numbers = Numbers(7);
    for _ in 0..2000 {
        let mut damaged = compressed.clone();
        let at = numbers.below(damaged.len());
        damaged[at] ^= 1 << numbers.below(8);
        check_damaged(codec, &damaged, &mut restored);
        let garbage: Vec<u8> = (0..numbers.below(300)).map(|_| numbers.byte()).collect();
        check_damaged(codec, &garbage, &mut restored);
    }
}

/// A batch gives the answers that its blocks give one by one.
pub fn batches_equal_single_blocks(codec: &dyn BlockCompressor) {
    let samples = samples();
    let bound = |sample: &Vec<u8>| codec.max_compressed_len(sample.len());
    // Every third block gets no room. The empty one is not among them.
    let rooms: Vec<_> =
        samples.iter().enumerate().map(|(i, s)| if i % 3 == 2 { 0 } else { bound(s) }).collect();

    let mut outputs: Vec<_> = rooms.iter().map(|&room| vec![0; room]).collect();
    let mut blocks: Vec<_> =
        samples.iter().zip(&mut outputs).map(|(src, dst)| Block::new(src, dst)).collect();
    codec.compress_batch(&mut blocks);
    let results: Vec<_> = blocks.into_iter().map(|block| block.result).collect();

    for (i, result) in results.iter().enumerate() {
        let expected = if rooms[i] == 0 { Err(&Error::OutputFull) } else { Ok(()) };
        assert_eq!(result.as_ref().map(|_| ()), expected, "block {i} of a batch");
    }

    let mut restored: Vec<_> = samples.iter().map(|sample| vec![0; sample.len()]).collect();
    let mut blocks: Vec<_> = results
        .iter()
        .zip(&outputs)
        .zip(&mut restored)
        .filter_map(|((result, src), dst)| Some(Block::new(&src[..*result.as_ref().ok()?], dst)))
        .collect();
    codec.decompress_batch(&mut blocks);
    let written: Vec<_> = blocks.into_iter().map(|block| block.result).collect();

    let whole = results.iter().zip(&samples).zip(&restored).filter(|((r, _), _)| r.is_ok());
    for (i, ((_, sample), restored)) in whole.enumerate() {
        assert_eq!(written[i], Ok(sample.len()), "whole block {i} of a batch");
        assert!(restored == sample, "whole block {i} of a batch came back changed");
    }
}

/// One value serves several threads at once.
pub fn serves_all_threads_at_once(codec: &dyn BlockCompressor) {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| restores_every_block(codec));
        }
    });
}

/// [`with_level`](BlockCompressor::with_level), if there are levels, changes neither the format nor
/// what can be read.
pub fn keeps_its_format_at_every_level(codec: &dyn BlockCompressor) {
    let sample = text(5000);
    for n in 0..=crate::Level::BEST.get() {
        let Some(level) = crate::Level::new(n) else { continue };
        let Some(other) = codec.with_level(level) else { continue };
        assert_eq!(other.format(), codec.format(), "format at level {n}");
        let mut restored = vec![0; sample.len()];
        let written = codec.decompress(&compress(&*other, &sample), &mut restored);
        assert!(
            written == Ok(sample.len()) && restored == sample,
            "a block of level {n} did not come back",
        );
    }
}

/// [`with_window`](BlockCompressor::with_window), if there is such a setting, changes neither the format
/// nor what can be read.
pub fn keeps_its_format_with_every_window(codec: &dyn BlockCompressor) {
    // Words that are known from any distance.
    let sample = text(65_536);
    for window in [Window::K4, Window::K8, Window::K16, Window::K24, Window::K32] {
        let Some(other) = codec.with_window(window) else { continue };
        assert_eq!(other.format(), codec.format(), "format with window {window:?}");
        for (writer, reader) in [(&*other, codec), (codec, &*other)] {
            let mut restored = vec![0; sample.len()];
            let written = reader.decompress(&compress(writer, &sample), &mut restored);
            assert!(
                written == Ok(sample.len()) && restored == sample,
                "a block did not come back with window {window:?} on one side",
            );
        }
    }
}

fn check_damaged(codec: &dyn BlockCompressor, damaged: &[u8], dst: &mut [u8]) {
    match codec.decompress(damaged, dst) {
        Ok(written) => assert!(written <= dst.len(), "more written than there is room"),
        Err(Error::Corrupt | Error::OutputFull) => {}
        Err(other) => panic!("a damaged block must be Corrupt or OutputFull, not {other:?}"),
    }
}

fn compress(codec: &dyn BlockCompressor, src: &[u8]) -> Vec<u8> {
    let mut dst = vec![0; codec.max_compressed_len(src.len())];
    match codec.compress(src, &mut dst) {
        Ok(written) => dst.truncate(written),
        Err(error) => panic!(
            "compressing {} bytes into {} (max_compressed_len) failed: {error}",
            src.len(),
            dst.len(),
        ),
    }
    dst
}

/// Text, zeros, noise and short periods, from nothing to more than deflate's window.
fn samples() -> Vec<Vec<u8>> {
    let mut numbers = Numbers(42);
    let mut samples = vec![vec![], vec![0], vec![1, 2, 3]];
    for len in [100, 4096, 16_357, 65_536, 200_000] {
        samples.push(text(len));
        samples.push(vec![0; len]);
        samples.push((0..len).map(|_| numbers.byte()).collect());
        samples.push((0..len).map(|i| (i % 7) as u8).collect());
    }
    samples
}

/// Something like text: words of a small vocabulary.
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
    let mut numbers = Numbers(len as u64 + 1);
    let mut text = Vec::with_capacity(len + 16);
    while text.len() < len {
        text.extend_from_slice(WORDS[numbers.below(WORDS.len())].as_bytes());
    }
    text.truncate(len);
    text
}

/// Repeatable numbers: xorshift64*, Vigna 2016.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
    fn byte(&mut self) -> u8 {
        (self.next() >> 56) as u8
    }
    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound
    }
}
