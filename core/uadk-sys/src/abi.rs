//! Structs and constants, named as in UADK's headers.
//!
//! Sizes and offsets are those of LP64 Linux and are checked at compile time. Where versions
//! differ, the struct is the largest known one.

mod lz77;

use std::ffi::{c_char, c_int, c_uint, c_ulong, c_void};
use std::mem::{offset_of, size_of};

pub use lz77::{
    FREQUENCIES_LEN, LITERALS_RESERVE, MAX_LZ77_ONLY_INPUT, MAX_LZ77_ZSTD_INPUT, MIN_MATCH,
    SEQUENCE_LEN, WD_COMP_L8, WD_COMP_L9, WD_LZ4, WD_LZ77_ONLY, WD_LZ77_ZSTD, lz77_capacity,
    min_lz77_only_capacity, min_lz77_zstd_capacity, wd_lz77_zstd_data,
};

/// A session or context of the library: an opaque pointer.
///
/// ```
/// use uadk_sys::abi::handle_t;
///
/// /// Converts the result of `wd_comp_alloc_sess`, which is 0 if it fails.
/// fn session(result: handle_t) -> Option<handle_t> {
///     (result != 0).then_some(result)
/// }
///
/// assert_eq!(session(0), None);
/// ```
pub type handle_t = usize;

/// Called by [`Functions::wd_comp_poll_ctx`](crate::Functions::wd_comp_poll_ctx), on the polling
/// thread, with a copy of the request that is recycled when the callback returns.
///
/// ```
/// use std::ffi::c_void;
/// use std::ptr::null_mut;
/// use uadk_sys::abi::{wd_alg_comp_cb_t, wd_comp_req};
///
/// unsafe extern "C" fn count(_: *mut wd_comp_req, cb_param: *mut c_void) -> *mut c_void {
///     // SAFETY: `cb_param` is the address of a counter.
///     unsafe { *cb_param.cast::<u32>() += 1 };
///     null_mut()
/// }
///
/// let callback: wd_alg_comp_cb_t = count;
/// let mut completed = 0_u32;
/// // SAFETY: a call as by the library; this callback ignores the request.
/// unsafe { callback(null_mut(), (&raw mut completed).cast()) };
/// assert_eq!(completed, 1);
/// ```
pub type wd_alg_comp_cb_t =
    unsafe extern "C" fn(req: *mut wd_comp_req, cb_param: *mut c_void) -> *mut c_void;

/// One block to compress or decompress (`wd_comp.h`).
///
/// ```
/// use uadk_sys::abi::{WD_DIR_COMPRESS, WD_FLAT_BUF, wd_comp_req};
///
/// let (src, mut dst) = (b"a block", [0_u8; 64]);
/// let request = wd_comp_req {
///     src: src.as_ptr().cast_mut().cast(),
///     src_len: src.len() as u32,
///     dst: dst.as_mut_ptr().cast(),
///     dst_len: dst.len() as u32,
///     op_type: WD_DIR_COMPRESS,
///     data_fmt: WD_FLAT_BUF,
///     // SAFETY: zeros, null pointers and no callback are valid.
///     ..unsafe { std::mem::zeroed() }
/// };
/// assert!(request.cb.is_none()); // a synchronous request
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct wd_comp_req {
    /// Input, or a list of buffers with [`WD_SGL_BUF`].
    pub src: *mut c_void,
    /// Bytes of input; in the callback, bytes consumed. Undefined there for LZ77 before 2.10.
    pub src_len: u32,
    /// Output.
    pub dst: *mut c_void,
    /// Size of the output buffer; in the callback, bytes produced. Undefined there for LZ77.
    pub dst_len: u32,
    /// Must be null for a synchronous request and set for an asynchronous one.
    pub cb: Option<wd_alg_comp_cb_t>,
    /// Passed to `cb`; must not be null for an asynchronous request.
    pub cb_param: *mut c_void,
    /// [`WD_DIR_COMPRESS`] or [`WD_DIR_DECOMPRESS`].
    pub op_type: c_uint,
    /// [`WD_FLAT_BUF`] or [`WD_SGL_BUF`].
    pub data_fmt: c_uint,
    /// Used only by streams.
    pub last: u32,
    /// 0, or a positive code: [`WD_STREAM_END`], [`WD_IN_EPARA`], ...
    pub status: u32,
    /// For [`WD_LZ77_ZSTD`] and [`WD_LZ77_ONLY`], a [`wd_lz77_zstd_data`], which must stay valid
    /// until the callback has been called. Otherwise unused.
    pub r#priv: *mut c_void,
}

