//! Verifies an accelerator's results in software.

use std::cell::RefCell;

use crate::BlockCompressor;
use crate::checksum::ends_with_checksum;

/// Returns whether `compressed` is a block of exactly `expected`: `software` decompresses it, and
/// it ends with the format's checksum, if any, so that no stray bytes follow.
pub(crate) fn compresses(
    software: &dyn BlockCompressor,
    compressed: &[u8],
    expected: &[u8],
) -> bool {
    // Our decompressors ignore bytes after the end of a stream, but other readers may not.
    ends_with_checksum(software.format(), compressed, expected) != Some(false)
        && decompresses(software, compressed, expected)
}

/// Returns whether `software` decompresses `compressed` to exactly `expected`.
///
/// Each thread keeps a buffer that grows to the largest block, so that a block costs no allocation.
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
    // The buffer is gone while the thread is being torn down, and in use if `software` itself
    // verifies blocks.
    BUFFER
        .try_with(|buffer| buffer.try_borrow_mut().ok().map(|mut buffer| check(&mut buffer)))
        .ok()
        .flatten()
        .unwrap_or_else(|| check(&mut Vec::new()))
}
