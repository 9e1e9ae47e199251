//! Sets block compressors in `rocksdb::Options`.

use std::sync::Arc;

use rocksdb::Options;
use uadk_compress::BlockCompressor;

use crate::codec::Codec;
use crate::{Error, Schema, shim, version};

/// Sets a block compressor in a column family's options.
///
/// ```
/// use rocksdb::{DB, Options};
/// use uadk_compress::Compressor;
/// use uadk_compress_rocksdb::{OptionsExt, Schema};
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path();
/// let compressor = Compressor::builder().build()?;
/// let mut archive = Options::default();
/// archive.set_block_compressor(compressor.clone(), Schema::Stock)?;
///
/// let mut db = DB::open_default(path)?;
/// db.create_cf("archive", &archive)?;
/// let family = db.cf_handle("archive").expect("just created");
/// db.put_cf(family, b"key", b"value ".repeat(1000))?;
/// db.flush_cf(family)?;
/// assert!(compressor.stats().together().compress.blocks > 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait OptionsExt {
    /// Compresses this column family's blocks with `compressor`, in files of `schema`.
    ///
    /// Sets the compression type to the schema's ([`Schema::Stock`]: zlib). `compression_per_level`
    /// and `bottommost_compression` stay unchanged: where they say zlib, or the custom type,
    /// `compressor` is used. Existing files stay readable.
    ///
    /// ```
    /// use rocksdb::{DBCompressionType, Options};
    /// use uadk_compress::{Compressor, Level};
    /// use uadk_compress_rocksdb::{OptionsExt, Schema};
    ///
    /// // Upper levels uncompressed, lower ones compressed, the last at another level.
    /// let compressor = Compressor::builder().level(Level::FASTEST).build()?;
    /// let mut options = Options::default();
    /// options.set_block_compressor(compressor, Schema::Stock)?;
    /// options.set_compression_per_level(&[
    ///     DBCompressionType::None,
    ///     DBCompressionType::None,
    ///     DBCompressionType::Zlib,
    /// ]);
    /// options.set_bottommost_compression_type(DBCompressionType::Zlib);
    /// options.set_bottommost_compression_options(-14, 9, 0, 0, true);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Version`] or [`Error::Layout`] if the linked RocksDB is not the one that this crate
    /// was compiled for; [`Error::Format`], [`Error::Name`] or [`Error::CompressionType`] if the
    /// schema is invalid or does not match the compressor. The options are unchanged then.
    fn set_block_compressor(
        &mut self,
        compressor: impl BlockCompressor + 'static,
        schema: Schema,
    ) -> Result<(), Error>;

    /// Goes back to RocksDB's own codecs. The compression type stays unchanged: zlib then means
    /// RocksDB's own codec; after a [`Schema::Custom`], set another type.
    ///
    /// # Errors
    ///
    /// [`Error::Version`] or [`Error::Layout`].
    fn clear_block_compressor(&mut self) -> Result<(), Error>;
}

impl OptionsExt for Options {
    fn set_block_compressor(
        &mut self,
        compressor: impl BlockCompressor + 'static,
        schema: Schema,
    ) -> Result<(), Error> {
        version::check()?;
        schema.check(&compressor)?;
        let codec = Codec::new(Arc::new(compressor), &schema);
        if shim::set_manager(self, codec, &schema) { Ok(()) } else { Err(Error::OutOfMemory) }
    }

    fn clear_block_compressor(&mut self) -> Result<(), Error> {
        version::check()?;
        shim::clear_manager(self);
        Ok(())
    }
}
