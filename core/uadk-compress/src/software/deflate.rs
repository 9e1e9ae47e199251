//! Deflate, zlib and gzip: `block-deflate` and libdeflate.

use block_deflate::{DoesNotFit, Encoder, Mode};
use libdeflater::{CompressionError, CompressionLvl, DecompressionError};

use super::contexts::{self, Local};
use crate::{Error, Format, Level, Window};

/// libdeflate's lowest level, without its 0, which only stores.
const LOWEST: i32 = 1;
/// libdeflate's highest level.
const HIGHEST: i32 = 12;

/// A thread's contexts.
#[derive(Default)]
struct Contexts {
    /// Used for both speeds and all windows.
    block_deflate: Option<Encoder>,
    /// By level.
    libdeflate: [Option<libdeflater::Compressor>; HIGHEST.unsigned_abs() as usize + 1],
    decompress: Option<libdeflater::Decompressor>,
}

thread_local! {
    static CONTEXTS: Local<Contexts> = const { Local::new(None) };
}

/// How blocks are compressed.
#[derive(Clone, Copy)]
pub(super) struct Parameters {
    pub(super) format: Format,
    pub(super) level: Level,
    pub(super) window: Window,
    /// Whether `block-deflate` compresses them, and not libdeflate.
    pub(super) block_deflate: bool,
}

pub(super) fn compress(parameters: Parameters, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
    contexts::with(&CONTEXTS, |contexts| {
        if parameters.block_deflate {
            compress_fast(parameters, &mut contexts.block_deflate, src, dst)
        } else {
            compress_small(parameters, &mut contexts.libdeflate, src, dst)
        }
    })
}

fn compress_fast(
    parameters: Parameters,
    encoder: &mut Option<Encoder>,
    src: &[u8],
    dst: &mut [u8],
) -> Result<usize, Error> {
    // libdeflate computes the checksums, with the processor's instructions for them.
    let (frame, checksum) = match parameters.format {
        Format::Zlib => (block_deflate::Format::Zlib, libdeflater::adler32(src)),
        Format::Gzip => (block_deflate::Format::Gzip, libdeflater::crc32(src)),
        _ => (block_deflate::Format::Raw, 0),
    };
    let window = match parameters.window {
        Window::Kib4 => block_deflate::Window::Kib4,
        Window::Kib8 => block_deflate::Window::Kib8,
        Window::Kib16 | Window::Kib24 => block_deflate::Window::Kib16,
        Window::Kib32 => block_deflate::Window::Kib32,
    };
    let header = frame.header(window);
    let trailer = frame.trailer(checksum, src.len() as u64);
    let (header, trailer) = (header.as_bytes(), trailer.as_bytes());
    let framing = header.len() + trailer.len();
    let capacity = dst.len().checked_sub(framing).ok_or(Error::OutputFull)?;
    let body = &mut dst[header.len()..][..capacity];

    let mode = if parameters.level <= Level::FASTEST { Mode::Fast } else { Mode::Default };
    let encoder = encoder.get_or_insert_with(|| Encoder::new(mode));
    encoder.set_mode(mode);
    encoder.set_window(window);
    let len = encoder.compress(src, body).map_err(|DoesNotFit { .. }| Error::OutputFull)?;
    dst[..header.len()].copy_from_slice(header);
    dst[header.len() + len..][..trailer.len()].copy_from_slice(trailer);
    Ok(framing + len)
}

fn compress_small(
    parameters: Parameters,
    contexts: &mut [Option<libdeflater::Compressor>],
    src: &[u8],
    dst: &mut [u8],
) -> Result<usize, Error> {
    let level = parameters.level.get().clamp(LOWEST, HIGHEST);
    let context = contexts[level.unsigned_abs() as usize].get_or_insert_with(|| {
        libdeflater::Compressor::new(CompressionLvl::new(level).unwrap_or_default())
    });
    match parameters.format {
        Format::Zlib => context.zlib_compress(src, dst),
        Format::Gzip => context.gzip_compress(src, dst),
        _ => context.deflate_compress(src, dst),
    }
    .map_err(|CompressionError::InsufficientSpace| Error::OutputFull)
}

pub(super) fn decompress(format: Format, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
    contexts::with(&CONTEXTS, |contexts| {
        let context = contexts.decompress.get_or_insert_with(libdeflater::Decompressor::new);
        match format {
            Format::Zlib => context.zlib_decompress(src, dst),
            Format::Gzip => context.gzip_decompress(src, dst),
            _ => context.deflate_decompress(src, dst),
        }
    })
    .map_err(|error| match error {
        DecompressionError::BadData => Error::Corrupt,
        DecompressionError::InsufficientSpace => Error::OutputFull,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libdeflate_accepts_every_level() {
        for level in LOWEST..=HIGHEST {
            let accepted = CompressionLvl::new(level).expect("in range");
            assert_eq!(i32::from(accepted), level);
        }
    }
}
