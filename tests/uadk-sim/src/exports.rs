//! The C functions, under their names in UADK.

use std::ffi::{c_char, c_int, c_void};

use uadk_sys::abi::{
    EINVAL, ENODEV, handle_t, uacce_dev_list, wd_alg_list, wd_comp_req, wd_comp_sess_setup,
    wd_ctx_params,
};
use uadk_sys::{Functions, Libwd, Release, Version};

use crate::state::DEFAULT_MINOR;
use crate::{drivers, init, own_time, requests, script, sessions};

/// The functions of the simulator in this process.
pub const FUNCTIONS: Functions = Functions {
    wd_get_accel_list,
    wd_free_list_accels,
    wd_get_avail_ctx,
    wd_get_alg_head,
    wd_enable_drv,
    wd_comp_init2_,
    wd_comp_uninit2,
    wd_comp_alloc_sess,
    wd_comp_free_sess,
    wd_do_comp_sync,
    wd_do_comp_strm,
    wd_do_comp_async,
    wd_comp_poll,
    wd_comp_poll_ctx,
};

/// Returns the simulator in this process, to be used instead of loaded libraries.
#[must_use]
pub const fn libwd() -> Libwd {
    let version = Version { release: Release::From2_10, file: None };
    // SAFETY: the functions behave like UADK's, as far as this crate documents.
    unsafe { Libwd::from_functions(FUNCTIONS, version) }
}

/// Returns the functions of the simulator in this process, as version 2.`MINOR` has them.
const fn functions_of<const MINOR: u8>() -> Functions {
    Functions {
        wd_comp_init2_: init2_of::<MINOR>,
        wd_comp_alloc_sess: alloc_sess_of::<MINOR>,
        ..FUNCTIONS
    }
}

/// Like [`libwd`], but reports this version, such as `2.9.1`, and behaves like it: 2.10 is the
/// first with LZ4 and `lz77_only`, and LZ77 is wrong up to 2.8.
///
/// # Panics
///
/// If the version is not a number from 2.5 on.
#[must_use]
pub fn libwd_of(version: &str) -> Libwd {
    let number = |part: Option<&str>| part.and_then(|part| part.parse::<u32>().ok());
    let mut parts = version.split('.');
    let (release, functions) = match (number(parts.next()), number(parts.next())) {
        (Some(2), Some(5..=8)) => (Release::From2_5, functions_of::<8>()),
        (Some(2), Some(9)) => (Release::From2_5, functions_of::<9>()),
        (Some(2), Some(10)) => (Release::From2_10, FUNCTIONS),
        (Some(2), Some(11..)) => (Release::After2_10, functions_of::<11>()),
        _ => panic!("{version:?} is not a version of UADK 2.5 or later"),
    };
    let version = Version { release, file: Some(version.to_owned()) };
    // SAFETY: as for `libwd`.
    unsafe { Libwd::from_functions(functions, version) }
}

/// Lists the devices that offer an algorithm, except isolated ones.
///
/// # Safety
///
/// `alg_name` is null or NUL-terminated.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn wd_get_accel_list(alg_name: *const c_char) -> *mut uacce_dev_list {
    script::read_environment();
    // SAFETY: guaranteed by the caller.
    unsafe { drivers::accel_list(alg_name) }
}

/// Frees a list returned by [`wd_get_accel_list`].
///
/// # Safety
///
/// `list` is null or such a list.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn wd_free_list_accels(list: *mut uacce_dev_list) {
    // SAFETY: guaranteed by the caller.
    unsafe { drivers::free_list(list) }
}

/// Returns the number of free contexts of a device.
///
/// # Safety
///
/// `dev` is null, or from a list of [`wd_get_accel_list`].
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn wd_get_avail_ctx(dev: *mut c_void) -> c_int {
    // SAFETY: guaranteed by the caller.
    unsafe { drivers::available_contexts(dev) }
}

/// Returns the list of drivers, which is empty before the first initialisation.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn wd_get_alg_head() -> *mut wd_alg_list {
    script::read_environment();
    drivers::head()
}

/// Makes a driver available again.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn wd_enable_drv(drv: *mut c_void) {
    drivers::enable(drv);
}

