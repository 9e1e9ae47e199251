//! Settings of archives.

use std::sync::Arc;

use uadk_compress::{BlockCompressor, Level};

use crate::{GzOptions, Layout};

/// Settings of an [`ArchiveReader`](crate::ArchiveReader) or [`ArchiveWriter`](crate::ArchiveWriter).
///
/// ```
/// use uadk_compress::Level;
/// use uadk_compress_archive::ArchiveOptions;
///
/// let options = ArchiveOptions::new().level(Level::BEST).threads(2);
/// let mut archive = options.writer(Vec::new())?;
/// archive.append_bytes("name", b"contents")?;
/// archive.finish()?;
/// # Ok::<(), uadk_compress_archive::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ArchiveOptions {
    pub(crate) gzip: GzOptions,
    pub(crate) discard_damaged: bool,
}

impl ArchiveOptions {
    /// As [`GzOptions::new`].
    pub fn new() -> Self {
        Self::default()
    }

    /// See [`GzOptions::level`].
    pub fn level(mut self, level: Level) -> Self {
        self.gzip = self.gzip.level(level);
        self
    }

    /// See [`GzOptions::threads`].
    pub fn threads(mut self, threads: usize) -> Self {
        self.gzip = self.gzip.threads(threads);
        self
    }

    /// See [`GzOptions::layout`]. An archive that is appended to or resumed keeps its own.
    pub fn layout(mut self, layout: Layout) -> Self {
        self.gzip = self.gzip.layout(layout);
        self
    }

    /// See [`GzOptions::compressor`].
    pub fn compressor(mut self, compressor: Arc<dyn BlockCompressor>) -> Self {
        self.gzip = self.gzip.compressor(compressor);
        self
    }

    /// Whether [`resume`](crate::ArchiveWriter::resume) cuts the file where it is damaged, even if that is
    /// not at its end and whole entries may follow. It does not if not set.
    pub fn discard_damaged(mut self, discard: bool) -> Self {
        self.discard_damaged = discard;
        self
    }
}
