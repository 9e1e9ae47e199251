//! The FFI boundary with the C++ shim: the functions of `shim/options.cc`, and those that it calls.
//!
//! Nothing is decided here. No function that C++ calls unwinds: each runs its work under [`guard`].

use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::offset_of;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;

use parking_lot::Mutex;

use crate::codec::{Answer, Codec, Codecs};
use crate::registered;
use crate::schema::Schema;

#[cfg(feature = "raw-ptr")]
pub(crate) mod options;

/// Mirrors `TypedCodec` in shim/codec.h, which asserts the same sizes and offsets as below.
#[derive(Clone, Copy)]
#[repr(C)]
struct TypedCodec {
    codec: *const c_void,
    compression_type: u8,
}

/// The most types that a schema's compressors handle.
const MAX_CODECS: usize = 8;

/// Mirrors `Setup` in shim/codec.h, which asserts the same sizes and offsets as below.
#[repr(C)]
struct Setup {
    codecs: [TypedCodec; MAX_CODECS],
    name: *const c_char,
    count: u8,
    preferred: u8,
    stock: u8,
}

/// `Setup::preferred` if the options keep their type: RocksDB's `kDisableCompressionOption`.
const NO_TYPE: u8 = 0xff;

/// Mirrors `CodecFunctions` in shim/codec.h.
#[repr(C)]
struct CodecFunctions {
    clone: unsafe extern "C" fn(*const c_void) -> *const c_void,
    with_options: unsafe extern "C" fn(*const c_void, i32, bool) -> *const c_void,
    with_dictionary: unsafe extern "C" fn(*const c_void, *const u8, usize) -> *const c_void,
    release: unsafe extern "C" fn(*const c_void),
    compress:
        unsafe extern "C" fn(*const c_void, *const u8, usize, *mut u8, usize, *mut usize) -> Answer,
    uncompressed_size:
        unsafe extern "C" fn(*const c_void, *const u8, usize, *mut usize, *mut u64) -> Answer,
    decompress: unsafe extern "C" fn(*const c_void, *const u8, usize, *mut u8, usize) -> Answer,
    find: unsafe extern "C" fn(*const c_char, *mut Setup) -> bool,
}

// The assertions in shim/codec.h have the same numbers.
const _: () = {
    assert!(size_of::<Answer>() == 4);
    assert!(Answer::Done as i32 == 0 && Answer::Rejected as i32 == 1);
    assert!(Answer::Bypassed as i32 == 2 && Answer::Corrupt as i32 == 3);
    assert!(Answer::Failed as i32 == 4);

    assert!(size_of::<TypedCodec>() == 16 && offset_of!(TypedCodec, compression_type) == 8);
    assert!(size_of::<Setup>() == 144 && align_of::<Setup>() == 8);
    assert!(offset_of!(Setup, codecs) == 0 && offset_of!(Setup, name) == 128);
    assert!(offset_of!(Setup, count) == 136 && offset_of!(Setup, preferred) == 137);
    assert!(offset_of!(Setup, stock) == 138);

    assert!(size_of::<CodecFunctions>() == 64 && align_of::<CodecFunctions>() == 8);
    assert!(offset_of!(CodecFunctions, clone) == 0);
    assert!(offset_of!(CodecFunctions, with_options) == 8);
    assert!(offset_of!(CodecFunctions, with_dictionary) == 16);
    assert!(offset_of!(CodecFunctions, release) == 24);
    assert!(offset_of!(CodecFunctions, compress) == 32);
    assert!(offset_of!(CodecFunctions, uncompressed_size) == 40);
    assert!(offset_of!(CodecFunctions, decompress) == 48);
    assert!(offset_of!(CodecFunctions, find) == 56);
};

static FUNCTIONS: CodecFunctions = CodecFunctions {
    clone,
    with_options,
    with_dictionary,
    release,
    compress,
    uncompressed_size,
    decompress,
    find,
};

unsafe extern "C" {
    fn uadk_compress_header_version(version: *mut u32);
    fn uadk_compress_linked_version(version: *mut c_char, len: usize);
    fn uadk_compress_layout_agrees() -> bool;
    fn uadk_compress_register(functions: *const CodecFunctions, name: *const c_char) -> bool;
}

