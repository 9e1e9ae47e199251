//! Settings that can be changed on an existing compressor.

use std::sync::Arc;

use crate::{Level, Window};

/// Settings for [`reconfigured`](crate::BlockCompressor::reconfigured). Unset fields stay
/// unchanged.
///
/// ```
/// use uadk_compress::{BlockCompressor, Format, Level, Settings, SoftwareCompressor, Window};
///
/// let codec = SoftwareCompressor::new(Format::RawDeflate, Level::FAST)?;
/// let settings = Settings::new().with_level(Level::BEST).with_window(Window::Kib16);
/// let smaller = codec.reconfigured(&settings).expect("software has levels");
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The compression level.
    pub level: Option<Level>,
    /// How far back matches may reach, for decoders that keep less than deflate's 32 KiB. A window
    /// that is already smaller stays unchanged. libdeflate (the software engine's levels from 2 up)
    /// ignores it. Blocks to decompress may always reach back further.
    pub window: Option<Window>,
    /// Data that blocks may refer to without containing it; also needed to decompress them. For
    /// zstd (raw content, or a trained dictionary) and LZ4 (raw content).
    pub dictionary: Option<Dictionary>,
    /// Whether zstd frames end with a checksum of their content. By default they do not.
    pub checksum: Option<bool>,
}

/// Data shared by compressor and decompressor. Clones share the bytes.
///
/// ```
/// use uadk_compress::{BlockCompressor, Dictionary, Format, Level, Settings, SoftwareCompressor};
///
/// let settings = Settings::new().with_dictionary(Dictionary::new(*b"words in most blocks"));
/// let codec = SoftwareCompressor::new(Format::Zstd, Level::FAST)?;
/// let codec = codec.reconfigured(&settings).expect("zstd has dictionaries");
/// let mut compressed = [0; 100];
/// let len = codec.compress(b"words in most blocks, and in this one", &mut compressed)?;
/// assert!(len < 37);
///
/// let deflate = SoftwareCompressor::new(Format::Zlib, Level::FAST)?;
/// assert!(deflate.reconfigured(&settings).is_none()); // not supported
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dictionary(Arc<[u8]>);

impl Settings {
    /// Creates settings that change nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the level.
    #[must_use]
    pub const fn with_level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Limits matches to reach back no further than `window`.
    #[must_use]
    pub const fn with_window(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// Requires a dictionary.
    #[must_use]
    pub fn with_dictionary(mut self, dictionary: Dictionary) -> Self {
        self.dictionary = Some(dictionary);
        self
    }

    /// Sets whether zstd frames end with a checksum.
    #[must_use]
    pub const fn with_checksum(mut self, checksum: bool) -> Self {
        self.checksum = Some(checksum);
        self
    }
}

impl Dictionary {
    /// Creates a dictionary of these bytes.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