/// Initialises the library.
///
/// # Safety
///
/// `alg` is null or NUL-terminated, and `ctx_params` null or valid.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn wd_comp_init2_(
    alg: *mut c_char,
    sched_type: u32,
    task_type: c_int,
    ctx_params: *mut wd_ctx_params,
) -> c_int {
    // SAFETY: guaranteed by the caller.
    unsafe { init2_of::<DEFAULT_MINOR>(alg, sched_type, task_type, ctx_params) }
}

/// [`wd_comp_init2_`] of version 2.`MINOR`.
///
/// # Safety
///
/// As for [`wd_comp_init2_`].
unsafe extern "C" fn init2_of<const MINOR: u8>(
    alg: *mut c_char,
    sched_type: u32,
    task_type: c_int,
    ctx_params: *mut wd_ctx_params,
) -> c_int {
    script::read_environment();
    // SAFETY: guaranteed by the caller.
    unsafe { init::init(MINOR, alg, sched_type, task_type, ctx_params) }
}

/// Uninitialises the library.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn wd_comp_uninit2() {
    init::uninit();
}

/// Allocates a session.
///
/// # Safety
///
/// `setup` is null, or points to a setup of 2.10 followed by 64 writable bytes; its `sched_param`
/// is null or points to a `sched_params` of 2.10.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn wd_comp_alloc_sess(setup: *mut wd_comp_sess_setup) -> handle_t {
    // SAFETY: guaranteed by the caller.
    unsafe { alloc_sess_of::<DEFAULT_MINOR>(setup) }
}

/// [`wd_comp_alloc_sess`] of version 2.`MINOR`.
///
/// # Safety
///
/// As for [`wd_comp_alloc_sess`].
unsafe extern "C" fn alloc_sess_of<const MINOR: u8>(setup: *mut wd_comp_sess_setup) -> handle_t {
    // SAFETY: guaranteed by the caller.
    unsafe { sessions::alloc(setup, MINOR) }
}

/// Frees a session.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn wd_comp_free_sess(h_sess: handle_t) {
    sessions::free(h_sess);
}

/// Processes one block and waits for it.
///
/// # Safety
///
/// `req` is null or valid, with valid buffers; after `ETIMEDOUT` the output stays valid forever.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn wd_do_comp_sync(h_sess: handle_t, req: *mut wd_comp_req) -> c_int {
    // SAFETY: guaranteed by the caller.
    unsafe { requests::call(h_sess, req) }
}

/// Like [`wd_do_comp_sync`]: a stream is one block here. There are no streams of LZ77 and LZ4.
///
/// # Safety
///
/// As for [`wd_do_comp_sync`].
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn wd_do_comp_strm(h_sess: handle_t, req: *mut wd_comp_req) -> c_int {
    // SAFETY: guaranteed by the caller.
    unsafe { requests::stream(h_sess, req) }
}

/// Submits one block.
///
/// # Safety
///
/// `req` is null or valid, with buffers that stay valid until the callback has been called.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn wd_do_comp_async(h_sess: handle_t, req: *mut wd_comp_req) -> c_int {
    // SAFETY: guaranteed by the caller.
    own_time::count(|| unsafe { requests::submit(h_sess, req) })
}

/// Polls all contexts.
///
/// # Safety
///
/// `count` is null or valid; the buffers and callbacks of all requests in flight are valid.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn wd_comp_poll(expt: u32, count: *mut u32) -> c_int {
    // SAFETY: guaranteed by the caller.
    unsafe { requests::poll(expt, count) }
}

/// Polls one context.
///
/// # Safety
///
/// As for [`wd_comp_poll`].
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn wd_comp_poll_ctx(idx: u32, expt: u32, count: *mut u32) -> c_int {
    // SAFETY: guaranteed by the caller.
    unsafe { requests::poll_context(idx, expt, count) }
}

/// Always fails to register a driver: this library has no device for it.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn wd_alg_driver_register(drv: *mut c_void) -> c_int {
    if drv.is_null() { EINVAL } else { ENODEV }
}

/// Exists only as a symbol: its presence identifies the library as 2.10.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn wd_find_ctx(_alg_name: *const c_char) -> handle_t {
    0
}
