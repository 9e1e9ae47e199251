//! The compressors of a column family.

use std::sync::Arc;

use uadk_compress::{BlockCompressor, Compressor, Format, Level};

/// The block compressors of a column family: one, or one for each of several formats.
///
/// Whatever takes it also takes a single compressor.
///
/// ```
/// use rocksdb::{DB, DBCompressionType, Options};
/// use uadk_compress_rocksdb::{BlockCompressors, OptionsExt, Schema};
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path();
/// let mut options = Options::default();
/// options.create_if_missing(true);
/// options.set_compression_type(DBCompressionType::Lz4);
/// options.set_bottommost_compression_type(DBCompressionType::Zstd);
/// // Whichever of RocksDB's types a level has, it is compressed and read by this crate.
/// options.set_block_compressor(BlockCompressors::all()?, Schema::Stock)?;
/// let db = DB::open(&options, path)?;
/// # db.put(b"key", b"value ".repeat(1000))?;
/// # db.flush()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct BlockCompressors(Vec<Arc<dyn BlockCompressor>>);

impl BlockCompressors {
    /// Creates an empty set, to which [`with`](Self::with) adds compressors.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a [`Compressor`] for each of RocksDB's types that this crate supports: zlib, zstd
    /// and LZ4 (with LZ4HC), on the accelerator if there is one. Where RocksDB's options have no
    /// level, zlib has level 1 and zstd level 3.
    ///
    /// # Errors
    ///
    /// Same as [`CompressorBuilder::build`](uadk_compress::CompressorBuilder::build).
    pub fn all() -> Result<Self, uadk_compress::Error> {
        let build = |format, level| Compressor::builder().format(format).level(level).build();
        Ok(Self::new()
            .with(build(Format::RawDeflate, Level::FAST)?)
            .with(build(Format::Zstd, Level::nearest(3))?)
            .with(build(Format::Lz4, Level::FAST)?))
    }

    /// Adds a compressor, in place of an earlier one of the same format.
    #[must_use]
    pub fn with(mut self, compressor: impl BlockCompressor + 'static) -> Self {
        self.0.retain(|other| other.format() != compressor.format());
        self.0.push(Arc::new(compressor));
        self
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<dyn BlockCompressor>> {
        self.0.iter()
    }
}

impl<C: BlockCompressor + 'static> From<C> for BlockCompressors {
    /// Returns a set of one.
    fn from(compressor: C) -> Self {
        Self::new().with(compressor)
    }
}