/// Parameters of a session (`wd_comp.h`). 24 bytes up to 2.9; 2.10 writes to all of it.
///
/// ```
/// use uadk_sys::abi::{self, WithSlack, wd_comp_sess_setup};
///
/// // SAFETY: zeros and null pointers are valid.
/// let setup: wd_comp_sess_setup = unsafe { std::mem::zeroed() };
/// let mut setup = WithSlack::new(setup);
/// setup.value.alg_type = abi::WD_GZIP;
/// setup.value.comp_lv = 1;
/// setup.value.win_sz = abi::WD_COMP_WS_32K;
/// setup.value.op_type = abi::WD_DIR_DECOMPRESS;
/// // The argument of `wd_comp_alloc_sess`, once `sched_param` is set.
/// let argument: *mut wd_comp_sess_setup = (&raw mut setup).cast();
/// assert!(!argument.is_null());
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct wd_comp_sess_setup {
    /// [`WD_DEFLATE`], [`WD_ZLIB`], [`WD_GZIP`], [`WD_LZ77_ZSTD`], [`WD_LZ77_ONLY`] or [`WD_LZ4`].
    pub alg_type: c_uint,
    /// 1 to 15. Kunpeng ignores it for deflate, zlib, gzip and LZ4, and accepts only [`WD_COMP_L8`]
    /// and [`WD_COMP_L9`] for LZ77.
    pub comp_lv: c_uint,
    /// [`WD_COMP_WS_4K`] to [`WD_COMP_WS_32K`].
    pub win_sz: c_uint,
    /// [`WD_DIR_COMPRESS`] or [`WD_DIR_DECOMPRESS`].
    pub op_type: c_uint,
    /// For the scheduler: a [`sched_params`].
    pub sched_param: *mut c_void,
    /// Memory operations; all zero lets the library choose.
    pub mm_ops: wd_mm_ops,
    /// Kind of memory; 0 lets the library choose.
    pub mm_type: c_uint,
}

/// Memory operations of a session (`wd.h`, 2.10 and newer).
///
/// ```
/// use std::ptr::null_mut;
/// use uadk_sys::abi::wd_mm_ops;
///
/// // The library chooses.
/// let operations = wd_mm_ops { operations: [null_mut(); 6], sva_mode: false };
/// assert!(operations.operations.iter().all(|operation| operation.is_null()));
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct wd_mm_ops {
    /// Five functions and their data; null lets the library choose.
    pub operations: [*mut c_void; 6],
    /// Written by the library.
    pub sva_mode: bool,
}

/// A session's parameters for the scheduler (`wd_sched.h`). 16 bytes up to 2.9.
///
/// ```
/// use std::ffi::c_void;
/// use uadk_sys::abi::{WD_DIR_COMPRESS, WithSlack, sched_params};
///
/// let mut params = WithSlack::new(sched_params {
///     numa_id: -1, // the calling thread's node
///     r#type: WD_DIR_COMPRESS as u8,
///     mode: 0,
///     begin: 0,
///     end: 0,
///     dev_id: 0,
/// });
/// let sched_param: *mut c_void = (&raw mut params).cast();
/// assert!(!sched_param.is_null()); // for `wd_comp_sess_setup`
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sched_params {
    /// The NUMA node whose devices are used; if negative, the calling thread's.
    pub numa_id: c_int,
    /// Must equal the session's `op_type`.
    pub r#type: u8,
    /// Unused for sessions.
    pub mode: u8,
    /// Unused for sessions.
    pub begin: u32,
    /// Unused for sessions.
    pub end: u32,
    /// Unused with round robin.
    pub dev_id: u32,
}

