//! Settings of readers and writers.

use std::num::NonZero;
use std::sync::Arc;

use uadk_compress::{BlockCompressor, Checked, Compressor, Format, Level};

use super::layout::Layout;
use super::member;
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
    pub(super) level: Level,
    pub(super) threads: usize,
    pub(super) layout: Layout,
    pub(super) end_marker: bool,
    pub(super) trailing_garbage: bool,
    compressor: Option<Arc<dyn BlockCompressor>>,
    /// What decompresses, if it has been made already.
    decompressor: Option<Arc<dyn BlockCompressor>>,
    name: Option<Vec<u8>>,
    mtime: u32,
}

impl Default for GzOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl GzOptions {
    /// One member at [`Level::BALANCED`], and a thread per CPU.
    pub fn new() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            level: Level::BALANCED,
            threads,
            layout: Layout::default(),
            end_marker: true,
            trailing_garbage: false,
            compressor: None,
            decompressor: None,
            name: None,
            mtime: 0,
        }
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

    /// How a writer lays out the file. Readers read both.
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// What compresses and decompresses: raw deflate, in any engine. With this, one compressor and its
    /// counters serve many streams.
    ///
    /// If not set, readers and writers of [`Layout::Bgzf`] use a [`Compressor`], which has the
    /// accelerator where there is one, and writers of [`Layout::OneMember`] software.
    pub fn compressor(mut self, compressor: Arc<dyn BlockCompressor>) -> Self {
        self.compressor = Some(compressor);
        self
    }

    /// The name of the file that is compressed, for the header of [`Layout::OneMember`]. A zero byte in
    /// it is left out.
    pub fn file_name(mut self, name: Option<Vec<u8>>) -> Self {
        self.name = name;
        self
    }

    /// When that file was last changed, in seconds since 1970; 0 if unknown.
    pub fn mtime(mut self, seconds: u32) -> Self {
        self.mtime = seconds;
        self
    }

    /// Whether a block-gzip file without an end marker is an error, when all data has been read: it
    /// may have been cut off between two blocks. It is if not set; otherwise it is a
    /// [warning](crate::GzReader::warnings). For other gzip files there is no marker, and this means
    /// nothing.
    pub fn end_marker(mut self, required: bool) -> Self {
        self.end_marker = required;
        self
    }

    /// Whether the data may be followed by something that is not gzip, as by the padding of a tape. It is
    /// ignored then, with a [warning](crate::GzReader::warnings); if not set, it is an error.
    pub fn trailing_garbage(mut self, allowed: bool) -> Self {
        self.trailing_garbage = allowed;
        self
    }

    pub(crate) const fn allows_trailing_garbage(&self) -> bool {
        self.trailing_garbage
    }

    /// The same with the compressor that they stand for.
    pub(crate) fn with_engine(&self) -> Result<Self> {
        let engine = Arc::clone(self.engine()?.get_ref());
        let compressor = match self.layout {
            Layout::Bgzf => Some(Arc::clone(&engine)),
            Layout::OneMember => self.compressor.clone(),
        };
        Ok(Self { compressor, decompressor: Some(engine), name: self.name.clone(), ..*self })
    }

    /// What decompresses, and compresses block gzip.
    pub(super) fn engine(&self) -> Result<Checked<Arc<dyn BlockCompressor>>> {
        if let Some(engine) = self.own_engine()? {
            return Ok(engine);
        }
        if let Some(engine) = &self.decompressor {
            return Ok(Checked::new(Arc::clone(engine)));
        }
        let builder = Compressor::builder().format(Format::RawDeflate).level(self.level);
        let engine = builder.build().map_err(Error::Compressor)?;
        Ok(Checked::new(Arc::new(engine)))
    }

    /// The engine that was set.
    pub(super) fn own_engine(&self) -> Result<Option<Checked<Arc<dyn BlockCompressor>>>> {
        match &self.compressor {
            Some(engine) if engine.format() != Format::RawDeflate => Err(Error::Unsupported(
                format!("gzip is made of raw deflate, not {}", engine.format()).into(),
            )),
            engine => Ok(engine.as_ref().map(|engine| Checked::new(Arc::clone(engine)))),
        }
    }

    /// The header of one member.
    pub(super) fn header(&self) -> Vec<u8> {
        member::plain_header(self.name.as_deref(), self.mtime)
    }
}
