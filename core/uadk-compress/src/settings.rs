//! What a compressor can be asked to do differently.

use std::sync::Arc;

use crate::{Level, Window};

/// Settings for [`reconfigured`](crate::BlockCompressor::reconfigured). What is not set stays as it
/// is.
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
    /// The level to compress at.
    pub level: Option<Level>,
    /// How far back matches may reach, for decoders that keep less than deflate's 32 KiB. A window
    /// that is smaller already stays as it is. libdeflate (the software engine's levels from 2 on)
    /// can't be told. What is decompressed may reach back further in any case.
    pub window: Option<Window>,
    /// What blocks may refer to without containing it; needed to decompress them, too. No format of
    /// this version has dictionaries yet.
    pub dictionary: Option<Dictionary>,
}

/// Bytes that compressor and decompressor both have. Clones share them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dictionary(Arc<[u8]>);

impl Settings {
    /// Settings that change nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for another level.
    #[must_use]
    pub const fn with_level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Asks for matches that reach back no further than `window`.
    #[must_use]
    pub const fn with_window(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// Demands a dictionary.
    #[must_use]
    pub fn with_dictionary(mut self, dictionary: Dictionary) -> Self {
        self.dictionary = Some(dictionary);
        self
    }
}

impl Dictionary {
    /// A dictionary of these bytes.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
