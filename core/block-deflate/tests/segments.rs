//! Segments made independently form one stream when joined.

mod support;

use block_deflate::segment::{END, Joiner};
use block_deflate::{Encoder, Mode};
use proptest::prelude::*;
use rand::Rng;
use support::{FORMATS, MODES, WINDOWS, input, seeded};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn joined_segments_are_a_stream(
        seed in any::<u64>(),
        lens in proptest::collection::vec(0_usize..20_000, 0..8),
    ) {
        let mut rng = seeded(seed);
        let window = WINDOWS[rng.random_range(0..4)];
        for format in FORMATS {
            let mut joiner = Joiner::new(format, window);
            let mut stream = joiner.header().as_bytes().to_vec();
            let mut all = Vec::new();
            for &len in &lens {
                let bytes = input(&mut rng, len);
                // Each with its own encoder.
                let mut encoder = Encoder::new(MODES[rng.random_range(0..2)]).with_window(window);
                let mut segment = vec![0; Encoder::segment_bound(len)];
                let n = encoder.compress_segment(&bytes, &mut segment).expect("the bound suffices");
                let mut exact = vec![0; n];
                prop_assert_eq!(encoder.compress_segment(&bytes, &mut exact), Ok(n));
                let error = encoder.compress_segment(&bytes, &mut exact[1..]).expect_err("short");
                prop_assert_eq!(error.needed, n);
                stream.extend_from_slice(&segment[..n]);
                joiner.add(format.checksum(&bytes), len as u64);
                all.extend(bytes);
            }
            stream.extend_from_slice(&END);
            stream.extend_from_slice(joiner.trailer().as_bytes());
            prop_assert!(support::libdeflate(format, &stream, all.len()) == all);
            prop_assert!(support::zlib(format, &stream, window, all.len()) == all);
            prop_assert!(support::miniz(format, &stream) == all);
        }
    }
}

#[test]
fn a_segment_decodes_alone_and_does_not_end_the_stream() {
    let mut encoder = Encoder::new(Mode::Default);
    let mut rng = seeded(9);
    for len in [0, 1, 5, 300, 4096, 65_536, 100_000] {
        let bytes = input(&mut rng, len);
        let mut segment = vec![0; Encoder::segment_bound(len)];
        let n = encoder.compress_segment(&bytes, &mut segment).expect("the bound suffices");
        let seen = support::inflate::inflate(&segment[..n]);
        assert!(seen.bytes == bytes && !seen.ended && seen.len == n);
        assert_eq!(segment[n - 4..n], [0, 0, 255, 255]);
    }
}
