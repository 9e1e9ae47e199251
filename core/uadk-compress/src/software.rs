//! The software engine: the encoders and decoders of all formats.

mod contexts;
mod deflate;
mod dictionary;
pub(crate) mod lz4;
pub(crate) mod zstd;

use std::fmt::{Display, Formatter};
use std::sync::Arc;

use self::dictionary::Digested;
use crate::{BlockCompressor, Dictionary, Error, Format, Level, Settings, Window};

/// The software engine, for any machine.
///
/// | format | compresses with | decompresses with |
/// |---|---|---|
/// | deflate, zlib, gzip | `block-deflate` up to level 1, libdeflate above | libdeflate |
/// | zstd | libzstd | libzstd |
/// | LZ4 | liblz4: the fast encoder up to level 2, LZ4 HC above | liblz4 |
///
/// A context is large (16 KiB to several megabytes) and costly to create, so each thread keeps one
/// per encoder (libdeflate: per level), created at its first use in that thread and freed when the
/// thread ends. After that a block costs no allocation. The value itself is a few bytes of
/// settings, and a clone shares its dictionary.
///
/// ```
/// use uadk_compress::{BlockCompressor, Format, Level, SoftwareCompressor};
///
/// let codec = SoftwareCompressor::new(Format::Zstd, Level::FAST)?;
/// let mut compressed = vec![0; codec.max_compressed_len(10_000)];
/// let len = codec.compress(&[7; 10_000], &mut compressed)?;
/// assert!(len < 100);
///
/// let mut restored = vec![0; 10_000];
/// assert_eq!(codec.decompress(&compressed[..len], &mut restored), Ok(10_000));
/// assert_eq!(restored, vec![7; 10_000]);
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoftwareCompressor {
    format: Format,
    level: Level,
    window: Window,
    encoder: Option<SoftwareEncoder>,
    checksum: bool,
    dictionary: Option<Arc<Digested>>,
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
    /// This project's deflate encoder: 1.8 to 1.9 times as fast as libdeflate's level 1, with
    /// output up to 1 % larger. It has two speeds: [`Level::FASTEST`], and one for all other
    /// levels.
    BlockDeflate,
    /// libdeflate. Its fastest level is 1.
    Libdeflate,
    /// libzstd.
    Libzstd,
    /// liblz4.
    Liblz4,
}

impl SoftwareCompressor {
    /// Creates an engine for blocks of `format`.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for [`Format::Custom`].
    pub fn new(format: Format, level: Level) -> Result<Self, Error> {
        if let Format::Custom(name) = format {
            return Err(Error::Unsupported(
                format!("software codec {name:?} (expected deflate, zlib, gzip, zstd or lz4)")
                    .into(),
            ));
        }
        let (window, encoder) = (Window::Kib32, None);
        Ok(Self { format, level, window, encoder, checksum: false, dictionary: None })
    }

    /// Returns the same engine with this encoder at every level. Encoders of another format are
    /// ignored.
    #[must_use]
    pub fn with_encoder(self, encoder: SoftwareEncoder) -> Self {
        Self { encoder: Some(encoder), ..self }
    }

    /// Returns the same engine with matches that reach back no further than `window`. By default
    /// they reach as far as the format allows.
    ///
    /// `block-deflate` honours it and declares it in zlib's header, for decoders with a window of
    /// that size. The other encoders ignore it.
    #[must_use]
    pub fn with_window_limit(self, window: Window) -> Self {
        Self { window, ..self }
    }

    /// Returns the same engine with a checksum in each zstd frame, or without, which is the
    /// default. Decompression always checks it. Other formats have no such choice.
    #[must_use]
    pub fn with_checksum(self, checksum: bool) -> Self {
        Self { checksum, ..self }
    }

