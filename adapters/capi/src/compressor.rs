//! The functions that make, change and free a compressor.

#![allow(unsafe_code, reason = "exports functions to C")]

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use uadk_compress::{Dictionary, Settings};

use crate::failure::{Failure, status};
use crate::{options, pointer, uadk_compressor, uadk_status};

/// Creates a compressor from options such as `"format=zlib; level=1; offload=auto"`, and stores it
/// in `*compressor`, or null after a failure. Without options (null, or an empty string) it is for
/// raw deflate at level 1.
///
/// An option that is not known is an error, whose text lists those that are:
///
/// | option | values | default |
/// |---|---|---|
/// | `format` | `deflate` (raw), `zlib`, `gzip`, `zstd`, `lz4` | `deflate` |
/// | `level` | -131072 to 22; each format takes the nearest of its levels | 1 |
/// | `window` | how far back matches may reach: 4K, 8K, 16K, 24K, 32K (of deflate) | 32K |
/// | `checksum` | whether zstd frames have one: `on`, `off` | `off` |
/// | `encoder` | of deflate in software: `block-deflate`, `libdeflate` | by level |
/// | `offload` | use an accelerator: `auto`, `off`, `require` | `auto` |
/// | `verify` | check its results in software: `off`, `compressed`, `both` | `off` |
/// | `compress`, `decompress` | whether an accelerator does it: `on`, `off` | `on` |
/// | `min_block`, `max_block` | bytes of the blocks that it gets | 1K, 8M |
/// | `max_delay` | the average time of a block above which it gets none | 2ms |
/// | `busy_tries` | how often a block is offered to it | 3 |
/// | `first_hold_off`, `longest_hold_off` | how long it gets no blocks after a fault | 100ms, 30s |
///
/// Bytes may end in K, M or G; times end in us, ms or s. The fields of Rust's `UadkConfig`, which
/// docs/accelerator.md describes, are options too: `contexts`, `numa_node`, `depth`, `deadline`,
/// `hold_off`, `staging`, `max_sessions`, `idle`, `max_quarantine`, `background`, `start_limit`,
/// `stage_sources`, `raw_deflate_decompression`, `verify_lz4`.
///
/// The environment variable `UADK_COMPRESS_OFFLOAD` overrides `offload`. Only `offload=require`
/// waits for an accelerator, and fails with `UADK_STATUS_UNAVAILABLE` if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uadk_compressor_new(
    options: *const c_char,
    compressor: *mut *mut uadk_compressor,
) -> uadk_status {
    status(|| {
        // SAFETY: the caller passes a place for the handle.
        let place = unsafe { handle_place(compressor) }?;
        // SAFETY: the caller passes a string.
        let text = unsafe { pointer::text(options, "the options") }?;
        place.write(uadk_compressor::new(&options::parse(text)?)?.into_raw());
        Ok(())
    })
}

/// Creates a second handle of the same compressor, with the same settings, and stores it in
/// `*clone`, or null after a failure. Both share accelerator, offload mode and counters. Cheap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uadk_compressor_clone(
    compressor: *const uadk_compressor,
    clone: *mut *mut uadk_compressor,
) -> uadk_status {
    status(|| {
        // SAFETY: the caller passes a place for the handle.
        let place = unsafe { handle_place(clone) }?;
        // SAFETY: the caller passes a handle.
        let compressor = unsafe { pointer::compressor(compressor) }?;
        place.write(compressor.reconfigured(&Settings::new())?.into_raw());
        Ok(())
    })
}

/// Creates a compressor with other settings, and stores it in `*reconfigured`, or null after a
/// failure. The first one stays as it is; both share accelerator, offload mode and counters.
///
/// `options` may have `level`, `window` and `checksum`; other settings stay. `dictionary` is data
/// that blocks may refer to without containing it, and is also needed to decompress them: raw
/// content for LZ4, raw content or a trained dictionary for zstd. It is copied. Null keeps the
/// dictionary as it is; one of length 0 that is not null removes it. For other formats the status
/// is `UADK_STATUS_UNSUPPORTED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uadk_compressor_reconfigure(
    compressor: *const uadk_compressor,
    options: *const c_char,
    dictionary: *const c_void,
    dictionary_len: usize,
    reconfigured: *mut *mut uadk_compressor,
) -> uadk_status {
    status(|| {
        // SAFETY: the caller passes a place for the handle.
        let place = unsafe { handle_place(reconfigured) }?;
        // SAFETY: the caller passes a handle.
        let compressor = unsafe { pointer::compressor(compressor) }?;
        // SAFETY: the caller passes a string.
        let text = unsafe { pointer::text(options, "the options") }?;
        let mut settings = options::parse_settings(text)?;
        // SAFETY: the caller passes a dictionary of this length.
        let bytes = unsafe { pointer::source(dictionary, dictionary_len, "the dictionary") }?;
        if !dictionary.is_null() {
            settings = settings.with_dictionary(Dictionary::new(bytes));
        }
        place.write(compressor.reconfigured(&settings)?.into_raw());
        Ok(())
    })
}

/// Frees a handle; null is ignored. Other handles of the same compressor stay usable. Never waits
/// for an accelerator.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uadk_compressor_free(compressor: *mut uadk_compressor) {
    if compressor.is_null() {
        return;
    }
    let _ = status(|| {
        // SAFETY: the caller passes a handle.
        unsafe { pointer::compressor(compressor) }?;
        // SAFETY: it is alive, and the caller no longer uses it.
        unsafe { uadk_compressor::free(compressor) };
        Ok(())
    });
}

/// Switches the accelerator on or off for all handles of this compressor, from the next block on:
/// `"auto"`, `"off"` or `"require"`. After a failure the mode is unchanged.
///
/// Only `"require"` waits for the accelerator to be initialised, and fails with
/// `UADK_STATUS_UNAVAILABLE` if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uadk_compressor_set_offload(
    compressor: *const uadk_compressor,
    offload: *const c_char,
) -> uadk_status {
    status(|| {
        // SAFETY: the caller passes a handle.
        let compressor = unsafe { pointer::compressor(compressor) }?;
        // SAFETY: the caller passes a string.
        let offload = unsafe { pointer::text(offload, "the offload mode") }?;
        Ok(compressor.shared().set_offload(options::offload(offload)?)?)
    })
}

/// Borrows the place for a new handle. It is null until the handle is made.
///
/// # Safety
///
/// `place` is null or points to writable memory for a pointer.
unsafe fn handle_place<'a>(
    place: *mut *mut uadk_compressor,
) -> Result<&'a mut MaybeUninit<*mut uadk_compressor>, Failure> {
    // SAFETY: guaranteed by the caller.
    let place = unsafe { pointer::place(place, "the place for the compressor") }?;
    place.write(std::ptr::null_mut());
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_known_by_its_mark() {
        let mut handle = std::ptr::null_mut();
        // SAFETY: valid pointers.
        let status = unsafe { uadk_compressor_new(c"offload=off".as_ptr(), &raw mut handle) };
        assert_eq!(status, uadk_status::Ok);
        // SAFETY: a live handle.
        assert!(unsafe { uadk_compressor::is_alive(handle) });
        let foreign = [0_u64; 64];
        // SAFETY: more memory than a handle has.
        assert!(unsafe { pointer::compressor(foreign.as_ptr().cast()) }.is_err());
        // SAFETY: rejected before it is used.
        assert!(unsafe { pointer::compressor(handle.wrapping_byte_add(1)) }.is_err());
        // SAFETY: a live handle.
        unsafe { uadk_compressor_free(handle) };
    }
}
