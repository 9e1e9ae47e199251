//! Settings of readers and writers.

use std::num::NonZero;
use std::sync::Arc;

use uadk_compress::{BlockCompressor, Checked, Compressor, Format, Level};

use crate::{Error, Result};

/// Settings of a [`GzReader`](crate::GzReader) or [`GzWriter`](crate::GzWriter).
///
/// ```
/// use std::io::Write;
/// use uadk_compress::Level;
/// use uadk_compress_archive::GzOptions;
///
/// let mut writer = GzOptions::new().level(Level::BEST).threads(4).writer(Vec::new())?;
/// writer.write_all(b"as any gzip file")?;
/// let file = writer.finish()?;
/// # Ok::<(), uadk_compress_archive::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct GzOptions {
    level: Level,
    pub(super) threads: usize,
    pub(super) end_marker: bool,
    compressor: Option<Arc<dyn BlockCompressor>>,
}

impl Default for GzOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl GzOptions {
    /// [`Level::BALANCED`], a thread per CPU, and the accelerator where there is one.
    pub fn new() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { level: Level::BALANCED, threads, end_marker: true, compressor: None }
    }

    /// The level to compress at; a [`compressor`](Self::compressor) of your own has its own.
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Threads that compress or decompress. They start with the first data that is worth it; 0 and
    /// 1 mean the caller's own. Where the system refuses threads, fewer do.
    ///
    /// The result does not depend on it.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// What compresses and decompresses: raw deflate, in any engine. If not set, a
    /// [`Compressor`] is made.
    ///
    /// With this, one compressor and its counters serve many streams.
    pub fn compressor(mut self, compressor: Arc<dyn BlockCompressor>) -> Self {
        self.compressor = Some(compressor);
        self
    }

    /// Whether a block-gzip file without an end marker is an error, when all data has been read: it
    /// may have been cut off between two blocks. It is if not set. For other gzip files there is no
    /// marker, and this means nothing.
    pub fn end_marker(mut self, required: bool) -> Self {
        self.end_marker = required;
        self
    }

    /// The same with the compressor that they stand for.
    pub(crate) fn with_engine(&self) -> Result<Self> {
        let engine = Arc::clone(self.engine()?.get_ref());
        Ok(Self { compressor: Some(engine), ..*self })
    }

    /// What compresses or decompresses.
    pub(super) fn engine(&self) -> Result<Checked<Arc<dyn BlockCompressor>>> {
        match &self.compressor {
            None => {
                let builder = Compressor::builder().format(Format::RawDeflate).level(self.level);
                let engine = builder.build().map_err(Error::Compressor)?;
                Ok(Checked::new(Arc::new(engine)))
            }
            Some(engine) if engine.format() != Format::RawDeflate => Err(Error::Unsupported(
                format!("block gzip is made of raw deflate, not {}", engine.format()).into(),
            )),
            Some(engine) => Ok(Checked::new(Arc::clone(engine))),
        }
    }
}