/// Numbers of contexts for one direction (`wd_alg_common.h`).
///
/// ```
/// use uadk_sys::abi::wd_ctx_nums;
///
/// // To compress and to decompress, each asynchronously.
/// let nums = [wd_ctx_nums { sync_ctx_num: 0, async_ctx_num: 4 }; 2];
/// let per_node: u32 = nums.iter().map(|nums| nums.async_ctx_num).sum();
/// assert_eq!(per_node, 8);
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct wd_ctx_nums {
    /// Contexts for synchronous calls, per NUMA node.
    pub sync_ctx_num: u32,
    /// Contexts for asynchronous calls, per NUMA node.
    pub async_ctx_num: u32,
}

/// Parameters of [`Functions::wd_comp_init2_`](crate::Functions::wd_comp_init2_)
/// (`wd_alg_common.h`).
///
/// ```
/// use std::ffi::c_ulong;
/// use std::ptr::null_mut;
/// use uadk_sys::abi::{bitmask, wd_ctx_nums, wd_ctx_params};
///
/// let mut nums = [wd_ctx_nums { sync_ctx_num: 0, async_ctx_num: 4 }; 2];
/// let mut words = [c_ulong::MAX; 16]; // all nodes
/// let mut nodes = bitmask { size: 1024, maskp: words.as_mut_ptr() };
/// let params = wd_ctx_params {
///     op_type_num: nums.len() as u32,
///     ctx_set_num: nums.as_mut_ptr(),
///     bmp: &raw mut nodes,
///     cap: null_mut(),
/// };
/// assert_eq!(params.op_type_num, 2);
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct wd_ctx_params {
    /// Number of entries of `ctx_set_num`: 2.
    pub op_type_num: u32,
    /// One entry per direction.
    pub ctx_set_num: *mut wd_ctx_nums,
    /// NUMA nodes whose devices are used. Null means all of them from 2.9 on; older versions crash
    /// (segmentation fault).
    pub bmp: *mut bitmask,
    /// Null for the defaults.
    pub cap: *mut c_void,
}

/// A set of NUMA nodes (libnuma's `numa.h`).
///
/// ```
/// use std::ffi::c_ulong;
/// use uadk_sys::abi::bitmask;
///
/// // Node 1 of up to 1024.
/// let mut words: [c_ulong; 16] = [0; 16];
/// words[0] |= 1 << 1;
/// let nodes = bitmask { size: 1024, maskp: words.as_mut_ptr() };
/// // SAFETY: `maskp` is the address of `words`.
/// assert_eq!(unsafe { *nodes.maskp }, 0b10);
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct bitmask {
    /// Number of bits.
    pub size: c_ulong,
    /// `size / 64` words.
    pub maskp: *mut c_ulong,
}

/// A list of devices (`wd.h`).
///
/// ```
/// use std::ptr::null_mut;
/// use uadk_sys::abi::uacce_dev_list;
///
/// // In place of a list from `wd_get_accel_list`.
/// let mut second = uacce_dev_list { dev: null_mut(), next: null_mut() };
/// let first = uacce_dev_list { dev: null_mut(), next: &raw mut second };
///
/// let (mut node, mut devices) = (&raw const first, 0);
/// while !node.is_null() {
///     devices += 1;
///     // SAFETY: a node of the list.
///     node = unsafe { (*node).next };
/// }
/// assert_eq!(devices, 2);
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct uacce_dev_list {
    /// The device: a [`uacce_dev`].
    pub dev: *mut c_void,
    /// The next node, or null.
    pub next: *mut uacce_dev_list,
}

/// A device (`wd.h`): the fields that all versions from 2.5 on share. The library's struct is
/// longer.
///
/// ```
/// use std::ffi::{c_char, c_void};
/// use uadk_sys::abi::uacce_dev;
///
/// // In place of a device from `wd_get_accel_list`.
/// // SAFETY: zeros are valid.
/// let mut device: uacce_dev = unsafe { std::mem::zeroed() };
/// for (field, byte) in device.api.iter_mut().zip(b"hisi_qm_v3") {
///     *field = c_char::from_ne_bytes([*byte]);
/// }
/// let dev: *const c_void = (&raw const device).cast();
/// // SAFETY: a device.
/// assert_eq!(unsafe { uacce_dev::read_queue_version(dev) }, Some(3));
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct uacce_dev {
    /// Bit 0: the device shares the address space of its process (SVA).
    pub flags: c_int,
    /// The NUMA node of the device.
    pub numa_id: c_int,
    /// The interface of its queues: `hisi_qm_v2`, NUL-terminated.
    pub api: [c_char; 64],
    /// The algorithms that it offers, one per line, NUL-terminated.
    pub algs: [c_char; 384],
}

