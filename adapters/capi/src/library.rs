//! What belongs to no compressor: version, last error, probe, strings.

#![allow(unsafe_code, reason = "exports functions to C")]

use std::ffi::{CStr, CString, c_char};
use std::fmt::Write;

use uadk_compress::probe::{self, System};

use crate::failure::{attempt, c_string, last_error, status};

/// The major version of this header.
pub const UADK_COMPRESS_VERSION_MAJOR: u32 = 0;
/// The minor version of this header.
pub const UADK_COMPRESS_VERSION_MINOR: u32 = 1;
/// The patch version of this header.
pub const UADK_COMPRESS_VERSION_PATCH: u32 = 0;
/// As cbindgen.toml defines it for C.
const VERSION_NUMBER: u32 = (UADK_COMPRESS_VERSION_MAJOR << 16)
    | (UADK_COMPRESS_VERSION_MINOR << 8)
    | UADK_COMPRESS_VERSION_PATCH;

// cbindgen copies numbers, not the environment's: they change with the crate's version.
const _: () = {
    const fn is(text: &str, number: u32) -> bool {
        matches!(u32::from_str_radix(text, 10), Ok(parsed) if parsed == number)
    }
    assert!(is(env!("CARGO_PKG_VERSION_MAJOR"), UADK_COMPRESS_VERSION_MAJOR));
    assert!(is(env!("CARGO_PKG_VERSION_MINOR"), UADK_COMPRESS_VERSION_MINOR));
    assert!(is(env!("CARGO_PKG_VERSION_PATCH"), UADK_COMPRESS_VERSION_PATCH));
};

const VERSION: &CStr = {
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL"),
    }
};

/// Returns the version of the library, such as `"0.1.0"`. It is never freed.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn uadk_compress_version() -> *const c_char {
    VERSION.as_ptr()
}

/// Returns the version of the library as a number, like `UADK_COMPRESS_VERSION_NUMBER`.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn uadk_compress_version_number() -> u32 {
    VERSION_NUMBER
}

/// Returns the text for the last failure in the calling thread; empty if there was none. It is
/// valid until the thread calls this library again. Success does not clear it.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn uadk_compress_last_error() -> *const c_char {
    attempt(|| Ok(last_error())).unwrap_or(c"".as_ptr())
}

/// Returns what this machine offers for the accelerator, what is missing, and the remedies, as text
/// of several lines; null after a failure. The last line is `ready`, `software only` or `broken`.
/// Opens no device. Free it with `uadk_compress_string_free`.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn uadk_compress_probe() -> *mut c_char {
    let text = attempt(|| Ok(c_string(report(&probe::inspect(&System::host())))));
    text.map_or(std::ptr::null_mut(), CString::into_raw)
}

fn report(report: &probe::Report) -> String {
    let mut text = String::new();
    for item in &report.items {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:<8} {}: {}", item.state, item.topic, item.detail);
        if let Some(remedy) = &item.remedy {
            let _ = writeln!(text, "      -> {remedy}");
        }
    }
    let _ = writeln!(text, "{}", report.readiness());
    text
}

/// Frees a text that the library returned as `char *`; null is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uadk_compress_string_free(text: *mut c_char) {
    if !text.is_null() {
        let _ = status(|| {
            // SAFETY: the caller passes a text of this library, which is from `into_raw`.
            drop(unsafe { CString::from_raw(text) });
            Ok(())
        });
    }
}
