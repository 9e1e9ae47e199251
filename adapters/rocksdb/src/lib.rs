//! RocksDB column families compressed by any [`BlockCompressor`](uadk_compress::BlockCompressor).
//!
//! One line makes a column family's zlib blocks ours, in RocksDB's own zlib files:
//!
//! ```
//! use rocksdb::{DB, Options};
//! use uadk_compress::Compressor;
//! use uadk_compress_rocksdb::{OptionsExt, Schema};
//!
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path();
//! let compressor = Compressor::builder().build()?;
//! let mut options = Options::default();
//! options.create_if_missing(true);
//! options.set_block_compressor(compressor.clone(), Schema::Stock)?;
//!
//! let db = DB::open(&options, path)?;
//! db.put(b"key", b"value ".repeat(1000))?;
//! db.flush()?;
//! println!("{}", compressor.stats());
//! # assert!(compressor.stats().software.compress.blocks > 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Schema`] says which files are made, [`register`] lets OPTIONS files, option strings and plain
//! [`DB::open`](rocksdb::DB::open) find a compressor by name, [`incidents`] counts what should
//! never happen.
//!
//! # What RocksDB decides, and what is decided here
//!
//! RocksDB chooses per file and level whether to compress and at which level:
//! `compression_per_level`, `bottommost_compression` and its options, `parallel_threads` and
//! `max_compressed_bytes_per_kb` work as always. A block that the compressor does not make small
//! enough is stored as it is, and so is one that it fails on: writing never fails because of us.
//! When reading, only data that is damaged is reported as `Corruption`; a compressor that fails is
//! an `IOError`.
//!
//! A level in `CompressionOptions` (rust-rocksdb: `set_compression_options`) is asked of the
//! compressor: 1 to 12 as they are, 0 and less as [`Level::FASTEST`](uadk_compress::Level::FASTEST).
//! RocksDB's default and zlib's -1 mean the compressor's own level. `window_bits` and `strategy`
//! have no effect: they are for RocksDB's own zlib, which does the blocks with a dictionary.
//!
//! Under [`Schema::Stock`] the compressor is asked for a window of 16 KiB
//! ([`Settings::window`](uadk_compress::Settings::window)), whatever `window_bits` says: RocksDB's
//! readers have one of that size. The device and `block-deflate` (level 1 and the fastest) keep to
//! it. libdeflate (levels from 2 on) can't be told: in blocks longer than 16 KiB its matches reach
//! back up to 32 KiB. RocksDB's readers decode that, too, since they inflate a block in one call.
//! Under [`Schema::Custom`] the window is the compressor's own.
//!
//! Blob files, the compressed secondary cache and the WAL always use RocksDB's own codecs, and so do
//! reads of files of format version 6 and older. Data blocks with a dictionary (`max_dict_bytes`)
//! are RocksDB's own under [`Schema::Stock`]; under [`Schema::Custom`] there are no dictionaries.

mod codec;
mod error;
mod incidents;
mod options;
mod registered;
mod registry;
mod schema;
#[allow(unsafe_code, reason = "calls the C++ shim, and is called by it")]
mod shim;
mod size_prefix;
mod version;

pub use error::Error;
pub use incidents::{Incidents, incidents};
pub use options::OptionsExt;
pub use registry::register;
/// The crate whose options [`OptionsExt`] extends.
pub use rocksdb;
pub use schema::Schema;
/// What compresses and decompresses blocks.
pub use uadk_compress;
