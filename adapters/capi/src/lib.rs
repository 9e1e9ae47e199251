//! The C ABI of [`uadk_compress`]: opaque handles, option strings, statuses.
//!
//! C and C++ programs include `uadk_compress.h`, which is generated from this crate, and link
//! `libuadk_compress`, which [cargo-c](https://crates.io/crates/cargo-c) builds and installs with a
//! pkg-config file:
//!
//! ```text
//! cargo cinstall --release -p uadk-compress-capi --prefix=/usr/local
//! ```
//!
//! The README has an example. Rust programs use [`uadk_compress`] itself, of which this crate is a
//! thin layer:
//!
//! | C | Rust |
//! |---|---|
//! | [`uadk_compressor_new`] | [`CompressorBuilder`], [`Policy`], [`UadkConfig`] |
//! | [`uadk_compressor_reconfigure`] | [`BlockCompressor::reconfigured`] |
//! | [`uadk_compressor_compress`], [`uadk_block`] | [`BlockCompressor`], [`Block`] |
//! | [`uadk_status`] | [`Error`](uadk_compress::Error) |
//! | [`uadk_stats`], [`uadk_compressor_stats_text`] | [`Stats`](uadk_compress::Stats) |
//! | [`uadk_compress_probe`] | [`probe`](uadk_compress::probe) |
//!
//! No panic leaves a function: it becomes [`uadk_status::Internal`].
//!
//! | module | what it holds |
//! |---|---|
//! | `handle` | the handle: a compressor, and the mark of a live one |
//! | `compressor` | the functions that make, change and free a compressor |
//! | `block` | compression and decompression, in batches or not |
//! | `stats`, `library` | counters; version, probe, last error |
//! | `options` | option strings |
//! | `failure`, `status` | errors and panics as statuses, the last error of each thread |
//! | `pointer` | the checks of all pointers from C |
//!
//! [`CompressorBuilder`]: uadk_compress::CompressorBuilder
//! [`Policy`]: uadk_compress::Policy
//! [`UadkConfig`]: uadk_compress::UadkConfig
//! [`Block`]: uadk_compress::Block
//! [`BlockCompressor`]: uadk_compress::BlockCompressor
//! [`BlockCompressor::reconfigured`]: uadk_compress::BlockCompressor::reconfigured

#![allow(non_camel_case_types, reason = "the names are those of the C header")]
#![allow(clippy::missing_safety_doc, reason = "the header states the rules for pointers once")]

// In the order of the header.
mod status;

mod handle;

mod compressor;

mod block;

mod stats;

mod library;

mod failure;
mod options;
mod pointer;

pub use block::{
    uadk_block, uadk_compressor_compress, uadk_compressor_compress_batch,
    uadk_compressor_decompress, uadk_compressor_decompress_batch,
    uadk_compressor_max_compressed_len, uadk_compressor_max_decompressed_len,
};
pub use compressor::{
    uadk_compressor_clone, uadk_compressor_free, uadk_compressor_new, uadk_compressor_reconfigure,
    uadk_compressor_set_offload,
};
pub use handle::uadk_compressor;
pub use library::{
    UADK_COMPRESS_VERSION_MAJOR, UADK_COMPRESS_VERSION_MINOR, UADK_COMPRESS_VERSION_PATCH,
    uadk_compress_last_error, uadk_compress_probe, uadk_compress_string_free,
    uadk_compress_version, uadk_compress_version_number,
};
pub use stats::{
    uadk_compressor_stats, uadk_compressor_stats_text, uadk_operation_stats, uadk_stats,
};
pub use status::{uadk_status, uadk_status_text};
