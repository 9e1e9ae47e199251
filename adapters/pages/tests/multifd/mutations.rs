//! The fuzz target's body, with mutated inputs.

use proptest::prelude::*;
use uadk_compress_pages::multifd::Method;

use crate::guest::{frames, small_stream, small_stream_of};

#[path = "../../../../fuzz/bodies/multifd.rs"]
mod body;

/// The number of streams: one per method, and one of zstd frames.
const STREAMS: usize = Method::ALL.len() + 1;

/// Returns a stream behind the number of its method.
fn input(stream: usize) -> Vec<u8> {
    let (method, stream) = match Method::ALL.get(stream) {
        Some(method) => (*method, small_stream(*method)),
        None => (Method::Zstd, small_stream_of(&frames())),
    };
    let number = Method::ALL.iter().position(|other| *other == method).expect("a method");
    [&[number as u8], &stream[..]].concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn mutated_streams_never_panic_or_write_outside(
        stream in 0..STREAMS,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut input = input(stream);
        for (position, byte) in changes {
            let at = position.index(input.len());
            input[at] = byte;
        }
        input.truncate(input.len() - cut.index(input.len()) / 4);
        body::run(&input);
    }

    #[test]
    fn mutated_payloads_never_panic_or_write_outside(
        stream in 0..STREAMS,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut input = input(stream);
        let payload = 1 + 64 + 1344;
        for (position, byte) in changes {
            let at = payload + position.index(input.len() - payload);
            input[at] = byte;
        }
        body::run(&input);
    }
}
