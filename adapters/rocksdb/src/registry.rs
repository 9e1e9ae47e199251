//! Registers compressors that RocksDB finds by name.

use crate::codec::Codecs;
use crate::{BlockCompressors, Error, Schema, registered, shim, version};

/// Lets RocksDB find `compressors`, one or a set, by the schema's name, in this process, from now
/// on:
///
/// - in OPTIONS files, so that `Options::load_latest` returns options with it;
/// - in option strings, with a level if wanted: `compression_manager={id=UadkStock;level=1}`;
/// - in files of a [`Schema::Custom`] that are opened with options without it, even by a plain
///   [`DB::open`](rocksdb::DB::open).
///
/// An option string does not change the compression type: set it too
/// (`compression=kZlibCompression` or `kCustomCompression80`). A second registration of the same
/// name replaces the first for databases opened later.
///
/// ```
/// use rocksdb::Options;
/// use uadk_compress::Compressor;
/// use uadk_compress_rocksdb::{Schema, register};
///
/// register(Compressor::builder().build()?, Schema::Stock)?;
/// let options = Options::default().get_options_from_string(
///     "compression=kZlibCompression; compression_manager={id=UadkStock;level=1}",
/// )?;
/// # let _ = options;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As for [`OptionsExt::set_block_compressor`](crate::OptionsExt::set_block_compressor).
pub fn register(compressors: impl Into<BlockCompressors>, schema: Schema) -> Result<(), Error> {
    version::check()?;
    let compressors = compressors.into();
    schema.check(&compressors)?;
    let codecs = Codecs::new(&compressors, &schema);
    if registered::insert(codecs, schema, shim::register_name) {
        Ok(())
    } else {
        Err(Error::OutOfMemory)
    }
}
