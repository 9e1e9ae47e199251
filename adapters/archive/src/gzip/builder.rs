//! Options of readers and writers.

use std::num::NonZero;
use std::sync::Arc;

use uadk_compress::{BlockCompressor, Checked, Compressor, Format, Level};

use super::layout::Layout;
use super::member;
use crate::{Error, Result};

/// Options of a [`GzReader`](crate::GzReader) or [`GzWriter`](crate::GzWriter).
///
/// ```
/// use std::io::Write;
/// use uadk_compress_archive::GzOptions;
/// use uadk_compress_archive::uadk_compress::Level;
///
/// let mut writer = GzOptions::new().level(Level::BEST).threads(4).writer(Vec::new())?;
/// writer.write_all(b"as any gzip file")?;
/// let file = writer.finish()?;
/// assert!(file.starts_with(&[0x1f, 0x8b]));
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
    /// The engine that decompresses, if it has been created already.
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
    /// Returns the defaults: one member at [`Level::BALANCED`], and one thread per CPU.
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

    /// Sets the compression level. A custom [`compressor`](Self::compressor) has its own level.
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Sets the number of threads that compress or decompress. They start once there is enough
    /// data; 0 and 1 mean the caller's thread. If the system refuses threads, fewer are used.
    ///
    /// The output does not depend on their number.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets the layout of files to write. Readers read both.
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// Sets the engine that compresses and decompresses; its format must be raw deflate. One
    /// compressor, with its counters, can serve many streams.
    ///
    /// By default, readers and writers of [`Layout::Bgzf`] use a [`Compressor`], which uses the
    /// accelerator if there is one, and writers of [`Layout::OneMember`] use software.
    pub fn compressor(mut self, compressor: Arc<dyn BlockCompressor>) -> Self {
        self.compressor = Some(compressor);
        self
    }

    /// Sets the name of the original file, stored in the header of [`Layout::OneMember`]. NUL bytes
    /// in the name are omitted.
    pub fn file_name(mut self, name: Option<Vec<u8>>) -> Self {
        self.name = name;
        self
    }

    /// Sets the modification time of the original file, in seconds since 1970; 0 if unknown.
    pub fn mtime(mut self, seconds: u32) -> Self {
        self.mtime = seconds;
        self
    }

    /// Sets whether a missing end marker of a block-gzip file is an error, returned after all data:
    /// the file may have been cut off between two blocks. `true` by default; with `false`, it is a
    /// [warning](crate::GzReader::warnings). Other gzip files have no end marker, and ignore this.
    pub fn end_marker(mut self, required: bool) -> Self {
        self.end_marker = required;
        self
    }

    /// Sets whether the data may be followed by something that is not gzip, such as the padding of
    /// a tape. It is then ignored with a [warning](crate::GzReader::warnings). `false` by default,
    /// which makes it an error.
    pub fn trailing_garbage(mut self, allowed: bool) -> Self {
        self.trailing_garbage = allowed;
        self
    }

    pub(crate) const fn allows_trailing_garbage(&self) -> bool {
        self.trailing_garbage
    }

    /// Returns the same options with their engines created.
    pub(crate) fn with_engine(&self) -> Result<Self> {
        let engine = Arc::clone(self.engine()?.get_ref());
        let compressor = match self.layout {
            Layout::Bgzf => Some(Arc::clone(&engine)),
            Layout::OneMember => self.compressor.clone(),
        };
        Ok(Self { compressor, decompressor: Some(engine), name: self.name.clone(), ..*self })
    }

    /// Returns the engine that decompresses, and that compresses block gzip.
    pub(super) fn engine(&self) -> Result<Checked<Arc<dyn BlockCompressor>>> {
        if let Some(engine) = self.custom_engine()? {
            return Ok(engine);
        }
        if let Some(engine) = &self.decompressor {
            return Ok(Checked::new(Arc::clone(engine)));
        }
        let builder = Compressor::builder().format(Format::RawDeflate).level(self.level);
        let engine = builder.build().map_err(Error::Compressor)?;
        Ok(Checked::new(Arc::new(engine)))
    }

    /// Returns the engine that the caller set.
    pub(super) fn custom_engine(&self) -> Result<Option<Checked<Arc<dyn BlockCompressor>>>> {
        match &self.compressor {
            Some(engine) if engine.format() != Format::RawDeflate => Err(Error::Unsupported(
                format!("gzip requires a raw deflate compressor, not {}", engine.format()).into(),
            )),
            engine => Ok(engine.as_ref().map(|engine| Checked::new(Arc::clone(engine)))),
        }
    }

    /// Returns the header of the one member.
    pub(super) fn header(&self) -> Vec<u8> {
        member::plain_header(self.name.as_deref(), self.mtime)
    }
}
