//! The software engine: `block-deflate` and libdeflate.

mod contexts;

use std::fmt::{Display, Formatter};
use std::sync::Arc;

use libdeflater::{CompressionError, DecompressionError};

use crate::{BlockCompressor, Error, Format, Level, Settings, Window};

/// The software engine, for any machine. It compresses with `block-deflate` at [`Level::FASTEST`]
/// and level 1, and with libdeflate above; libdeflate also decompresses.
///
/// A context is large (200 to 650 KiB) and costly to create, so each thread keeps one per level,
/// created at the first use of that level in that thread and freed when the thread ends. After that
/// a block costs no allocation. The value itself is a few bytes of settings: copy it freely.
///
/// ```
/// use uadk_compress::{BlockCompressor, Format, Level, SoftwareCompressor};
///
/// let codec = SoftwareCompressor::new(Format::Gzip, Level::BALANCED)?;
/// let mut compressed = vec![0; codec.max_compressed_len(10_000)];
/// let len = codec.compress(&[7; 10_000], &mut compressed)?;
/// assert!(len < 1000);
///
/// let mut restored = vec![0; 10_000];
/// assert_eq!(codec.decompress(&compressed[..len], &mut restored), Ok(10_000));
/// assert_eq!(restored, vec![7; 10_000]);
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoftwareCompressor {
    format: Format,
    level: Level,
    window: Window,
    encoder: Option<SoftwareEncoder>,
}

/// The encoder of the software engine.
///
/// ```
/// use uadk_compress::{Format, Level, SoftwareCompressor, SoftwareEncoder};
///
/// let codec = SoftwareCompressor::new(Format::Zlib, Level::FAST)?;
/// assert_eq!(codec.encoder(), SoftwareEncoder::BlockDeflate);
/// let codec = codec.with_encoder(SoftwareEncoder::Libdeflate);
/// assert_eq!(codec.encoder().to_string(), "libdeflate");
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SoftwareEncoder {
    /// This project's block encoder: 1.8 to 1.9 times as fast as libdeflate's level 1, with output
    /// up to 1 % larger. It has two speeds: [`Level::FASTEST`], and one for all other levels.
    BlockDeflate,
    /// libdeflate. Its fastest level is 1.
    Libdeflate,
}

impl SoftwareCompressor {
    /// Creates an engine for blocks of `format`.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for [`Format::Custom`].
    pub fn new(format: Format, level: Level) -> Result<Self, Error> {
        match format {
            Format::RawDeflate | Format::Zlib | Format::Gzip => {
                Ok(Self { format, level, window: Window::Kib32, encoder: None })
            }
            Format::Custom(name) => Err(Error::Unsupported(
                format!("software codec {name:?} (expected deflate, zlib or gzip)").into(),
            )),
        }
    }

    /// Returns the same engine with this encoder at every level.
    #[must_use]
    pub const fn with_encoder(self, encoder: SoftwareEncoder) -> Self {
        Self { encoder: Some(encoder), ..self }
    }

    /// Returns the same engine with matches that reach back no further than `window`. By default
    /// they reach as far as the format allows.
    ///
    /// `block-deflate` honours it and declares it in zlib's header, for decoders with a window of
    /// that size. libdeflate has no such setting and ignores it.
    #[must_use]
    pub const fn with_window_limit(self, window: Window) -> Self {
        Self { window, ..self }
    }

    /// Returns the compression level.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// Returns how far back matches may reach, for encoders that have this setting.
    #[must_use]
    pub const fn window_limit(&self) -> Window {
        self.window
    }

    /// Returns the encoder in use.
    #[must_use]
    pub const fn encoder(&self) -> SoftwareEncoder {
        match self.encoder {
            Some(encoder) => encoder,
            None if self.level.get() <= 1 => SoftwareEncoder::BlockDeflate,
            None => SoftwareEncoder::Libdeflate,
        }
    }

    fn compress_with_block_deflate(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        // libdeflate computes the checksums, with the processor's instructions for them.
        let (frame, checksum) = match self.format {
            Format::Zlib => (block_deflate::Format::Zlib, libdeflater::adler32(src)),
            Format::Gzip => (block_deflate::Format::Gzip, libdeflater::crc32(src)),
            Format::RawDeflate | Format::Custom(_) => (block_deflate::Format::Raw, 0),
        };
        let window = match self.window {
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
        let compress = |encoder: &mut block_deflate::Encoder| encoder.compress(src, body);
        let len = contexts::with_block_deflate(self.level, window, compress)
            .map_err(|block_deflate::DoesNotFit { .. }| Error::OutputFull)?;
        dst[..header.len()].copy_from_slice(header);
        dst[header.len() + len..][..trailer.len()].copy_from_slice(trailer);
        Ok(framing + len)
    }

    fn compress_with_libdeflate(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        contexts::with_libdeflate(self.level, |context| match self.format {
            Format::Zlib => context.zlib_compress(src, dst),
            Format::Gzip => context.gzip_compress(src, dst),
            Format::RawDeflate | Format::Custom(_) => context.deflate_compress(src, dst),
        })
        .map_err(|CompressionError::InsufficientSpace| Error::OutputFull)
    }
}

impl BlockCompressor for SoftwareCompressor {
    fn format(&self) -> Format {
        self.format
    }

    fn max_compressed_len(&self, len: usize) -> usize {
        // Never a custom format: see `new`.
        self.format.max_compressed_len(len).unwrap_or(usize::MAX)
    }

    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        match self.encoder() {
            SoftwareEncoder::BlockDeflate => self.compress_with_block_deflate(src, dst),
            SoftwareEncoder::Libdeflate => self.compress_with_libdeflate(src, dst),
        }
    }

    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        contexts::with_decompressor(|context| match self.format {
            Format::Zlib => context.zlib_decompress(src, dst),
            Format::Gzip => context.gzip_decompress(src, dst),
            Format::RawDeflate | Format::Custom(_) => context.deflate_decompress(src, dst),
        })
        .map_err(|error| match error {
            DecompressionError::BadData => Error::Corrupt,
            DecompressionError::InsufficientSpace => Error::OutputFull,
        })
    }

    fn reconfigured(&self, settings: &Settings) -> Option<Arc<dyn BlockCompressor>> {
        if settings.dictionary.is_some() || *settings == Settings::default() {
            return None;
        }
        let window = settings.window.map_or(self.window, |window| window.min(self.window));
        let level = settings.level.unwrap_or(self.level);
        Some(Arc::new(Self { level, window, ..*self }))
    }
}

impl Display for SoftwareEncoder {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::BlockDeflate => "block-deflate",
            Self::Libdeflate => "libdeflate",
        })
    }
}
