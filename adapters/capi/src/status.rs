//! The statuses that functions return.

#![allow(unsafe_code, reason = "exports a function to C")]

use std::ffi::{CStr, c_char};

use uadk_compress::Error;

/// What functions return.
///
/// ```c
/// size_t length;
/// uadk_status status =
///     uadk_compressor_compress(compressor, "abc", 3, destination, sizeof destination, &length);
/// if (status == UADK_STATUS_OUTPUT_FULL) {
///     puts("store the block uncompressed");
/// } else if (status != UADK_STATUS_OK) {
///     fprintf(stderr, "%s\n", uadk_compress_last_error());
/// }
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum uadk_status {
    /// Success.
    Ok = 0,
    /// The result does not fit into the destination. When compressing this is the normal result
    /// for a block that does not shrink enough: store it uncompressed.
    OutputFull = 1,
    /// The compressed block is damaged, or of another format.
    Corrupt = 2,
    /// The library can't do what was requested, whatever the data.
    Unsupported = 3,
    /// There is no usable accelerator, and `offload=require` demands one. Never returned for a
    /// block.
    Unavailable = 4,
    /// The caller passed a null pointer, a handle that is not alive, an unknown option, or
    /// something else that the function does not accept.
    InvalidArgument = 5,
    /// A bug in the library.
    Internal = 6,
}

impl From<&Error> for uadk_status {
    fn from(error: &Error) -> Self {
        match error {
            Error::OutputFull => Self::OutputFull,
            Error::Corrupt => Self::Corrupt,
            Error::Unsupported(_) => Self::Unsupported,
            Error::Busy
            | Error::Starting
            | Error::Device { .. }
            | Error::TimedOut
            | Error::Unavailable(_) => Self::Unavailable,
            // `WrongLength` and `NotDone` are an engine's bugs.
            _ => Self::Internal,
        }
    }
}

/// Returns a short English text for a status, or for any other number. It is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn uadk_status_text(status: i32) -> *const c_char {
    const TEXTS: [&CStr; 7] = [
        c"success",
        c"the result does not fit into the destination",
        c"the compressed block is damaged or of another format",
        c"not supported",
        c"no accelerator",
        c"invalid argument",
        c"internal error",
    ];
    let known = usize::try_from(status).ok().and_then(|number| TEXTS.get(number));
    known.copied().unwrap_or(c"unknown status").as_ptr()
}
