//! The checks of all pointers from C, and their conversions to references.

#![allow(unsafe_code, reason = "turns C's pointers into references")]

use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;
use std::slice;

use crate::failure::Failure;
use crate::uadk_compressor;

/// Borrows the compressor behind a handle.
///
/// # Safety
///
/// A handle that is neither null nor alive points to readable memory. A live one is not freed
/// during `'a`.
pub(crate) unsafe fn compressor<'a>(
    handle: *const uadk_compressor,
) -> Result<&'a uadk_compressor, Failure> {
    check(handle, "the compressor")?;
    // SAFETY: not null, aligned, and the caller guarantees that it is readable.
    if unsafe { uadk_compressor::is_alive(handle) } {
        // SAFETY: it has the mark of a live compressor, which the caller keeps alive.
        Ok(unsafe { &*handle })
    } else {
        Err(Failure::argument("the compressor has been freed, or is not a compressor"))
    }
}

/// Borrows an input.
///
/// # Safety
///
/// `data` is null or points to `len` bytes that nothing changes during `'a`.
pub(crate) unsafe fn source<'a>(
    data: *const c_void,
    len: usize,
    name: &str,
) -> Result<&'a [u8], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    check_buffer(data, len, name)?;
    // SAFETY: not null and not too long; the caller guarantees the rest.
    Ok(unsafe { slice::from_raw_parts(data.cast(), len) })
}

/// Borrows a destination.
///
/// # Safety
///
/// `data` is null or points to `len` bytes that nothing else uses during `'a`. They may be fresh
/// from C's allocator: to Rust, such memory has unspecified contents, and it is written before it
/// is read.
pub(crate) unsafe fn destination<'a>(
    data: *mut c_void,
    len: usize,
) -> Result<&'a mut [u8], Failure> {
    if len == 0 {
        return Ok(&mut []);
    }
    check_buffer(data, len, "the destination")?;
    // SAFETY: not null and not too long; the caller guarantees the rest.
    Ok(unsafe { slice::from_raw_parts_mut(data.cast(), len) })
}

/// Borrows a place for a result.
///
/// # Safety
///
/// `place` is null or points to writable memory for a `T`, which nothing else uses during `'a`.
pub(crate) unsafe fn place<'a, T>(
    place: *mut T,
    name: &str,
) -> Result<&'a mut MaybeUninit<T>, Failure> {
    check(place, name)?;
    // SAFETY: not null and aligned; the caller guarantees the rest.
    Ok(unsafe { &mut *place.cast() })
}

/// Borrows a text; empty if it is null.
///
/// # Safety
///
/// `text` is null or ends with NUL, and nothing changes it during `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str, Failure> {
    if text.is_null() {
        return Ok("");
    }
    // SAFETY: not null; the caller guarantees the rest.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| Failure::argument(format!("{name}: not UTF-8")))
}

/// Checks a pointer to a value.
pub(crate) fn check<T>(pointer: *const T, name: &str) -> Result<(), Failure> {
    if pointer.is_null() {
        Err(Failure::argument(format!("{name} is null")))
    } else if pointer.is_aligned() {
        Ok(())
    } else {
        Err(Failure::argument(format!("{name} is misaligned")))
    }
}

/// Checks a pointer to the first of `count` values.
pub(crate) fn check_array<T>(first: *const T, count: usize, name: &str) -> Result<(), Failure> {
    if count == 0 {
        return Ok(());
    }
    check(first, name)?;
    check_len(count.saturating_mul(size_of::<T>()), name)
}

/// Checks that the buffers of a block do not overlap.
pub(crate) fn check_disjoint(
    src: *const c_void,
    src_len: usize,
    dst: *const c_void,
    dst_len: usize,
) -> Result<(), Failure> {
    let (src, dst) = (src.addr(), dst.addr());
    let apart = src.saturating_add(src_len) <= dst || dst.saturating_add(dst_len) <= src;
    if src_len == 0 || dst_len == 0 || apart {
        Ok(())
    } else {
        Err(Failure::argument("the source and the destination overlap"))
    }
}

/// Checks a buffer that is not empty.
fn check_buffer(data: *const c_void, len: usize, name: &str) -> Result<(), Failure> {
    if data.is_null() {
        Err(Failure::argument(format!("{name} is null, but {len} bytes long")))
    } else {
        check_len(len, name)
    }
}

fn check_len(len: usize, name: &str) -> Result<(), Failure> {
    match isize::try_from(len) {
        Ok(_) => Ok(()),
        Err(_) => {
            Err(Failure::argument(format!("{name} is {len} bytes long, more than memory can hold")))
        }
    }
}
