//! Many small blocks of all kinds and settings: `BLOCKS=10000000 cargo test --release -p
//! block-deflate --test many_blocks` for as many as one likes, `SEED=` for others.

mod support;

use block_deflate::Encoder;
use support::{FORMATS, MODES, Numbers, WINDOWS, input};

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[test]
fn many_blocks() {
    let blocks = from_env("BLOCKS", 20_000);
    let mut numbers = Numbers(from_env("SEED", 0x9e37_79b9_7f4a_7c15));
    let mut decoder = libdeflater::Decompressor::new();
    let mut encoders: Vec<Encoder> = MODES
        .iter()
        .flat_map(|&mode| WINDOWS.map(|window| Encoder::new(mode).with_window(window)))
        .collect();
    let mut out = vec![0; 200_000];
    let mut plain = vec![0; 100_000];
    for block in 0..blocks {
        // Mostly small ones: what is special is near the ends.
        let bound =
            [64, 300, 1200, 5000][numbers.below(4)] * if numbers.below(200) == 0 { 20 } else { 1 };
        let len = numbers.below(bound);
        let bytes = input(&mut numbers, len);
        let which = numbers.below(encoders.len());
        let encoder = &mut encoders[which];
        let room = encoder.bound(len) + numbers.below(2) * 8;
        let n = encoder.compress(&bytes, &mut out[..room]).expect("the bound suffices");
        let m = decoder.deflate_decompress(&out[..n], &mut plain[..len]);
        assert!(m == Ok(len) && plain[..len] == bytes, "block {block}: {bytes:?}");
        if block % 64 == 0 {
            let seen = support::inflate::inflate(&out[..n]);
            assert!(seen.bytes == bytes && seen.max_distance <= encoder.window().size());
            let format = FORMATS[numbers.below(3)];
            support::check(&mut Encoder::new(encoder.mode()).with_format(format), &bytes);
        }
    }
}
