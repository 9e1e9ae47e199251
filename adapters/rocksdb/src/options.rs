//! Sets block compressors in `rocksdb::Options`.

use rocksdb::Options;

use crate::codec::Codecs;
use crate::{BlockCompressors, Error, Schema, shim, version};

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
    /// Compresses this column family's blocks with `compressors`, one or a set, in files of
    /// `schema`.
    ///
    /// A single compressor sets the compression type to its own: zlib, zstd, LZ4 or the custom
    /// type. With several the type stays unchanged, as do `compression_per_level` and
    /// `bottommost_compression` in any case: where they name a type that one of the compressors
    /// handles, it is used. Existing files stay readable.
    ///
    /// A `compression_manager` that is set already stays in charge. It chooses the type of each
    /// file, or none, and compresses the types that none of the compressors handles. Only what it
    /// decides block by block does not apply to the compressors' types.
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
    /// was compiled for; [`Error::Format`], [`Error::Count`], [`Error::Name`] or
    /// [`Error::CompressionType`] if the schema is invalid or does not match the compressors;
    /// [`Error::Manager`] if the options have a `compression_manager` with a schema of its own. The
    /// options are unchanged then.
    fn set_block_compressor(
        &mut self,
        compressors: impl Into<BlockCompressors>,
        schema: Schema,
    ) -> Result<(), Error>;

    /// Goes back to RocksDB's own codecs, or to the `compression_manager` that was set before. The
    /// compression type stays unchanged, and then means their codec; after a [`Schema::Custom`],
    /// set another type.
    ///
    /// # Errors
    ///
    /// [`Error::Version`] or [`Error::Layout`].
    fn clear_block_compressor(&mut self) -> Result<(), Error>;
}

impl OptionsExt for Options {
    fn set_block_compressor(
        &mut self,
        compressors: impl Into<BlockCompressors>,
        schema: Schema,
    ) -> Result<(), Error> {
        version::check()?;
        let compressors = compressors.into();
        schema.check(&compressors)?;
        if let Some(schema) = shim::options::foreign_schema(self) {
            return Err(Error::Manager { schema });
        }
        let codecs = Codecs::new(&compressors, &schema);
        if shim::options::set_manager(self, codecs, &schema) {
            Ok(())
        } else {
            Err(Error::OutOfMemory)
        }
    }

    fn clear_block_compressor(&mut self) -> Result<(), Error> {
        version::check()?;
        shim::options::clear_manager(self);
        Ok(())
    }
}
