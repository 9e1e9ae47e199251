//! RocksDB column families compressed by any [`BlockCompressor`](uadk_compress::BlockCompressor).
//!
//! One line sets the compressors of a column family's zlib, zstd and LZ4 blocks, in RocksDB's own
//! files:
//!
//! ```
//! use rocksdb::{DB, Options};
//! use uadk_compress::{Compressor, Format};
//! use uadk_compress_rocksdb::{OptionsExt, Schema};
//!
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path();
//! // Or `BlockCompressors::all()?`, for all three.
//! let compressor = Compressor::builder().format(Format::Zstd).build()?;
//! let mut options = Options::default();
//! options.create_if_missing(true);
//! options.set_block_compressor(compressor.clone(), Schema::Stock)?;
//!
//! let db = DB::open(&options, path)?;
//! db.put(b"key", b"value ".repeat(1000))?;
//! db.flush()?;
//! println!("{}", compressor.stats());
//! # assert!(compressor.stats().together().compress.blocks > 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Schema`] chooses the kind of files, [`register`] lets OPTIONS files, option strings and plain
//! [`DB::open`](rocksdb::DB::open) find a compressor by name, [`incidents`] counts failures that
//! should never happen.
//!
//! # What RocksDB decides, and what this crate decides
//!
//! RocksDB chooses per file and level whether to compress and at which level:
//! `compression_per_level`, `bottommost_compression` and its options, `parallel_threads` and
//! `max_compressed_bytes_per_kb` work as always. A block that does not get small enough, or that
//! the compressor fails on, is stored uncompressed: writes never fail because of this crate. When
//! reading, only damaged data is reported as `Corruption`; a compressor that fails is an `IOError`.
//!
//! A level in `CompressionOptions` (rust-rocksdb: `set_compression_options`) means what it means to
//! RocksDB. Its default level leaves the choice to the compressor.
//!
//! | type | levels |
//! |---|---|
//! | zlib, custom | 1 to 12; below, the fastest; but -1, zlib's default, is the compressor's own |
//! | zstd | -131072 to 22; 0 is 3 |
//! | LZ4, by default 1 | up to 0, LZ4: negative numbers are the acceleration; above, LZ4HC |
//! | LZ4HC, by default 9 | the same (before RocksDB 11.8, each type has its own levels alone) |
//!
//! `window_bits` and `strategy` have no effect: they are for RocksDB's own zlib, which compresses
//! the blocks with a dictionary. `checksum` applies to zstd.
//!
//! Under [`Schema::Stock`] a compressor of deflate is asked for a window of 16 KiB
//! ([`Settings::window`](uadk_compress::Settings::window)), whatever `window_bits` says: RocksDB's
//! readers have one of that size. The device and `block-deflate` (level 1 and the fastest) respect
//! it. libdeflate (levels 2 and up) has no such setting: in blocks longer than 16 KiB its matches
//! reach back up to 32 KiB. RocksDB's readers decode that too, since they inflate a block in one
//! call. Under [`Schema::Custom`] the window is the compressor's own.
//!
//! Blob files, the compressed secondary cache and the WAL always use RocksDB's own codecs, and so
//! do reads of files of format version 6 and older. Under [`Schema::Stock`], zstd and LZ4 blocks
//! may have a dictionary (`max_dict_bytes`), which is digested once per file; zlib blocks with one
//! are left to RocksDB's own codec. Under [`Schema::Custom`], dictionaries are not used.

mod codec;
mod compressors;
mod error;
mod incidents;
#[cfg(feature = "raw-ptr")]
mod options;
mod registered;
mod registry;
mod schema;
#[allow(unsafe_code, reason = "calls the C++ shim, and is called by it")]
mod shim;
mod size_prefix;
mod version;

pub use compressors::BlockCompressors;
pub use error::Error;
pub use incidents::{Incidents, incidents};
#[cfg(feature = "raw-ptr")]
pub use options::OptionsExt;
pub use registry::register;
/// The crate whose options [`OptionsExt`] extends.
pub use rocksdb;
pub use schema::Schema;
/// The crate that compresses and decompresses blocks.
pub use uadk_compress;

/// Runs the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
