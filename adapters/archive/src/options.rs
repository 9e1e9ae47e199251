//! Settings of archives.

use std::sync::Arc;

use uadk_compress::{BlockCompressor, Level};

use crate::{GzOptions, Layout};

/// Settings of an [`ArchiveReader`](crate::ArchiveReader) or
/// [`ArchiveWriter`](crate::ArchiveWriter).
///
/// ```
/// use uadk_compress_archive::uadk_compress::Level;
/// use uadk_compress_archive::{ArchiveOptions, ArchiveReader};
///
/// let options = ArchiveOptions::new().level(Level::BEST).threads(2);
/// let mut archive = options.writer(Vec::new())?;
/// archive.append_bytes("name", b"contents")?;
/// let file = archive.finish()?;
/// assert_eq!(ArchiveReader::new(&file[..])?.verify_stream()?.entries, 1);
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
    /// Creates the default options; see [`GzOptions::new`].
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

    /// See [`GzOptions::layout`]. An archive that is appended to or resumed keeps its layout.
    pub fn layout(mut self, layout: Layout) -> Self {
        self.gzip = self.gzip.layout(layout);
        self
    }

    /// See [`GzOptions::compressor`].
    pub fn compressor(mut self, compressor: Arc<dyn BlockCompressor>) -> Self {
        self.gzip = self.gzip.compressor(compressor);
        self
    }

    /// Sets whether new archives are plain tar: uncompressed, and without an index. The default is
    /// `false`. Appending to an archive keeps its format.
    pub fn plain(mut self, plain: bool) -> Self {
        self.plain = plain;
        self
    }

    /// Limits the memory for decompressing zstd or xz, in bytes. The file declares how much it
    /// needs. The default of 160 MiB is enough for windows of 128 MiB, the maximum of the `zstd`
    /// and `xz` commands unless a larger one is requested (`zstd --long=31`). A file that needs
    /// more is [`Error::Unsupported`](crate::Error::Unsupported).
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// Sets whether [`resume`](crate::ArchiveWriter::resume) truncates the file where it is
    /// damaged, even if that is not at its end and intact entries may follow. The default is
    /// `false`.
    pub fn discard_damaged(mut self, discard: bool) -> Self {
        self.discard_damaged = discard;
        self
    }
}
