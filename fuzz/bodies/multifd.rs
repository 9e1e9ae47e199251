//! Receives arbitrary bytes as a multifd channel: no panic, and nothing outside the block changes.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use uadk_compress_pages::GuestRam;
use uadk_compress_pages::multifd::{Method, Receiver, Settings};

/// Words of the block, and of the guard area on each side of it.
const WORDS: usize = 6 * 512;
const GUARD: u64 = 0x5a5a_5a5a_5a5a_5a5a;

/// Runs one input, whose first byte selects the method.
pub(crate) fn run(input: &[u8]) {
    let Some((method, stream)) = input.split_first() else { return };
    let method = Method::ALL[usize::from(*method) % Method::ALL.len()];
    let settings = Settings::new(method).max_device_state(1 << 16);
    let memory: Vec<AtomicU64> = (0..3 * WORDS).map(|_| AtomicU64::new(GUARD)).collect();
    let ram = GuestRam::from_words(&memory[WORDS..2 * WORDS]);
    if let Ok(mut receiver) = Receiver::new(stream, &settings) {
        while let Ok(Some(_)) = receiver.receive_into(&[("ram", ram)]) {}
    }
    let outside = memory[..WORDS].iter().chain(&memory[2 * WORDS..]);
    assert!(outside.into_iter().all(|word| word.load(Relaxed) == GUARD));
}
