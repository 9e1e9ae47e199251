//! libzstd decodes every frame to the source.

mod support;

use block_zstd::{Encoder, MAX_BLOCK_LEN, Sequence, max_compressed_len};
use proptest::prelude::*;
use rand::Rng;
use support::parser::Parser;
use support::{check, compress_blocks, data, libzstd, seeded};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn parsed_inputs_are_restored(seed in any::<u64>(), len in 0..=MAX_BLOCK_LEN) {
        let mut rng = seeded(seed);
        let src = data::any(&mut rng, len);
        check(&mut Encoder::new(), &src, &Parser::new().parse(&src));
    }

    #[test]
    fn random_sequences_are_restored(seed in any::<u64>(), len in 0..=MAX_BLOCK_LEN) {
        let (src, sequences) = data::from_sequences(&mut seeded(seed), len);
        check(&mut Encoder::new(), &src, &sequences);
    }

    #[test]
    fn short_inputs_are_restored(seed in any::<u64>(), len in 0..1000_usize) {
        let mut rng = seeded(seed);
        let src = data::any(&mut rng, len);
        check(&mut Encoder::new(), &src, &Parser::new().parse(&src));
        let (src, sequences) = data::from_sequences(&mut rng, len);
        check(&mut Encoder::new(), &src, &sequences);
    }

    #[test]
    fn frames_of_several_blocks_are_restored(
        seed in any::<u64>(),
        lens in proptest::collection::vec(0..70_000_usize, 1..6),
        known in any::<bool>(),
    ) {
        let mut rng = seeded(seed);
        let pieces: Vec<_> = lens.iter().map(|&len| data::any(&mut rng, len)).collect();
        let src = pieces.concat();
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        let size = known.then_some(src.len() as u64);
        let frame = compress_blocks(&mut Encoder::new(), &pieces, size);
        libzstd::check(&frame, &src);
    }

    #[test]
    fn output_does_not_depend_on_earlier_blocks(
        seed in any::<u64>(),
        lens in proptest::array::uniform4(0..30_000_usize),
    ) {
        let mut rng = seeded(seed);
        let mut used = Encoder::new();
        for len in lens {
            let (src, sequences) = data::from_sequences(&mut rng, len);
            let once = support::compress(&mut used, &src, &sequences);
            prop_assert!(once == support::compress(&mut Encoder::new(), &src, &sequences));
        }
    }
}

#[test]
fn all_short_lengths_and_those_around_limits() {
    let mut rng = seeded(42);
    let mut encoder = Encoder::new();
    let mut parser = Parser::new();
    let around = |len: usize| len - 5..(len + 5).min(MAX_BLOCK_LEN + 1);
    let lens = (0..300)
        .chain([1 << 10, 4 << 10, 16 << 10, 64 << 10, 128 << 10].map(around).into_iter().flatten());
    for len in lens {
        for _ in 0..3 {
            let src = data::any(&mut rng, len);
            check(&mut encoder, &src, &parser.parse(&src));
        }
        let src = data::text(&mut rng, len);
        check(&mut encoder, &src, &parser.parse(&src));
        check(&mut encoder, &src, &[]);
    }
}

/// Compresses one sequence with noise before and after, so that nothing else is short.
fn check_single(literals: usize, match_len: usize, offset: usize, rest: usize) {
    let mut rng = seeded(literals as u64);
    let mut src: Vec<u8> = (0..literals).map(|_| rng.random_range(0..100)).collect();
    for _ in 0..match_len {
        src.push(src[src.len() - offset]);
    }
    src.extend((0..rest).map(|_| rng.random_range(0..100_u8)));
    let sequence =
        Sequence { literals: literals as u32, match_len: match_len as u32, offset: offset as u32 };
    check(&mut Encoder::new(), &src, &[sequence]);
}

#[test]
fn every_literal_length_symbol_is_restored() {
    let firsts = (1..16).chain([16, 18, 20, 22, 24, 28, 32, 40, 48]);
    for first in firsts.chain((6..17).map(|n| 1 << n)) {
        for literals in [first - 1, first, first + 1] {
            if literals > 0 {
                check_single(literals, 2000, 1, 3);
            }
        }
    }
    check_single(MAX_BLOCK_LEN - 3, 3, 77_777, 0);
}

