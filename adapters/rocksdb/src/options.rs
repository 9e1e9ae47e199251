//! `rocksdb::Options` with a block compressor.

use std::sync::Arc;

use rocksdb::Options;
use uadk_compress::BlockCompressor;

use crate::codec::Codec;
use crate::{Error, Schema, shim, version};

/// Gives a column family's options a block compressor.
pub trait OptionsExt {
    /// Compresses this column family's blocks with `compressor`, in files of `schema`.
    ///
    /// Sets the compression type to the schema's ([`Schema::Stock`]: zlib). `compression_per_level`
    /// and `bottommost_compression` stay as they are: where they say zlib, or the custom type, the
    /// blocks are ours. Files that are there already stay readable.
    ///
    /// ```
    /// use rocksdb::{DBCompressionType, Options};
    /// use uadk_compress::{Compressor, Level};
    /// use uadk_compress_rocksdb::{OptionsExt, Schema};
    ///
    /// // Young levels uncompressed, old ones by us, the last at another level.
    /// let mut options = Options::default();
    /// options.set_block_compressor(Compressor::builder().level(Level::FASTEST).build()?, Schema::Stock)?;
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
    /// [`Error::Version`] or [`Error::Layout`] if another RocksDB is linked than this crate was
    /// compiled for, [`Error::Format`], [`Error::Name`] or [`Error::CompressionType`] if the schema
    /// can't be had with this compressor. The options are unchanged then.
    fn set_block_compressor(
        &mut self,
        compressor: impl BlockCompressor + 'static,
        schema: Schema,
    ) -> Result<(), Error>;

    /// Goes back to RocksDB's own codecs. The compression type stays: zlib is then RocksDB's own;
    /// after a [`Schema::Custom`], set another.
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
