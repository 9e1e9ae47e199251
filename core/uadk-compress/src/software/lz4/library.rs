//! The calls to liblz4.
//!
//! `lz4-sys` builds the library, but does not declare the functions that take a stream or a
//! dictionary. Without these, each block would cost an allocation or 16 KiB of stack. The
//! declarations are those of `lz4.h` and `lz4hc.h` 1.10.

#![allow(unsafe_code, reason = "calls liblz4")]

use std::ffi::{c_char, c_int};
use std::marker::{PhantomData, PhantomPinned};
use std::ptr::NonNull;

// Links the library.
use lz4_sys as _;

/// `LZ4_stream_t`, 16 KiB.
#[repr(C)]
struct Lz4Stream {
    opaque: [u8; 0],
    marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// `LZ4_streamHC_t`, 256 KiB.
#[repr(C)]
struct Lz4StreamHc {
    opaque: [u8; 0],
    marker: PhantomData<(*mut u8, PhantomPinned)>,
}

unsafe extern "C" {
    fn LZ4_createStream() -> *mut Lz4Stream;
    fn LZ4_freeStream(stream: *mut Lz4Stream) -> c_int;
    fn LZ4_compress_fast_extState(
        state: *mut Lz4Stream,
        src: *const c_char,
        dst: *mut c_char,
        src_len: c_int,
        dst_capacity: c_int,
        acceleration: c_int,
    ) -> c_int;
    fn LZ4_resetStream_fast(stream: *mut Lz4Stream);
    fn LZ4_loadDict(stream: *mut Lz4Stream, dictionary: *const c_char, len: c_int) -> c_int;
    fn LZ4_attach_dictionary(stream: *mut Lz4Stream, dictionary: *const Lz4Stream);
    fn LZ4_compress_fast_continue(
        stream: *mut Lz4Stream,
        src: *const c_char,
        dst: *mut c_char,
        src_len: c_int,
        dst_capacity: c_int,
        acceleration: c_int,
    ) -> c_int;
    fn LZ4_createStreamHC() -> *mut Lz4StreamHc;
    fn LZ4_freeStreamHC(stream: *mut Lz4StreamHc) -> c_int;
    fn LZ4_compress_HC_extStateHC(
        state: *mut Lz4StreamHc,
        src: *const c_char,
        dst: *mut c_char,
        src_len: c_int,
        dst_capacity: c_int,
        level: c_int,
    ) -> c_int;
    fn LZ4_resetStreamHC_fast(stream: *mut Lz4StreamHc, level: c_int);
    fn LZ4_loadDictHC(stream: *mut Lz4StreamHc, dictionary: *const c_char, len: c_int) -> c_int;
    fn LZ4_attach_HC_dictionary(stream: *mut Lz4StreamHc, dictionary: *const Lz4StreamHc);
    fn LZ4_compress_HC_continue(
        stream: *mut Lz4StreamHc,
        src: *const c_char,
        dst: *mut c_char,
        src_len: c_int,
        dst_capacity: c_int,
    ) -> c_int;
    fn LZ4_decompress_safe_usingDict(
        src: *const c_char,
        dst: *mut c_char,
        src_len: c_int,
        dst_capacity: c_int,
        dictionary: *const c_char,
        dictionary_len: c_int,
    ) -> c_int;
}

/// Returns a length as the library takes it. A capacity of more than it can express is larger than
/// any result.
fn int(len: usize) -> c_int {
    c_int::try_from(len).unwrap_or(c_int::MAX)
}

/// Returns the number of bytes written, or `None` if the result did not fit.
fn written(result: c_int) -> Option<usize> {
    usize::try_from(result).ok().filter(|&len| len > 0)
}

/// The fast encoder's stream.
pub(super) struct FastStream(NonNull<Lz4Stream>);

// SAFETY: the stream is owned, and calls that change it take `&mut`. As an attached dictionary it
// is only read.
unsafe impl Send for FastStream {}
// SAFETY: as above.
unsafe impl Sync for FastStream {}

impl FastStream {
    /// Creates a stream. Returns `None` if out of memory.
    pub(super) fn new() -> Option<Self> {
        // SAFETY: allocates and initialises a stream.
        NonNull::new(unsafe { LZ4_createStream() }).map(Self)
    }

    /// Creates a stream that has loaded a dictionary, to be passed to
    /// [`compress_with_dictionary`](Self::compress_with_dictionary) while `bytes` exist.
    pub(super) fn with_dictionary(bytes: &[u8]) -> Option<Self> {
        let stream = Self::new()?;
        // SAFETY: the stream is initialised, and the library reads `bytes` within their length.
        unsafe { LZ4_loadDict(stream.0.as_ptr(), bytes.as_ptr().cast(), int(bytes.len())) };
        Some(stream)
    }

    /// Compresses a block of 1 to `LZ4_MAX_INPUT_SIZE` bytes.
    pub(super) fn compress(
        &mut self,
        src: &[u8],
        dst: &mut [u8],
        acceleration: i32,
    ) -> Option<usize> {
        // SAFETY: the state is aligned, as large as the library needs, and initialised by the call.
        // The library reads and writes the slices within their lengths.
        written(unsafe {
            LZ4_compress_fast_extState(
                self.0.as_ptr(),
                src.as_ptr().cast(),
                dst.as_mut_ptr().cast(),
                int(src.len()),
                int(dst.len()),
                acceleration,
            )
        })
    }