/// Returns the version of RocksDB's headers that the shim was compiled with.
pub(crate) fn header_version() -> [u32; 3] {
    let mut version = [0; 3];
    // SAFETY: the function writes three numbers, and the array has three.
    unsafe { uadk_compress_header_version(version.as_mut_ptr()) };
    version
}

/// Returns the version that the linked library reports.
pub(crate) fn linked_version() -> String {
    let mut version = [0_u8; 64];
    // SAFETY: the function writes at most `len` bytes, and the array has that many.
    unsafe { uadk_compress_linked_version(version.as_mut_ptr().cast(), version.len()) };
    text(&version)
}

/// Returns the text that C++ wrote to a buffer.
fn text(buffer: &[u8]) -> String {
    CStr::from_bytes_until_nul(buffer).unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns whether the linked library lays its options out as the headers say. Call it only if the
/// versions agree.
pub(crate) fn layout_agrees() -> bool {
    // SAFETY: the function reads options that RocksDB has created, through declarations of the same
    // version: the caller has compared the versions.
    unsafe { uadk_compress_layout_agrees() }
}

/// Makes RocksDB ask [`registered::find`] for managers of this name; returns `false` if there is
/// not enough memory for it.
pub(crate) fn register_name(name: &str) -> bool {
    // SAFETY: both pointers are to data that lives as long as the process.
    unsafe { uadk_compress_register(&raw const FUNCTIONS, static_name(name)) }
}

fn setup(codecs: Codecs, schema: &Schema) -> Setup {
    let none = TypedCodec { codec: std::ptr::null(), compression_type: NO_TYPE };
    let mut setup = Setup {
        codecs: [none; MAX_CODECS],
        name: static_name(schema.name()),
        count: 0,
        preferred: codecs.preferred.unwrap_or(NO_TYPE),
        stock: u8::from(*schema == Schema::Stock),
    };
    for (slot, codec) in setup.codecs.iter_mut().zip(codecs.by_type) {
        let compression_type = codec.compression_type;
        *slot = TypedCodec { codec: into_raw(codec), compression_type };
        setup.count += 1;
    }
    setup
}

/// Returns the name as a C string that lives as long as the process. RocksDB keeps pointers to
/// names. A program has only a few, so each is created once and never freed.
fn static_name(name: &str) -> *const c_char {
    static NAMES: Mutex<Vec<&'static CStr>> = Mutex::new(Vec::new());
    let mut names = NAMES.lock();
    if let Some(known) = names.iter().find(|known| known.to_bytes() == name.as_bytes()) {
        return known.as_ptr();
    }
    // Names have been checked (`Schema::check`): they do not contain NUL.
    let made: &'static CStr = Box::leak(CString::new(name).unwrap_or_default().into_boxed_c_str());
    names.push(made);
    made.as_ptr()
}

/// Runs `work`. Returns `fallback` if it panics, which a compressor or the program's logger may do.
fn guard<R>(fallback: R, work: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        // Dropping the payload may panic as well.
        std::mem::forget(payload);
        fallback
    })
}

/// Passes a codec to C++, which owns it until [`release`].
fn into_raw(codec: Codec) -> *const c_void {
    Box::into_raw(Box::new(codec)).cast_const().cast()
}

/// Borrows the codec behind a pointer from C++.
///
/// # Safety
///
/// `codec` is from [`into_raw`] and has not been released; it is not released during `'a`.
unsafe fn borrow<'a>(codec: *const c_void) -> &'a Codec {
    // SAFETY: the caller guarantees that it is a live codec.
    unsafe { &*codec.cast::<Codec>() }
}

/// Borrows bytes from C++.
///
/// # Safety
///
/// `data` points to `len` bytes that nothing changes during `'a`, or `len` is 0.
unsafe fn bytes<'a>(data: *const u8, len: usize) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller guarantees it.
    unsafe { slice::from_raw_parts(data, len) }
}

/// Borrows a buffer from C++.
///
/// # Safety
///
/// `data` points to `len` bytes that nothing else uses during `'a`, or `len` is 0. They may be
/// fresh from C++'s allocator: to Rust, such memory has unspecified contents, and it is written
/// before it is read.
unsafe fn buffer<'a>(data: *mut u8, len: usize) -> &'a mut [u8] {
    if len == 0 {
        return &mut [];
    }
    // SAFETY: the caller guarantees it.
    unsafe { slice::from_raw_parts_mut(data, len) }
}

