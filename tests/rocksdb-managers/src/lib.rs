//! Compression managers of C++ programs, set in `rocksdb::Options`.

#![allow(unsafe_code, reason = "calls C++")]

use std::ffi::c_void;

use librocksdb_sys::rocksdb_options_t;
use rocksdb::{AsRawPtr, Options};

/// A compression manager.
#[derive(Clone, Copy, Debug)]
pub enum Manager {
    /// RocksDB's own that skips blocks which probably don't compress.
    AutoSkip,
    /// RocksDB's own that chooses type and level of each block by their costs.
    CostAware,
    /// Compresses all files with one of RocksDB's types, whatever their options say.
    Chooser(u8),
    /// Has a schema of its own.
    Foreign,
}

unsafe extern "C" {
    fn rocksdb_managers_set(options: *mut rocksdb_options_t, kind: u8, compression_type: u8);
    fn rocksdb_managers_get(options: *const rocksdb_options_t) -> *const c_void;
}

/// Sets a manager in options.
pub fn set(options: &mut Options, manager: Manager) {
    let (kind, compression_type) = match manager {
        Manager::AutoSkip => (0, 0),
        Manager::CostAware => (1, 0),
        Manager::Chooser(compression_type) => (2, compression_type),
        Manager::Foreign => (3, 0),
    };
    // SAFETY: the pointer is not used longer than the borrow of `options` lasts.
    let raw = unsafe { options.as_raw_ptr() };
    // SAFETY: `raw` points to live options that nothing else uses, as they are borrowed mutably.
    // They have the layout of librocksdb-sys's headers, which its library is compiled with.
    unsafe { rocksdb_managers_set(raw, kind, compression_type) };
}

/// Returns the address of the manager in options, or 0 if there is none.
#[must_use]
pub fn address(options: &Options) -> usize {
    // SAFETY: as in `set`.
    let raw = unsafe { options.as_raw_ptr() };
    // SAFETY: as in `set`; the options are only read.
    unsafe { rocksdb_managers_get(raw) }.addr()
}