    /// Returns the same engine with a dictionary, in both directions: raw content for LZ4 (of which
    /// the last 64 KiB count), and raw content or a trained dictionary for zstd.
    ///
    /// The dictionary is digested at its first use in each direction, once for all threads.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for the other formats, and for a damaged zstd dictionary.
    ///
    /// ```
    /// use uadk_compress::{BlockCompressor, Dictionary, Format, Level, SoftwareCompressor};
    ///
    /// let codec = SoftwareCompressor::new(Format::Lz4, Level::FAST)?;
    /// let codec = codec.with_dictionary(Dictionary::new(*b"words that most blocks contain"))?;
    /// let mut compressed = [0; 100];
    /// let len = codec.compress(b"words that most blocks contain, and more", &mut compressed)?;
    /// assert!(len < 20);
    /// # Ok::<(), uadk_compress::Error>(())
    /// ```
    pub fn with_dictionary(self, dictionary: Dictionary) -> Result<Self, Error> {
        let digested = Digested::new(dictionary, self.format, self.level)?;
        let digested = (!digested.bytes().is_empty()).then(|| Arc::new(digested));
        Ok(Self { dictionary: digested, ..self })
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
        match (self.format, self.encoder) {
            (Format::Zstd, _) => SoftwareEncoder::Libzstd,
            (Format::Lz4, _) => SoftwareEncoder::Liblz4,
            (_, Some(SoftwareEncoder::BlockDeflate)) => SoftwareEncoder::BlockDeflate,
            (_, Some(SoftwareEncoder::Libdeflate)) => SoftwareEncoder::Libdeflate,
            _ if self.level.get() <= 1 => SoftwareEncoder::BlockDeflate,
            _ => SoftwareEncoder::Libdeflate,
        }
    }

    fn with_level(self, level: Level) -> Self {
        let dictionary = self.dictionary.map(|dictionary| Arc::new(dictionary.with_level(level)));
        Self { level, dictionary, ..self }
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
        let Self { format, level, window, .. } = *self;
        let dictionary = self.dictionary.as_deref();
        match format {
            Format::Zstd => {
                let parameters = zstd::Parameters { level, checksum: self.checksum };
                let dictionary = dictionary.map(Digested::zstd_encoder).transpose()?;
                zstd::compress(parameters, dictionary, src, dst)
            }
            Format::Lz4 => {
                let dictionary = dictionary.map(Digested::lz4_encoder).transpose()?;
                lz4::compress(level, dictionary, src, dst)
            }
            _ => {
                let block_deflate = self.encoder() == SoftwareEncoder::BlockDeflate;
                let parameters = deflate::Parameters { format, level, window, block_deflate };
                deflate::compress(parameters, src, dst)
            }
        }
    }

    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        let dictionary = self.dictionary.as_deref();
        match self.format {
            Format::Zstd => {
                let dictionary = dictionary.map(Digested::zstd_decoder).transpose()?;
                zstd::decompress(dictionary, src, dst)
            }
            Format::Lz4 => lz4::decompress(dictionary.map_or(&[], Digested::bytes), src, dst),
            format => deflate::decompress(format, src, dst),
        }
    }

    fn reconfigured(&self, settings: &Settings) -> Option<Arc<dyn BlockCompressor>> {
        if *settings == Settings::default() {
            return None;
        }
        let mut engine = self.clone();
        if let Some(level) = settings.level {
            engine = engine.with_level(level);
        }
        if let Some(window) = settings.window {
            engine.window = engine.window.min(window);
        }
        if let Some(checksum) = settings.checksum {
            engine.checksum = checksum;
        }
        if let Some(dictionary) = &settings.dictionary {
            engine = engine.with_dictionary(dictionary.clone()).ok()?;
        }
        Some(Arc::new(engine))
    }
}

impl Display for SoftwareEncoder {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::BlockDeflate => "block-deflate",
            Self::Libdeflate => "libdeflate",
            Self::Libzstd => "libzstd",
            Self::Liblz4 => "liblz4",
        })
    }
}
