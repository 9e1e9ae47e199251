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
    pub(crate) plain: bool,
    pub(crate) memory_limit: Option<u64>,
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

    /// Whether new archives are plain tar: not compressed, and without an index. They are not if not set. What
    /// is appended to stays what it is.
    pub fn plain(mut self, plain: bool) -> Self {
        self.plain = plain;
        self
    }

    /// Bytes of memory that decompressing zstd or xz may take, where the file says how much it needs. If not
    /// set, 160 MiB: enough for windows of 128 MiB, as the commands of both make them unless told otherwise
    /// (`zstd --long=31`). A file that needs more is [`Error::Unsupported`](crate::Error::Unsupported).
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// Whether [`resume`](crate::ArchiveWriter::resume) cuts the file where it is damaged, even if that is
    /// not at its end and whole entries may follow. It does not if not set.
    pub fn discard_damaged(mut self, discard: bool) -> Self {
        self.discard_damaged = discard;
        self
    }
}