    /// Compresses a block of 1 to `LZ4_MAX_INPUT_SIZE` bytes that may refer to the dictionary which
    /// `dictionary` has loaded.
    pub(super) fn compress_with_dictionary(
        &mut self,
        dictionary: &Self,
        src: &[u8],
        dst: &mut [u8],
        acceleration: i32,
    ) -> Option<usize> {
        let stream = self.0.as_ptr();
        // SAFETY: the stream has been initialised when it was created, and every call leaves it so.
        unsafe { LZ4_resetStream_fast(stream) };
        // SAFETY: the dictionary's stream and bytes exist until the end of this function; the next
        // call detaches them.
        unsafe { LZ4_attach_dictionary(stream, dictionary.0.as_ptr()) };
        // SAFETY: the library reads and writes the slices within their lengths.
        let result = written(unsafe {
            LZ4_compress_fast_continue(
                stream,
                src.as_ptr().cast(),
                dst.as_mut_ptr().cast(),
                int(src.len()),
                int(dst.len()),
                acceleration,
            )
        });
        // SAFETY: as above; a dictionary of null detaches it.
        unsafe { LZ4_attach_dictionary(stream, std::ptr::null()) };
        result
    }
}

impl Drop for FastStream {
    fn drop(&mut self) {
        // SAFETY: owned, and freed once.
        unsafe { LZ4_freeStream(self.0.as_ptr()) };
    }
}

/// LZ4 HC's stream.
pub(super) struct HcStream(NonNull<Lz4StreamHc>);

// SAFETY: the stream is owned, and calls that change it take `&mut`. As an attached dictionary it
// is only read.
unsafe impl Send for HcStream {}
// SAFETY: as above.
unsafe impl Sync for HcStream {}

impl HcStream {
    /// Creates a stream. Returns `None` if out of memory.
    pub(super) fn new() -> Option<Self> {
        // SAFETY: allocates and initialises a stream.
        NonNull::new(unsafe { LZ4_createStreamHC() }).map(Self)
    }

    /// Creates a stream that has loaded a dictionary, to be passed to
    /// [`compress_with_dictionary`](Self::compress_with_dictionary) while `bytes` exist.
    pub(super) fn with_dictionary(bytes: &[u8], level: i32) -> Option<Self> {
        let stream = Self::new()?;
        // SAFETY: the stream is initialised.
        unsafe { LZ4_resetStreamHC_fast(stream.0.as_ptr(), level) };
        // SAFETY: the library reads `bytes` within their length.
        unsafe { LZ4_loadDictHC(stream.0.as_ptr(), bytes.as_ptr().cast(), int(bytes.len())) };
        Some(stream)
    }

    /// Compresses a block of 1 to `LZ4_MAX_INPUT_SIZE` bytes.
    pub(super) fn compress(&mut self, src: &[u8], dst: &mut [u8], level: i32) -> Option<usize> {
        // SAFETY: the state is aligned, as large as the library needs, and initialised by the call.
        // The library reads and writes the slices within their lengths.
        written(unsafe {
            LZ4_compress_HC_extStateHC(
                self.0.as_ptr(),
                src.as_ptr().cast(),
                dst.as_mut_ptr().cast(),
                int(src.len()),
                int(dst.len()),
                level,
            )
        })
    }

    /// Compresses a block of 1 to `LZ4_MAX_INPUT_SIZE` bytes that may refer to the dictionary which
    /// `dictionary` has loaded.
    pub(super) fn compress_with_dictionary(
        &mut self,
        dictionary: &Self,
        src: &[u8],
        dst: &mut [u8],
        level: i32,
    ) -> Option<usize> {
        let stream = self.0.as_ptr();
        // SAFETY: the stream has been initialised when it was created. After a failed call, this
        // initialises it completely.
        unsafe { LZ4_resetStreamHC_fast(stream, level) };
        // SAFETY: the dictionary's stream and bytes exist until the end of this function; the next
        // call detaches them.
        unsafe { LZ4_attach_HC_dictionary(stream, dictionary.0.as_ptr()) };
        // SAFETY: the library reads and writes the slices within their lengths.
        let result = written(unsafe {
            LZ4_compress_HC_continue(
                stream,
                src.as_ptr().cast(),
                dst.as_mut_ptr().cast(),
                int(src.len()),
                int(dst.len()),
            )
        });
        // SAFETY: as above; a dictionary of null detaches it.
        unsafe { LZ4_attach_HC_dictionary(stream, std::ptr::null()) };
        result
    }
}

impl Drop for HcStream {
    fn drop(&mut self) {
        // SAFETY: owned, and freed once.
        unsafe { LZ4_freeStreamHC(self.0.as_ptr()) };
    }
}

/// Decompresses a block that may refer to `dictionary`. Returns `None` if it is malformed or longer
/// than `dst`.
pub(super) fn decompress(src: &[u8], dst: &mut [u8], dictionary: &[u8]) -> Option<usize> {
    if src.len() > c_int::MAX as usize || dictionary.len() > c_int::MAX as usize {
        return None;
    }
    // SAFETY: the library reads and writes the slices within their lengths, whatever `src` holds.
    let len = unsafe {
        LZ4_decompress_safe_usingDict(
            src.as_ptr().cast(),
            dst.as_mut_ptr().cast(),
            int(src.len()),
            int(dst.len()),
            dictionary.as_ptr().cast(),
            int(dictionary.len()),
        )
    };
    usize::try_from(len).ok()
}