#[test]
fn every_match_length_symbol_is_restored() {
    let firsts = (3..35).chain([35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99]);
    for first in firsts.chain((7..17).map(|n| 3 + (1 << n))) {
        for match_len in [first - 1, first, first + 1] {
            if match_len >= 3 {
                check_single(100, match_len, 50, 3);
            }
        }
    }
    check_single(1, MAX_BLOCK_LEN - 1, 1, 0);
    check_single(2, MAX_BLOCK_LEN - 2, 2, 0);
}

#[test]
fn every_offset_symbol_is_restored() {
    for bits in 0..17 {
        let power = 1_usize << bits;
        let below = power.checked_sub(3).filter(|&offset| offset > 0);
        for offset in below.into_iter().chain([power, power + 1]) {
            check_single(power + 1, 3000, offset, 5);
        }
    }
    check_single(MAX_BLOCK_LEN - 500, 500, MAX_BLOCK_LEN - 500, 0);
}

#[test]
fn symbols_of_all_kinds_together_are_restored() {
    // Each sequence has another literal length, match length and offset.
    let mut rng = seeded(9);
    let mut src = Vec::new();
    let mut sequences = Vec::new();
    for i in 0..400_usize {
        let literals = i * 7 % 97;
        src.extend((0..=literals).map(|_| rng.random_range(0..90_u8)));
        let offset = 1 + (i * i) % src.len();
        let match_len = 3 + i * 5 % 301;
        for _ in 0..match_len {
            src.push(src[src.len() - offset]);
        }
        sequences.push(Sequence {
            literals: literals as u32 + 1,
            match_len: match_len as u32,
            offset: offset as u32,
        });
    }
    assert!(src.len() <= MAX_BLOCK_LEN);
    check(&mut Encoder::new(), &src, &sequences);
}

#[test]
fn the_most_sequences_are_restored() {
    // As many as fit, with the same offset and without literals.
    let unit = [1, 2, 3];
    let src: Vec<u8> = unit.iter().copied().cycle().take(MAX_BLOCK_LEN).collect();
    let mut sequences = vec![Sequence { literals: 0, match_len: 3, offset: 3 }; 43_689];
    sequences[0].literals = 3;
    check(&mut Encoder::new(), &src, &sequences);

    // Around the numbers where the count takes another byte.
    for count in [127, 128, 0x7eff, 0x7f00] {
        check(&mut Encoder::new(), &src, &sequences[..count]);
    }
}

#[test]
fn literals_of_any_number_of_values_are_restored() {
    let mut rng = seeded(5);
    for values in (1..=20).chain((30..=250).step_by(10)).chain(251..=256_u32) {
        for len in [63, 64, 65, 255, 256, 300, 1023, 1024, 5000, 16_383, 16_384, 70_000] {
            // The smaller of two numbers, so that there is something to gain.
            let mut value = || rng.random_range(0..values).min(rng.random_range(0..values)) as u8;
            let src: Vec<u8> = (0..len).map(|_| value()).collect();
            check(&mut Encoder::new(), &src, &[]);
            let high: Vec<u8> = src.iter().map(|&byte| 255 - byte).collect();
            check(&mut Encoder::new(), &high, &[]);
        }
    }
}

#[test]
fn literals_of_one_value_between_different_matches_are_restored() {
    let mut rng = seeded(6);
    let mut src: Vec<u8> = vec![b'x'; 50];
    let mut sequences = Vec::new();
    for _ in 0..500 {
        src.push(b'x');
        let offset = rng.random_range(1..src.len());
        for _ in 0..20 {
            src.push(src[src.len() - offset]);
        }
        sequences.push(Sequence { literals: 1, match_len: 20, offset: offset as u32 });
    }
    sequences[0].literals = 51;
    src.push(b'y');
    assert!(check(&mut Encoder::new(), &src, &sequences) < 1500);
}

#[test]
fn noise_reaches_the_bound() {
    let mut rng = seeded(3);
    for len in [0, 1, 2, 255, 256, 65_791, 65_792, MAX_BLOCK_LEN] {
        let src: Vec<u8> = (0..len).map(|_| rng.random()).collect();
        assert_eq!(check(&mut Encoder::new(), &src, &[]), max_compressed_len(len));
        assert!(max_compressed_len(len) <= zstd_safe::compress_bound(len));
    }
    for len in (0..3_000_000).step_by(9999).chain([usize::MAX >> 8]) {
        assert!(max_compressed_len(len) <= zstd_safe::compress_bound(len), "{len}");
    }
}