unsafe extern "C" fn clone(codec: *const c_void) -> *const c_void {
    // SAFETY: C++ passes codecs that it owns.
    let codec = unsafe { borrow(codec) };
    // Cloning increments a reference count, which can't panic.
    into_raw(codec.clone())
}

unsafe extern "C" fn with_options(
    codec: *const c_void,
    level: i32,
    checksum: bool,
) -> *const c_void {
    // SAFETY: C++ passes codecs that it owns.
    let codec = unsafe { borrow(codec) };
    into_raw(guard(codec.clone(), || codec.with_options(level, checksum)))
}

unsafe extern "C" fn with_dictionary(
    codec: *const c_void,
    dictionary: *const u8,
    len: usize,
) -> *const c_void {
    // SAFETY: C++ passes codecs that it owns.
    let codec = unsafe { borrow(codec) };
    // SAFETY: RocksDB passes a dictionary and does not change it meanwhile.
    let dictionary = unsafe { bytes(dictionary, len) };
    guard(None, || codec.with_dictionary(dictionary)).map_or(std::ptr::null(), into_raw)
}

unsafe extern "C" fn release(codec: *const c_void) {
    // SAFETY: it is from `into_raw`, and C++ returns its ownership.
    let codec = unsafe { Box::from_raw(codec.cast_mut().cast::<Codec>()) };
    guard((), || drop(codec));
}

unsafe extern "C" fn compress(
    codec: *const c_void,
    src: *const u8,
    src_len: usize,
    dst: *mut u8,
    dst_len: usize,
    written: *mut usize,
) -> Answer {
    // SAFETY: C++ passes a codec that it owns.
    let codec = unsafe { borrow(codec) };
    // SAFETY: RocksDB passes a block and does not change it meanwhile.
    let src = unsafe { bytes(src, src_len) };
    // SAFETY: RocksDB passes a buffer for this block alone.
    let dst = unsafe { buffer(dst, dst_len) };
    let (answer, len) = guard((Answer::Bypassed, 0), || codec.compress(src, dst));
    // SAFETY: the shim passes the address of a variable of its own.
    unsafe { written.write(len) };
    answer
}

unsafe extern "C" fn uncompressed_size(
    codec: *const c_void,
    src: *const u8,
    src_len: usize,
    prefix_len: *mut usize,
    size: *mut u64,
) -> Answer {
    // SAFETY: C++ passes a codec that it owns.
    let codec = unsafe { borrow(codec) };
    // SAFETY: RocksDB passes a block and does not change it meanwhile.
    let src = unsafe { bytes(src, src_len) };
    let Some((len, claimed)) = guard(None, || codec.uncompressed_size(src)) else {
        return Answer::Corrupt;
    };
    // SAFETY: the shim passes the address of a variable of its own.
    unsafe { prefix_len.write(len) };
    // SAFETY: the shim passes the address of RocksDB's own variable.
    unsafe { size.write(u64::from(claimed)) };
    Answer::Done
}

unsafe extern "C" fn decompress(
    codec: *const c_void,
    src: *const u8,
    src_len: usize,
    dst: *mut u8,
    dst_len: usize,
) -> Answer {
    // SAFETY: C++ passes a codec that it owns.
    let codec = unsafe { borrow(codec) };
    // SAFETY: RocksDB passes a block and does not change it meanwhile.
    let src = unsafe { bytes(src, src_len) };
    // SAFETY: RocksDB passes a buffer of the size reported to it, for this block alone.
    let dst = unsafe { buffer(dst, dst_len) };
    guard(Answer::Failed, || codec.decompress(src, dst))
}

unsafe extern "C" fn find(name: *const c_char, found: *mut Setup) -> bool {
    // SAFETY: the shim passes a C++ string's characters, which end in NUL.
    let name = unsafe { CStr::from_ptr(name) };
    let Some(setup) = guard(None, || {
        let (codecs, schema) = registered::find(name.to_str().ok()?)?;
        Some(setup(codecs, &schema))
    }) else {
        return false;
    };
    // SAFETY: the shim passes the address of a variable of its own.
    unsafe { found.write(setup) };
    true
}
