//! Encoders work on threads with small stacks.
//!
//! The limit is for unoptimised builds too, which use the most. `make test` runs this test in one:
//! `cargo test --profile unoptimised -p block-deflate --test stack`.

mod support;

use std::thread;

use block_deflate::segment::{END, Joiner};
use block_deflate::{Encoder, Format, Mode, Window};
use rand::Rng;
use support::{FORMATS, MODES, WINDOWS, seeded};

/// 16 KiB for the encoder, and 8 KiB for the thread and the test.
const STACK: usize = 24 << 10;

/// Runs `call` on a thread with a small stack. An overflow aborts the process.
fn on_small_stack<T: Send>(call: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, call);
        thread.expect("a thread starts").join().expect("the call does not panic")
    })
}

/// Returns blocks of all lengths that are handled differently, and of kinds that take all paths:
/// matches, literals only, stored, one repeated byte, and parts with their own codes.
fn blocks() -> Vec<Vec<u8>> {
    let mut rng = seeded(1);
    let words: Vec<u8> = (0..60_000)
        .flat_map(|_| [&b"one "[..], b"another ", b"block, "][rng.random_range(0..3)])
        .copied()
        .collect();
    let noise: Vec<u8> = (0..300 << 10).map(|_| rng.random()).collect();
    let small: Vec<u8> = (0..300 << 10).map(|_| rng.random_range(0..16)).collect();
    let mut blocks = Vec::new();
    for len in [0, 1, 100, 4 << 10, 16 << 10, 64 << 10, 300 << 10] {
        blocks.extend([&words, &noise, &small].map(|bytes| bytes[..len].to_vec()));
        blocks.push(vec![b'x'; len]);
        blocks.push([&small[..len / 2], &words[..len / 2]].concat());
    }
    blocks
}

#[test]
fn encoders_are_made_changed_and_dropped_on_a_small_stack() {
    for mode in MODES {
        for (format, window) in FORMATS.into_iter().flat_map(|f| WINDOWS.map(|w| (f, w))) {
            let encoder = on_small_stack(|| {
                let mut encoder = Encoder::new(mode).with_format(format).with_window(window);
                encoder.set_mode(Mode::Fast);
                encoder.set_window(Window::Kib8);
                Encoder::new(mode).with_format(encoder.format())
            });
            assert_eq!((encoder.mode(), encoder.format()), (mode, format));
            on_small_stack(move || drop(encoder));
        }
    }
}

#[test]
fn blocks_are_compressed_on_a_small_stack() {
    for bytes in blocks() {
        for (mode, format) in MODES.into_iter().flat_map(|m| FORMATS.map(|f| (m, f))) {
            let mut encoder = Encoder::new(mode).with_format(format);
            let mut stream = vec![0; encoder.bound(bytes.len())];
            let len = on_small_stack(|| encoder.compress(&bytes, &mut stream));
            let len = len.expect("the bound suffices");
            assert!(support::libdeflate(format, &stream[..len], bytes.len()) == bytes);

            // A buffer of the exact size, and one that is too small.
            let mut exact = vec![0; len];
            assert_eq!(on_small_stack(|| encoder.compress(&bytes, &mut exact)), Ok(len));
            assert!(exact == stream[..len]);
            if let Some(short) = exact.split_last_mut().map(|(_, short)| short) {
                assert!(on_small_stack(|| encoder.compress(&bytes, short)).is_err());
            }
        }
    }
}

#[test]
fn segments_are_made_and_joined_on_a_small_stack() {
    for mode in MODES {
        for bytes in blocks() {
            let mut segment = vec![0; Encoder::segment_bound(bytes.len())];
            let stream = on_small_stack(|| {
                let len = Encoder::new(mode).compress_segment(&bytes, &mut segment)?;
                let mut joiner = Joiner::new(Format::Gzip, Window::Kib32);
                joiner.add(Format::Gzip.checksum(&bytes), bytes.len() as u64);
                let header = joiner.header();
                let trailer = joiner.trailer();
                Ok::<_, block_deflate::DoesNotFit>(
                    [header.as_bytes(), &segment[..len], &END, trailer.as_bytes()].concat(),
                )
            });
            let stream = stream.expect("the bound suffices");
            assert!(support::libdeflate(Format::Gzip, &stream, bytes.len()) == bytes);
        }
    }
}
