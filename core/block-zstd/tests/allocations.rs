//! No call allocates, except `Encoder::new`.

mod support;

use block_zstd::{Encoder, MAX_BLOCK_LEN, max_compressed_len};
use rand::Rng;
use support::parser::Parser;
use support::{coded, data, seeded};

#[test]
fn only_a_new_encoder_allocates() {
    let mut made = None;
    let new = allocation_counter::measure(|| made = Some(Encoder::new()));
    assert_ne!(new.count_total, 0, "the counter counts");
    let mut encoder = made.expect("just made");

    let mut rng = seeded(1);
    let mut parser = Parser::new();
    let mut frame = vec![0; max_compressed_len(MAX_BLOCK_LEN)];
    for len in [0, 1, 100, 16 << 10, MAX_BLOCK_LEN] {
        let mut blocks: Vec<_> = data::KINDS.map(|(_, make)| make(&mut rng, len)).into();
        blocks.push((0..len).map(|_| rng.random()).collect());
        blocks.push(vec![b'x'; len]);
        for src in blocks {
            let sequences = parser.parse(&src);
            // A match that is too long for a field: all bytes are literals.
            let list = coded::code(&sequences).unwrap_or_default();
            let coded = coded::of(&list, &src);
            let calls = allocation_counter::measure(|| {
                encoder.compress(&src, &sequences, &mut frame).expect("the bound suffices");
                encoder.compress_coded(&src, coded, &mut frame).expect("the bound suffices");
                encoder.compress(&src, &sequences, &mut []).expect_err("nothing fits");
                let len = encoder.start(None, &mut frame).expect("a header fits");
                encoder.block(&src, &sequences, true, &mut frame[len..]).expect("a block fits");
            });
            assert_eq!(calls.count_total, 0, "{len}");
        }
    }
}