/// A driver for one algorithm (`wd_alg.h`): the fields that all versions share. Newer nodes are
/// longer.
///
/// The library owns all nodes and may change them at any time. Read fields with
/// [`read_available`](Self::read_available) and its siblings, never through a reference.
///
/// ```
/// use uadk_sys::abi::wd_alg_list;
///
/// // In place of the list from `wd_get_alg_head`.
/// // SAFETY: zeros and null pointers are valid.
/// let mut head: wd_alg_list = unsafe { std::mem::zeroed() };
/// head.available = true;
///
/// let (mut node, mut available) = (&raw const head, 0);
/// while !node.is_null() {
///     // SAFETY: a node of the list.
///     available += usize::from(unsafe { wd_alg_list::read_available(node) });
///     // SAFETY: as above.
///     node = unsafe { wd_alg_list::read_next(node) };
/// }
/// assert_eq!(available, 1);
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct wd_alg_list {
    /// `zlib`, NUL-terminated.
    pub alg_name: [c_char; 128],
    /// `hisi_zip`, NUL-terminated.
    pub drv_name: [c_char; 128],
    /// Cleared when an initialisation finds no free context; set again by
    /// [`Functions::wd_enable_drv`](crate::Functions::wd_enable_drv).
    pub available: bool,
    /// Priority among drivers of one algorithm.
    pub priority: c_int,
    /// Kind of driver.
    pub calc_type: c_int,
    /// Number of users.
    pub refcnt: c_int,
    /// The driver.
    pub drv: *mut c_void,
    /// The next node, or null.
    pub next: *mut wd_alg_list,
}

/// `alg_type`: raw deflate. Not every device supports it.
pub const WD_DEFLATE: c_uint = 0;
/// `alg_type`: zlib.
pub const WD_ZLIB: c_uint = 1;
/// `alg_type`: gzip.
pub const WD_GZIP: c_uint = 2;

/// `op_type`: compress.
pub const WD_DIR_COMPRESS: c_uint = 0;
/// `op_type`: decompress.
pub const WD_DIR_DECOMPRESS: c_uint = 1;

/// `win_sz`: 4 KiB.
pub const WD_COMP_WS_4K: c_uint = 0;
/// `win_sz`: 8 KiB.
pub const WD_COMP_WS_8K: c_uint = 1;
/// `win_sz`: 16 KiB.
pub const WD_COMP_WS_16K: c_uint = 2;
/// `win_sz`: 24 KiB.
pub const WD_COMP_WS_24K: c_uint = 3;
/// `win_sz`: 32 KiB.
pub const WD_COMP_WS_32K: c_uint = 4;

/// `data_fmt`: one buffer each for input and output.
pub const WD_FLAT_BUF: c_uint = 0;
/// `data_fmt`: a list of buffers each for input and output.
pub const WD_SGL_BUF: c_uint = 1;

/// `sched_type`: sessions are pinned to contexts in turn.
pub const SCHED_POLICY_RR: u32 = 0;
/// `task_type`: hardware only.
pub const TASK_HW: c_int = 1;

/// `status`: the end of the stream was reached. A success, like 0.
pub const WD_STREAM_END: u32 = 1;
/// `status`: the output buffer is full.
pub const WD_EAGAIN: u32 = 11;
/// `status`, and negated as a return code: the device was reset and its contexts are invalid.
pub const WD_HW_EACCESS: u32 = 62;
/// `status`: invalid output parameters.
pub const WD_OUT_EPARA: u32 = 66;
/// `status`: the input is corrupt, or the output doesn't fit.
pub const WD_IN_EPARA: u32 = 67;

