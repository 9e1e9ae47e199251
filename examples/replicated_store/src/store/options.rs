//! The options of the state machine's column family: all that a cluster changes to adopt us.

use rocksdb::{BlockBasedOptions, DBCompressionType, Options};
use uadk_compress::Compressor;
use uadk_compress_rocksdb::{BlockCompressors, OptionsExt, Schema, register};

use crate::types::Result;

/// What compresses and reads a node's records.
#[derive(Clone, Debug)]
pub(crate) enum Codec {
    /// RocksDB's own zstd.
    RocksDb,
    /// Our zstd, in the same files.
    Ours(Compressor),
}

/// Returns the options of the family.
pub(crate) fn data(codec: &Codec) -> Result<Options> {
    let mut table = BlockBasedOptions::default();
    table.set_block_size(16 << 10);
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    // Small, so that files are written and compacted all the time.
    options.set_write_buffer_size(256 << 10);
    options.set_compression_type(DBCompressionType::Zstd);
    if let Codec::Ours(compressor) = codec {
        // The one line.
        options.set_block_compressor(compressor.clone(), Schema::Stock)?;
    }
    Ok(options)
}

/// Returns the option strings that do the same to a family that is open.
pub(crate) fn at_run_time(codec: &Codec) -> Result<[(&'static str, &'static str); 1]> {
    Ok([match codec {
        Codec::RocksDb => ("compression_manager", "nullptr"),
        Codec::Ours(compressor) => {
            register(BlockCompressors::from(compressor.clone()), Schema::Stock)?;
            ("compression_manager", "UadkStock")
        }
    }])
}
