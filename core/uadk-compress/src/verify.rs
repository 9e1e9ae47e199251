//! Verifies an accelerator's results in software.

use std::cell::RefCell;

use crate::checksum::ends_with_checksum;
use crate::software::lz4;
use crate::software::zstd::frame_len;
use crate::{BlockCompressor, Format};

/// Returns whether `compressed` is a block of exactly `expected`: `software` decompresses it, and
/// every other reader does, too: no stray bytes follow, and no rule of the format is broken.
pub(crate) fn compresses(
    software: &dyn BlockCompressor,
    compressed: &[u8],
    expected: &[u8],
) -> bool {
    // Our decompressors ignore bytes after the end of a stream, and accept some blocks that break a
    // rule, but other readers may not.
    let is_plain = match software.format() {
        Format::Zstd => frame_len(compressed) == Some(compressed.len()),
        Format::Lz4 => lz4::is_strict(compressed),
        format => ends_with_checksum(format, compressed, expected) != Some(false),
    };
    is_plain && decompresses(software, compressed, expected)
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
