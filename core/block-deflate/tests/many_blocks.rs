//! Many small blocks of all kinds and settings.
//!
//! `BLOCKS=10000000 cargo test --release -p block-deflate --test many_blocks` runs more of them,
//! `SEED=` selects others.

mod support;

use block_deflate::Encoder;
use rand::Rng;
use support::{FORMATS, MODES, WINDOWS, input, seeded};

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[test]
fn many_blocks() {
    let blocks = from_env("BLOCKS", 20_000);
    let seed = from_env("SEED", 1);
    // Printed only if the test fails.
    println!("SEED={seed} BLOCKS={blocks}");
    let mut rng = seeded(seed);
    let mut decoder = libdeflater::Decompressor::new();
    let mut encoders: Vec<Encoder> = MODES
        .iter()
        .flat_map(|&mode| WINDOWS.map(|window| Encoder::new(mode).with_window(window)))
        .collect();
    let mut out = vec![0; 200_000];
    let mut plain = vec![0; 100_000];
    for block in 0..blocks {
        // Mostly small ones: special cases are near the ends.
        let longer = if rng.random_ratio(1, 200) { 20 } else { 1 };
        let bound = [64, 300, 1200, 5000][rng.random_range(0..4)] * longer;
        let len = rng.random_range(0..bound);
        let bytes = input(&mut rng, len);
        let which = rng.random_range(0..encoders.len());
        let encoder = &mut encoders[which];
        let space = encoder.bound(len) + rng.random_range(0..2) * 8;
        let n = encoder.compress(&bytes, &mut out[..space]).expect("the bound suffices");
        let m = decoder.deflate_decompress(&out[..n], &mut plain[..len]);
        assert!(m == Ok(len) && plain[..len] == bytes, "seed {seed}, block {block}: {bytes:?}");
        if block % 64 == 0 {
            let inflated = support::inflate::inflate(&out[..n]);
            assert!(
                inflated.bytes == bytes && inflated.max_distance <= encoder.window().size(),
                "seed {seed}, block {block}: {bytes:?}"
            );
            let format = FORMATS[rng.random_range(0..3)];
            support::check(&mut Encoder::new(encoder.mode()).with_format(format), &bytes);
        }
    }
}
