//! Why RocksDB could not be given a compressor.

/// Why a compressor could not be given to RocksDB or registered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The RocksDB that is linked is not the one whose headers this crate was compiled with.
    #[error(
        "this program is linked with RocksDB {linked}, but uadk-compress-rocksdb was compiled for \
         RocksDB {compiled}: link the version that librocksdb-sys brings, or point \
         ROCKSDB_INCLUDE_DIR and ROCKSDB_LIB_DIR to the same version and build again"
    )]
    Version {
        /// Of the headers.
        compiled: String,
        /// Of the library.
        linked: String,
    },
    /// The versions agree, but not the layout of the options: the library was compiled with other
    /// settings.
    #[error(
        "RocksDB {linked} lays its options out otherwise than the headers of {compiled} that \
         uadk-compress-rocksdb was compiled with: build both with the same compiler settings"
    )]
    Layout {
        /// Of the headers.
        compiled: String,
        /// Of the library.
        linked: String,
    },
    /// [`Schema::Stock`](crate::Schema::Stock) needs a compressor of raw deflate.
    #[error(
        "RocksDB's zlib blocks are raw deflate, but this compressor makes {format}: build it with \
         Format::RawDeflate, or use Schema::Custom"
    )]
    Format {
        /// What the compressor makes.
        format: uadk_compress::Format,
    },
    /// The name of a [`Schema::Custom`](crate::Schema::Custom) can't be used.
    #[error(
        "{name:?} can't name a compression schema: use 1 to 64 ASCII letters, digits and \
         underscores, and no name that begins with Builtin, Uadk or nullptr"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The type of a [`Schema::Custom`](crate::Schema::Custom) is not one of RocksDB's custom ones.
    #[error(
        "compression type {compression_type:#04x} is not one of RocksDB's custom types, 0x80 to \
         0xfe"
    )]
    CompressionType {
        /// The type.
        compression_type: u8,
    },
    /// There was no memory for a manager.
    #[error("out of memory while making a RocksDB compression manager")]
    OutOfMemory,
}
