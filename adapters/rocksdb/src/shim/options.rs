//! Managers in `rocksdb::Options`.

use std::ffi::c_char;

use librocksdb_sys::rocksdb_options_t;
use rocksdb::{AsRawPtr, Options};

use super::{CodecFunctions, FUNCTIONS, Setup, setup, text};
use crate::codec::Codecs;
use crate::schema::Schema;

unsafe extern "C" {
    fn uadk_compress_has_foreign_schema(
        options: *const rocksdb_options_t,
        name: *mut c_char,
        len: usize,
    ) -> bool;
    fn uadk_compress_set_manager(
        options: *mut rocksdb_options_t,
        functions: *const CodecFunctions,
        setup: *const Setup,
    ) -> bool;
    fn uadk_compress_clear_manager(options: *mut rocksdb_options_t);
}

/// Returns the name of the schema that the manager in `options` has, if it is not RocksDB's own.
pub(crate) fn foreign_schema(options: &Options) -> Option<String> {
    let mut name = [0_u8; 256];
    // SAFETY: the pointer is not used longer than the borrow of `options` lasts.
    let raw = unsafe { options.as_raw_ptr() };
    // SAFETY: `raw` points to live options, whose layout has been checked (`version::check`) and
    // that nothing changes meanwhile; the function writes at most `len` bytes, and the array has
    // that many.
    let foreign =
        unsafe { uadk_compress_has_foreign_schema(raw, name.as_mut_ptr().cast(), name.len()) };
    foreign.then(|| text(&name))
}

/// Sets a manager in `options`, around the one that is there; returns `false` if there is not
/// enough memory for it.
pub(crate) fn set_manager(options: &mut Options, codecs: Codecs, schema: &Schema) -> bool {
    let setup = setup(codecs, schema);
    // SAFETY: the pointer is not used longer than the borrow of `options` lasts.
    let raw = unsafe { options.as_raw_ptr() };
    // SAFETY: `raw` points to live options that nothing else uses, as they are borrowed mutably;
    // their layout has been checked (`version::check`); the function takes ownership of the setup's
    // codecs.
    unsafe { uadk_compress_set_manager(raw, &raw const FUNCTIONS, &raw const setup) }
}

/// Undoes [`set_manager`], except for the compression type.
pub(crate) fn clear_manager(options: &mut Options) {
    // SAFETY: as in `set_manager`.
    let raw = unsafe { options.as_raw_ptr() };
    // SAFETY: as in `set_manager`.
    unsafe { uadk_compress_clear_manager(raw) };
}