#[test]
fn one_repeated_byte_takes_a_few_bytes() {
    let mut encoder = Encoder::new();
    for len in 0..=600 {
        let src = vec![b'x'; len];
        check(&mut encoder, &src, &[]);
    }
    for len in [1 << 10, 4 << 10, MAX_BLOCK_LEN - 1, MAX_BLOCK_LEN] {
        let src = vec![b'x'; len];
        assert!(check(&mut encoder, &src, &[]) <= 25);
        let sequences = Parser::new().parse(&src);
        assert!(check(&mut encoder, &src, &sequences) <= 25);
    }
}

#[test]
fn only_later_blocks_are_of_the_kind_that_repeats_a_byte() {
    // zstd up to 1.4.3 fails if the first one is.
    let kind = |header: u8| header >> 1 & 3;
    let mut encoder = Encoder::new();
    let mut block = [0; 200];
    assert!(encoder.start(None, &mut block).is_ok());
    assert!(encoder.block(&[7; 5000], &[], false, &mut block).is_ok_and(|len| len < 25));
    assert_eq!(kind(block[0]), 2);
    assert_eq!(encoder.block(&[7; 5000], &[], true, &mut block), Ok(4));
    assert_eq!(kind(block[0]), 1);
}

#[test]
fn blocks_that_repeat_one_byte_keep_the_offsets_before() {
    let mut rng = seeded(8);
    let text = data::json(&mut rng, 5000);
    let run = [7; 5000];
    let noise: Vec<u8> = (0..5000).map(|_| rng.random()).collect();
    for pieces in [
        [&text[..], &run, &text, &noise, &text, &run],
        [&run, &text, &run, &text, &noise, &text],
        [&noise, &run, &run, &noise, &text, &[]],
        [&[], &[], &text, &[], &text, &text],
    ] {
        let src = pieces.concat();
        let frame = compress_blocks(&mut Encoder::new(), &pieces, Some(src.len() as u64));
        libzstd::check(&frame, &src);
    }
}

#[test]
fn a_frame_in_progress_survives_errors_and_other_frames() {
    let mut rng = seeded(10);
    let mut encoder = Encoder::new();
    let mut parser = Parser::new();
    let src = data::json(&mut rng, 60_000);
    let mut frame = vec![0; max_compressed_len(src.len()) + 30];
    assert!(encoder.start(Some(60_000), &mut frame[..3]).is_err());
    let mut len = encoder.start(Some(60_000), &mut frame).expect("a header fits");
    for (i, piece) in src.chunks(10_000).enumerate() {
        let sequences = parser.parse(piece);
        let mut wrong = sequences.clone();
        wrong[i].offset += 1;
        assert!(encoder.block(piece, &wrong, false, &mut frame[len..]).is_err());
        assert!(encoder.block(piece, &sequences, false, &mut frame[len..len + 20]).is_err());
        let other = data::table(&mut rng, 20_000);
        check(&mut encoder, &other, &parser.parse(&other));
        let rest = &mut frame[len..];
        len += encoder.block(piece, &sequences, i == 5, rest).expect("a block fits");
    }
    libzstd::check(&frame[..len], &src);
}

#[test]
fn long_frames_need_a_small_window() {
    let mut rng = seeded(11);
    let src = data::json(&mut rng, 1 << 20);
    let pieces: Vec<&[u8]> = src.chunks(MAX_BLOCK_LEN).collect();
    for size in [Some(1 << 20), None] {
        let frame = compress_blocks(&mut Encoder::new(), &pieces, size);
        libzstd::check(&frame, &src);
        let mut decoder = zstd_safe::DCtx::create();
        decoder.set_parameter(zstd_safe::DParameter::WindowLogMax(17)).expect("a valid window");
        let mut output = vec![0; 1000];
        let mut output = zstd_safe::OutBuffer::around(&mut output[..]);
        let mut input = zstd_safe::InBuffer::around(&frame);
        assert!(decoder.decompress_stream(&mut output, &mut input).is_ok());
    }
}

#[test]
fn headers_state_any_size() {
    for size in
        [0, 255, 256, 65_791, 65_792, MAX_BLOCK_LEN as u64, 1 << 20, 1 << 31, 1 << 32, 1 << 50]
    {
        let mut header = [0; 14];
        let len = Encoder::new().start(Some(size), &mut header).expect("a header fits");
        let stated = zstd_safe::get_frame_content_size(&header[..len]);
        assert_eq!(stated.expect("a valid header"), Some(size));
    }
    let mut header = [0; 14];
    let len = Encoder::new().start(None, &mut header).expect("a header fits");
    let stated = zstd_safe::get_frame_content_size(&header[..len]);
    assert_eq!(stated.expect("a valid header"), None);
}
