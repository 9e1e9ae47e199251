//! Checks what an accelerator made.

use std::cell::RefCell;

use crate::BlockCompressor;

/// Whether `software` decompresses `compressed` to exactly `expected`.
///
/// Uses a buffer of the thread's own that grows to the largest block and stays, so that a block
/// costs no allocation.
pub(super) fn decompresses_to(
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
    BUFFER
        .try_with(|buffer| check(&mut buffer.borrow_mut()))
        .unwrap_or_else(|_| check(&mut Vec::new()))
}
