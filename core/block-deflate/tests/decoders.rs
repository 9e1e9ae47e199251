//! Independent decoders read what the encoder writes: libdeflate, zlib and `miniz_oxide`.

mod support;

use block_deflate::{Encoder, Format, Mode, Window};
use proptest::prelude::*;
use rand::Rng;
use rand_pcg::Pcg64Mcg;
use support::{FORMATS, MODES, WINDOWS, check, input, seeded};

fn settings(rng: &mut Pcg64Mcg) -> Encoder {
    Encoder::new(MODES[rng.random_range(0..2)])
        .with_format(FORMATS[rng.random_range(0..3)])
        .with_window(WINDOWS[rng.random_range(0..4)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_decoder_restores_the_input(seed in any::<u64>(), len in 0_usize..70_000) {
        let mut rng = seeded(seed);
        let bytes = input(&mut rng, len);
        check(&mut settings(&mut rng), &bytes);
    }

    #[test]
    fn mixed_bytes_and_short_inputs(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for mode in MODES {
            check(&mut Encoder::new(mode), &bytes);
        }
    }

    #[test]
    fn long_inputs_keep_history_within_the_call(
        seed in any::<u64>(),
        len in 65_000_usize..400_000,
    ) {
        let mut rng = seeded(seed);
        let mut bytes = input(&mut rng, len / 2);
        bytes.extend(input(&mut rng, len / 2));
        check(&mut settings(&mut rng), &bytes);
    }

    #[test]
    fn output_does_not_depend_on_earlier_blocks(
        seed in any::<u64>(),
        lens in proptest::array::uniform4(0_usize..9000),
    ) {
        let mut rng = seeded(seed);
        let mut used = Encoder::new(Mode::Default);
        for len in lens {
            let bytes = input(&mut rng, len);
            let once = support::compress(&mut used, &bytes);
            let fresh = support::compress(&mut Encoder::new(Mode::Default), &bytes);
            prop_assert!(once == fresh);
        }
    }
}

#[test]
fn all_short_lengths() {
    let mut rng = seeded(42);
    let mut encoders: Vec<Encoder> =
        MODES.iter().flat_map(|&m| FORMATS.map(|f| Encoder::new(m).with_format(f))).collect();
    for len in (0..600).chain(4000..4200).chain(65_500..65_560).chain(98_290..98_310) {
        let bytes = input(&mut rng, len);
        let i = len % encoders.len();
        check(&mut encoders[i], &bytes);
    }
}

#[test]
fn history_reaches_across_blocks() {
    // Copies of random bytes: all but the first compress well if the previous one is in the window.
    let mut rng = seeded(7);
    let half: Vec<u8> = (0..30_000).map(|_| rng.random()).collect();
    let bytes: Vec<u8> = (0..8).flat_map(|_| half.clone()).collect();
    let mut encoder = Encoder::new(Mode::Default);
    assert!(check(&mut encoder, &bytes) < 45_000);
    encoder.set_window(Window::Kib16);
    assert!(check(&mut encoder, &bytes) > 200_000);
    encoder.set_window(Window::Kib32);
    assert!(check(&mut encoder, &bytes) < 45_000);
}

#[test]
fn matches_do_not_extend_before_the_first_byte() {
    // An earlier block leaves bytes in the encoder's memory that mustn't be matched.
    let mut encoder = Encoder::new(Mode::Default);
    let mut earlier = vec![b'x'; 65_536];
    earlier[0] = b'y';
    for literals in 1..20_u8 {
        check(&mut encoder, &earlier);
        let mut block = b"ABCDEFGH".to_vec();
        block.extend(1..literals);
        block.extend(b"xABCDEFGH");
        block.extend(100..200);
        check(&mut encoder, &block);
    }
}

#[test]
fn decoders_with_the_stated_window_suffice() {
    let mut rng = seeded(7);
    let unit: Vec<u8> = (0..25_000).map(|_| rng.random_range(0..16_u8)).collect();
    let bytes = &unit.repeat(3)[..65_536];
    for (mode, format) in MODES.into_iter().flat_map(|m| FORMATS.map(|f| (m, f))) {
        let mut encoder = Encoder::new(mode).with_format(format);
        for window in WINDOWS {
            encoder.set_window(window);
            let stream = support::compress(&mut encoder, bytes);
            for decoders in WINDOWS {
                // The bytes are random, so matches occur at all distances.
                let decoded = support::zlib_within(decoders, format, &stream, bytes.len());
                let enough = decoders >= window;
                assert_eq!(decoded.is_ok_and(|decoded| decoded == bytes), enough);
            }
        }
    }
}

#[test]
fn random_bytes_reach_the_bound_but_do_not_exceed_it() {
    let mut rng = seeded(3);
    for len in [1, 100, 4096, 65_535, 65_536, 98_304, 200_000] {
        let bytes: Vec<u8> = (0..len).map(|_| rng.random()).collect();
        let mut encoder = Encoder::new(Mode::Default);
        let taken = check(&mut encoder, &bytes);
        assert!(taken <= encoder.bound(len));
        if len >= 100 {
            assert_eq!(taken, encoder.bound(len), "{len}");
        }
    }
}

#[test]
fn zlib_headers_state_the_window() {
    for window in WINDOWS {
        let mut encoder = Encoder::new(Mode::Default).with_format(Format::Zlib).with_window(window);
        let stream = support::compress(&mut encoder, b"abcabcabcabc");
        assert_eq!(stream[0] & 15, 8);
        assert_eq!(u32::from(stream[0] >> 4) + 8, window.bits());
        assert_eq!((u32::from(stream[0]) << 8 | u32::from(stream[1])) % 31, 0);
    }
}

#[test]
fn a_run_next_to_noise_is_compressed() {
    let mut rng = seeded(7);
    for mode in MODES {
        let mut bytes: Vec<u8> = (0..4096).map(|_| rng.random()).collect();
        bytes.resize(8192, 7);
        let len = check(&mut Encoder::new(mode), &bytes);
        assert!(len < 4300, "{len} bytes in {mode:?}");
    }
}

#[test]
fn pieces_that_differ_get_their_own_codes() {
    // Four bits per byte with codes for each half, five with shared codes.
    let mut rng = seeded(7);
    for mode in MODES {
        let mut bytes: Vec<u8> = (0..32_768).map(|_| rng.random_range(0..16_u8)).collect();
        bytes.extend((0..32_768).map(|_| 100 + rng.random_range(0..16_u8)));
        let len = check(&mut Encoder::new(mode), &bytes);
        assert!(len < 33_500, "{len} bytes in {mode:?}");
    }
}

#[test]
fn noise_amid_other_bytes_is_stored() {
    let mut rng = seeded(7);
    for mode in MODES {
        let mut bytes: Vec<u8> = (0..16_384).map(|_| rng.random_range(0..16_u8)).collect();
        bytes.extend((0..32_768).map(|_| rng.random::<u8>()));
        bytes.extend((0..16_384).map(|_| rng.random_range(0..16_u8)));
        let len = check(&mut Encoder::new(mode), &bytes);
        assert!(len < 32_768 + 16_384 + 400, "{len} bytes in {mode:?}");
    }
}
