//! Encoders work on threads with small stacks.
//!
//! The limit is for unoptimised builds too, which use the most. `make test` runs this test in one:
//! `cargo test --profile unoptimised -p block-zstd --test stack`.

mod support;

use std::thread;

use block_zstd::{Encoder, MAX_BLOCK_LEN, max_compressed_len};
use rand::Rng;
use support::parser::Parser;
use support::{data, libzstd, seeded};

/// 16 KiB for the encoder, and 8 KiB for the thread and the test.
const STACK: usize = 24 << 10;

/// Runs `call` on a thread with a small stack. An overflow aborts the process.
fn on_small_stack<T: Send>(call: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, call);
        thread.expect("a thread starts").join().expect("the call does not panic")
    })
}

/// Returns blocks of kinds that take all paths: coded and raw literals, one repeated byte, tables
/// of all kinds, and raw blocks.
fn blocks() -> Vec<Vec<u8>> {
    let mut rng = seeded(1);
    let mut blocks = Vec::new();
    for len in [0, 1, 100, 4 << 10, 16 << 10, MAX_BLOCK_LEN] {
        blocks.extend(data::KINDS.map(|(_, make)| make(&mut rng, len)));
        blocks.push((0..len).map(|_| rng.random()).collect());
        blocks.push((0..len).map(|_| rng.random_range(0..16)).collect());
        blocks.push(vec![b'x'; len]);
    }
    blocks
}

#[test]
fn encoders_are_made_moved_and_dropped_on_a_small_stack() {
    let encoder = on_small_stack(Encoder::new);
    let encoder = on_small_stack(move || Some(encoder));
    on_small_stack(move || drop(encoder));
}

#[test]
fn blocks_are_compressed_on_a_small_stack() {
    let mut parser = Parser::new();
    let mut encoder = Encoder::new();
    for src in blocks() {
        let sequences = parser.parse(&src);
        let mut frame = vec![0; max_compressed_len(src.len())];
        let len = on_small_stack(|| encoder.compress(&src, &sequences, &mut frame));
        libzstd::check(&frame[..len.expect("the bound suffices")], &src);

        let mut frame = vec![0; src.len() + 20];
        let len = on_small_stack(|| {
            let header = encoder.start(None, &mut frame)?;
            Ok::<_, block_zstd::Error>(
                header + encoder.block(&src, &sequences, true, &mut frame[header..])?,
            )
        });
        libzstd::check(&frame[..len.expect("the block fits")], &src);
    }
}
