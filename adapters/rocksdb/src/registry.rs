//! Registers compressors that RocksDB finds by name.

use std::sync::Arc;

use uadk_compress::BlockCompressor;

use crate::codec::Codec;
use crate::{Error, Schema, registered, shim, version};

/// Lets RocksDB find `compressor` by the schema's name, in this process, from now on:
///
/// - in OPTIONS files, so that `Options::load_latest` returns options with it;
/// - in option strings, with a level if wanted: `compression_manager={id=UadkZlib;level=1}`;
/// - in files of a [`Schema::Custom`] that are opened with options without it, even by a plain
///   [`DB::open`](rocksdb::DB::open).
///
/// An option string does not change the compression type: set it too
/// (`compression=kZlibCompression` or `kCustomCompression80`). A second compressor of the same name
/// replaces the first for databases opened later.
///
/// ```
/// use rocksdb::Options;
/// use uadk_compress::Compressor;
/// use uadk_compress_rocksdb::{Schema, register};
///
/// register(Compressor::builder().build()?, Schema::Stock)?;
/// let options = Options::default().get_options_from_string(
///     "compression=kZlibCompression; compression_manager={id=UadkZlib;level=1}",
/// )?;
/// # let _ = options;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As for [`OptionsExt::set_block_compressor`](crate::OptionsExt::set_block_compressor).
pub fn register(compressor: impl BlockCompressor + 'static, schema: Schema) -> Result<(), Error> {
    version::check()?;
    schema.check(&compressor)?;
    let codec = Codec::new(Arc::new(compressor), &schema);
    if registered::insert(codec, schema, shim::register_name) {
        Ok(())
    } else {
        Err(Error::OutOfMemory)
    }
}
