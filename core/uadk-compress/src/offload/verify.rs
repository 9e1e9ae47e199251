//! Checks what an accelerator made.

use std::cell::RefCell;

use crate::{BlockCompressor, Format};

/// Whether `compressed` is a block of exactly `expected`: `software` decompresses it, and it ends
/// with the checksum that its format has, so that no stray bytes follow.
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
    // Decompressors don't look behind the end of a stream, but others who read it do.
    if ends_with_checksum(software.format(), compressed, expected) == Some(false) {
        return false;
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

/// Whether `compressed` ends with the checksum of `data`; `None` if its format has none.
pub(crate) fn ends_with_checksum(format: Format, compressed: &[u8], data: &[u8]) -> Option<bool> {
    match format {
        // RFC 1950: Adler-32, most significant byte first.
        Format::Zlib => Some(compressed.ends_with(&libdeflater::adler32(data).to_be_bytes())),
        // RFC 1952: CRC-32 and the length, least significant byte first.
        Format::Gzip => {
            let crc = libdeflater::crc32(data).to_le_bytes();
            let len = (data.len() as u32).to_le_bytes();
            Some(compressed.strip_suffix(&len).is_some_and(|rest| rest.ends_with(&crc)))
        }
        Format::RawDeflate | Format::Custom(_) => None,
    }
}