/// Return code: nothing has completed.
pub const EAGAIN: c_int = -11;
/// Return code: out of memory. An initialisation also returns it if the device node can't be
/// opened.
pub const ENOMEM: c_int = -12;
/// Return code: the queue of the session's context is full.
pub const EBUSY: c_int = -16;
/// Return code: the library is already initialised in this process.
pub const EEXIST: c_int = -17;
/// Return code: no free context, or the device is isolated.
pub const ENODEV: c_int = -19;
/// Return code: invalid parameters. An initialisation also returns it if there is no driver or no
/// device.
pub const EINVAL: c_int = -22;
/// Return code: a device node stayed busy, or a synchronous call lost its completion.
pub const ETIMEDOUT: c_int = -110;

/// The longest input of a request, in bytes.
pub const MAX_INPUT: usize = 8 << 20;
/// Maximum number of requests in flight per context.
pub const MAX_IN_FLIGHT: usize = 1023;

/// A struct followed by zeroed padding, for newer libraries that write more than this crate knows
/// of.
///
/// ```
/// use uadk_sys::WithSlack;
/// use uadk_sys::abi::wd_ctx_nums;
///
/// let mut nums = WithSlack::new(wd_ctx_nums { sync_ctx_num: 0, async_ctx_num: 4 });
/// assert_eq!(size_of_val(&nums), size_of::<wd_ctx_nums>() + 256);
/// // The argument of a C function.
/// let pointer: *mut wd_ctx_nums = (&raw mut nums).cast();
/// // SAFETY: the struct is at the start.
/// assert_eq!(unsafe { (*pointer).async_ctx_num }, 4);
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WithSlack<T> {
    /// The struct.
    pub value: T,
    slack: [u64; 32],
}

impl<T> WithSlack<T> {
    /// Wraps `value` and appends 256 zeroed bytes.
    pub const fn new(value: T) -> Self {
        Self { value, slack: [0; 32] }
    }
}

macro_rules! assert_layout {
    ($struct:ty, $size:literal, $($field:ident @ $offset:literal),*) => {
        const _: () = {
            assert!(size_of::<$struct>() == $size);
            $(assert!(offset_of!($struct, $field) == $offset);)*
        };
    };
}

assert_layout!(
    wd_comp_req, 72, src @ 0, src_len @ 8, dst @ 16, dst_len @ 24, cb @ 32, cb_param @ 40,
    op_type @ 48, data_fmt @ 52, last @ 56, status @ 60, r#priv @ 64
);
assert_layout!(
    wd_comp_sess_setup, 88, alg_type @ 0, comp_lv @ 4, win_sz @ 8, op_type @ 12, sched_param @ 16,
    mm_ops @ 24, mm_type @ 80
);
assert_layout!(wd_mm_ops, 56, operations @ 0, sva_mode @ 48);
assert_layout!(
    sched_params, 20, numa_id @ 0, r#type @ 4, mode @ 5, begin @ 8, end @ 12, dev_id @ 16
);
assert_layout!(wd_ctx_nums, 8, sync_ctx_num @ 0, async_ctx_num @ 4);
assert_layout!(wd_ctx_params, 32, op_type_num @ 0, ctx_set_num @ 8, bmp @ 16, cap @ 24);
assert_layout!(bitmask, 16, size @ 0, maskp @ 8);
assert_layout!(
    wd_lz77_zstd_data, 48, literals_start @ 0, sequences_start @ 8, lit_num @ 16, seq_num @ 20,
    lit_length_overflow_cnt @ 24, lit_length_overflow_pos @ 28, freq @ 32, blk_type @ 40
);
assert_layout!(uacce_dev_list, 16, dev @ 0, next @ 8);
assert_layout!(uacce_dev, 456, flags @ 0, numa_id @ 4, api @ 8, algs @ 72);
assert_layout!(
    wd_alg_list, 288, alg_name @ 0, drv_name @ 128, available @ 256, priority @ 260,
    calc_type @ 264, refcnt @ 268, drv @ 272, next @ 280
);
const _: () = assert!(offset_of!(WithSlack<wd_comp_sess_setup>, slack) == 88);
