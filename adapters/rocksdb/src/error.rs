//! Errors from setting or registering a compressor.

/// The RocksDB versions that the shim compiles for, set by the build script: "10.4 to 11.12".
const SUPPORTED: &str = env!("UADK_COMPRESS_ROCKSDB_SUPPORTED");

/// An error from setting a compressor in RocksDB's options or registering it.
///
/// ```
/// use rocksdb::Options;
/// use uadk_compress::{Compressor, Format};
/// use uadk_compress_rocksdb::{Error, OptionsExt, Schema};
///
/// let zlib = Compressor::builder().format(Format::Zlib).build()?;
/// match Options::default().set_block_compressor(zlib, Schema::Stock) {
///     Err(Error::Format { format }) => assert_eq!(format, Format::Zlib),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The linked RocksDB is not the version whose headers this crate was compiled with.
    ///
    /// Link the version that `librocksdb-sys` brings, or point `ROCKSDB_INCLUDE_DIR` and
    /// `ROCKSDB_LIB_DIR` to one version and build again.
    #[error(
        "the linked RocksDB is {linked}, but uadk-compress-rocksdb was compiled for RocksDB \
         {compiled} (it supports one version of {SUPPORTED} at a time)"
    )]
    Version {
        /// The version of the headers.
        compiled: String,
        /// The version of the library.
        linked: String,
    },
    /// The versions agree, but the layouts of the options differ: the library was compiled with
    /// other settings.
    ///
    /// Build both with the same compiler settings.
    #[error(
        "the linked RocksDB {linked} lays out its options differently from the headers of \
         {compiled} that uadk-compress-rocksdb was compiled with (it supports {SUPPORTED}, with \
         one compiler's settings for both)"
    )]
    Layout {
        /// The version of the headers.
        compiled: String,
        /// The version of the library.
        linked: String,
    },
    /// [`Schema::Stock`](crate::Schema::Stock) needs compressors of RocksDB's formats.
    ///
    /// Build them with [`Format::RawDeflate`](uadk_compress::Format::RawDeflate) for zlib,
    /// [`Format::Zstd`](uadk_compress::Format::Zstd) or
    /// [`Format::Lz4`](uadk_compress::Format::Lz4), or use
    /// [`Schema::Custom`](crate::Schema::Custom).
    #[error(
        "the compressor's format is {format}, but RocksDB's own are raw deflate (its zlib), zstd \
         and lz4"
    )]
    Format {
        /// The compressor's format.
        format: uadk_compress::Format,
    },
    /// There is no compressor, or several for a [`Schema::Custom`](crate::Schema::Custom).
    #[error("{count} compressors: the stock schema needs at least one, a custom one exactly one")]
    Count {
        /// The number of compressors.
        count: usize,
    },
    /// The name of a [`Schema::Custom`](crate::Schema::Custom) is invalid.
    ///
    /// Names have 1 to 64 ASCII letters, digits and underscores, and don't begin with `Builtin`,
    /// `Uadk` or `nullptr`.
    #[error(
        "invalid schema name {name:?}: must have 1 to 64 ASCII letters, digits and underscores, \
         and not begin with Builtin, Uadk or nullptr"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The type of a [`Schema::Custom`](crate::Schema::Custom) is not one of RocksDB's custom
    /// types.
    #[error(
        "invalid compression type {compression_type:#04x}: RocksDB's custom types are 0x80 to 0xfe"
    )]
    CompressionType {
        /// The type.
        compression_type: u8,
    },
    /// The options have a compression manager with a schema of its own, in which RocksDB's types
    /// may be other formats.
    ///
    /// Set the block compressor in options without that manager.
    #[error(
        "the options have a compression manager with the schema {schema:?}: a block compressor can \
         only be set over RocksDB's own schema"
    )]
    Manager {
        /// The name of the manager's schema.
        schema: String,
    },
    /// There is not enough memory for a compression manager.
    #[error("failed to allocate a RocksDB compression manager")]
    OutOfMemory,
}
