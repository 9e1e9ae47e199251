//! Frames are as small as libzstd's from the same sequences.

mod support;

use block_zstd::Encoder;
use rand::Rng;
use support::parser::Parser;
use support::{check, data, libzstd, seeded};

#[test]
fn frames_are_at_most_one_percent_longer_than_those_of_libzstd() {
    let mut rng = seeded(1);
    let mut encoder = Encoder::new();
    let mut parser = Parser::new();
    for (name, make) in data::KINDS {
        for len in [1 << 10, 4 << 10, 16 << 10, 64 << 10, 128 << 10] {
            let (mut ours, mut theirs) = (0, 0);
            for _ in 0..(256 << 10) / len {
                let src = make(&mut rng, len);
                let sequences = parser.parse(&src);
                ours += check(&mut encoder, &src, &sequences);
                theirs += libzstd::compress_sequences(&src, &sequences);
            }
            println!("{name}, {len}: {ours} {theirs} {:.4}", ours as f64 / theirs as f64);
            assert!(ours * 100 <= theirs * 101, "{name}, {len}: {ours}, libzstd {theirs}");
        }
    }
}

#[test]
fn literals_alone_are_at_most_one_percent_longer() {
    let mut rng = seeded(2);
    for values in [2_u32, 3, 5, 16, 60, 200] {
        for len in [300, 4 << 10, 64 << 10] {
            let mut value = || rng.random_range(0..values).min(rng.random_range(0..values)) as u8;
            let src: Vec<u8> = (0..len).map(|_| value()).collect();
            let ours = check(&mut Encoder::new(), &src, &[]);
            let theirs = libzstd::compress_sequences(&src, &[]);
            println!("{values} {len}: {ours} {theirs}");
            assert!(ours * 100 <= theirs * 101 + 200, "{values}, {len}: {ours}, libzstd {theirs}");
        }
    }
}
