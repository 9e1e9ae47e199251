//! The fuzz target's body, with mutated inputs.

use proptest::prelude::*;
use uadk_compress_pages::multifd::Method;

use crate::guest::small_stream;

#[path = "../../../../fuzz/bodies/multifd.rs"]
mod body;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn mutated_streams_never_panic_or_write_outside(
        method in 0..Method::ALL.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut input = vec![method as u8];
        input.extend_from_slice(&small_stream(Method::ALL[method]));
        for (position, byte) in changes {
            let at = position.index(input.len());
            input[at] = byte;
        }
        input.truncate(input.len() - cut.index(input.len()) / 4);
        body::run(&input);
    }

    #[test]
    fn mutated_payloads_never_panic_or_write_outside(
        method in 0..Method::ALL.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut input = vec![method as u8];
        input.extend_from_slice(&small_stream(Method::ALL[method]));
        let payload = 1 + 64 + 1344;
        for (position, byte) in changes {
            let at = payload + position.index(input.len() - payload);
            input[at] = byte;
        }
        body::run(&input);
    }
}
