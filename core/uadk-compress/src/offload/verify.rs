//! Checks in software what an accelerator did.

use std::cell::RefCell;

use crate::BlockCompressor;
use crate::checksum::ends_with_checksum;

/// Whether `compressed` is a block of exactly `expected`: `software` decompresses it, and it ends
/// with the checksum that its format has, so that no stray bytes follow.
pub(crate) fn compresses(
    software: &dyn BlockCompressor,
    compressed: &[u8],
    expected: &[u8],
) -> bool {
    // Decompressors ignore what is behind the end of a stream, but others who read it do not.
    ends_with_checksum(software.format(), compressed, expected) != Some(false)
        && decompresses(software, compressed, expected)
}

/// Whether `software` decompresses `compressed` to exactly `expected`.
///
/// Uses a buffer per thread that grows to the largest block and stays, so that a block costs no
/// allocation.
pub(crate) fn decompresses(
    software: &dyn BlockCompressor,
    compressed: &[u8],
    expected: &[u8],
) -> bool {
    thread_local! {
        static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    let check = |buffer: &mut Vec<u8>| {
        if buffer.len() < expected.len() {
            buffer.resize(expected.len(), 0);
        }
        let decompressed = &mut buffer[..expected.len()];
        software.decompress(compressed, decompressed) == Ok(expected.len())
            && decompressed == expected
    };
    // While the thread is being torn down its buffer is gone.
    // While `software` verifies blocks of its own it is in use.
    BUFFER
        .try_with(|buffer| buffer.try_borrow_mut().ok().map(|mut buffer| check(&mut buffer)))
        .ok()
        .flatten()
        .unwrap_or_else(|| check(&mut Vec::new()))
}
