//! zstd frames.

use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, get_error_name};

use super::codec::{Codec, Fault, Step, mebibytes};
use super::format;

/// The library's maximum on 64-bit machines.
const MAX_WINDOW_LOG: u32 = 31;

struct Zstd {
    context: DCtx<'static>,
    memory: u64,
}

/// Creates a zstd decompressor for windows of at most `memory` bytes.
pub(super) fn codec(memory: u64) -> Box<dyn Codec> {
    Box::new(Zstd { context: DCtx::create(), memory })
}

impl std::fmt::Debug for Zstd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Zstd").field("memory", &self.memory).finish_non_exhaustive()
    }
}

impl Codec for Zstd {
    fn format(&self) -> &'static str {
        "zstd"
    }

    fn frame(&self) -> &'static str {
        "zstd frame"
    }

    fn magic_len(&self) -> usize {
        4
    }

    fn is_frame(&self, start: &[u8]) -> bool {
        format::is_zstd(start)
    }

    fn is_data_frame(&self, start: &[u8]) -> bool {
        start.starts_with(format::ZSTD)
    }

    fn is_cut_frame(&self, rest: &[u8]) -> bool {
        format::is_cut_zstd(rest)
    }

    fn padding(&self) -> u64 {
        0
    }

    fn begin(&mut self, start: &[u8]) -> Result<(), Fault> {
        if let Some(window) = window(start)
            && window > self.memory
        {
            return Err(Fault::Unsupported(format!(
                "it needs {} of memory, but the limit is {} (raise it with --memory-limit)",
                mebibytes(window),
                mebibytes(self.memory)
            )));
        }
        let log = self.memory.max(1).ilog2().clamp(10, MAX_WINDOW_LOG);
        let set = self.context.init().and_then(|_| {
            // The check above is the exact limit.
            self.context.set_parameter(DParameter::WindowLogMax((log + 1).min(MAX_WINDOW_LOG)))
        });
        set.map(drop).map_err(|code| Fault::Unsupported(get_error_name(code).to_owned()))
    }

    fn run(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        let mut input = InBuffer::around(input);
        let mut output = OutBuffer::around(output);
        let hint = self.context.decompress_stream(&mut output, &mut input);
        let hint = hint.map_err(|code| Fault::Damaged(get_error_name(code).into()))?;
        Ok(Step { read: input.pos(), written: output.pos(), ended: hint == 0 })
    }
}

/// Returns the window size that a frame header declares; `None` if `start` does not contain it.
fn window(start: &[u8]) -> Option<u64> {
    if !start.starts_with(format::ZSTD) {
        return None;
    }
    let descriptor = *start.get(4)?;
    let is_single = descriptor & 0x20 != 0;
    if !is_single {
        let byte = *start.get(5)?;
        let base = 1_u64 << (10 + (byte >> 3));
        return Some(base + base / 8 * u64::from(byte & 7));
    }
    // The window is the whole contents. Their length follows the dictionary ID.
    let at = 5 + [0, 1, 2, 4][usize::from(descriptor & 3)];
    let len = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let mut bytes = [0; 8];
    bytes[..len].copy_from_slice(start.get(at..at + len)?);
    let bias = if len == 2 { 256 } else { 0 };
    u64::from_le_bytes(bytes).checked_add(bias)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_as_the_header_declares() {
        let magic = [0x28, 0xB5, 0x2F, 0xFD];
        let window_of = |rest: &[u8]| window(&[&magic[..], rest].concat());
        assert_eq!(window_of(&[0x00, 0x00]), Some(1 << 10));
        assert_eq!(window_of(&[0x04, 0x51]), Some((1 << 20) + (1 << 17)));
        assert_eq!(window_of(&[0x20, 7]), Some(7));
        assert_eq!(window_of(&[0x60, 0, 1]), Some(512));
        assert_eq!(window_of(&[0xA1, 9, 1, 0, 0, 1]), Some((1 << 24) + 1));
        assert_eq!(window_of(&[0xA1, 9, 1]), None);
        assert_eq!(window(&[0x50, 0x2A, 0x4D, 0x18, 9, 0, 0, 0]), None);
    }
}
