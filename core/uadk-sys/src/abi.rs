//! Structs and constants, by their names in UADK's headers.
//!
//! Sizes and offsets are those of LP64 Linux, checked when this is compiled. Where versions differ
//! the struct is the largest known one.

use std::ffi::{c_char, c_int, c_uint, c_ulong, c_void};
use std::mem::{offset_of, size_of};

/// A session or context of the library: a pointer in disguise.
pub type handle_t = usize;

/// Called by [`Functions::wd_comp_poll_ctx`](crate::Functions::wd_comp_poll_ctx), on whichever thread
/// polls, with a copy of the request that is recycled when it returns.
pub type wd_alg_comp_cb_t =
    unsafe extern "C" fn(req: *mut wd_comp_req, cb_param: *mut c_void) -> *mut c_void;

/// One block to compress or decompress (`wd_comp.h`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct wd_comp_req {
    /// Input, or a list of buffers with [`WD_SGL_BUF`].
    pub src: *mut c_void,
    /// Bytes of input; in the callback, bytes consumed.
    pub src_len: u32,
    /// Output.
    pub dst: *mut c_void,
    /// Room for output; in the callback, bytes produced.
    pub dst_len: u32,
    /// Must be null for a synchronous request and set for an asynchronous one.
    pub cb: Option<wd_alg_comp_cb_t>,
    /// Passed to `cb`; must not be null for an asynchronous request.
    pub cb_param: *mut c_void,
    /// [`WD_DIR_COMPRESS`] or [`WD_DIR_DECOMPRESS`].
    pub op_type: c_uint,
    /// [`WD_FLAT_BUF`] or [`WD_SGL_BUF`].
    pub data_fmt: c_uint,
    /// For streams alone.
    pub last: u32,
    /// 0, or a positive code: [`WD_STREAM_END`], [`WD_IN_EPARA`], ...
    pub status: u32,
    /// Unused for deflate.
    pub r#priv: *mut c_void,
}

/// How a session is to be (`wd_comp.h`). 24 bytes up to 2.9; 2.10 writes to all of it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct wd_comp_sess_setup {
    /// [`WD_DEFLATE`], [`WD_ZLIB`] or [`WD_GZIP`].
    pub alg_type: c_uint,
    /// 1 to 15. Kunpeng ignores it for deflate, zlib and gzip.
    pub comp_lv: c_uint,
    /// [`WD_COMP_WS_4K`] to [`WD_COMP_WS_32K`].
    pub win_sz: c_uint,
    /// [`WD_DIR_COMPRESS`] or [`WD_DIR_DECOMPRESS`].
    pub op_type: c_uint,
    /// The scheduler's: a [`sched_params`].
    pub sched_param: *mut c_void,
    /// Memory operations; zeroed, so that the library chooses.
    pub mm_ops: wd_mm_ops,
    /// Kind of memory; 0 lets the library choose.
    pub mm_type: c_uint,
}

/// Memory operations of a session (`wd.h`, 2.10 and newer).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct wd_mm_ops {
    /// Five functions and their data: null, so that the library chooses.
    pub operations: [*mut c_void; 6],
    /// Written by the library.
    pub sva_mode: bool,
}

/// What the scheduler wants to know of a session (`wd_sched.h`). 16 bytes up to 2.9.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sched_params {
    /// The NUMA node whose devices are used; negative for that of the calling thread.
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

/// How many contexts of one direction (`wd_alg_common.h`).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct wd_ctx_nums {
    /// Contexts for synchronous calls, per NUMA node.
    pub sync_ctx_num: u32,
    /// Contexts for asynchronous calls, per NUMA node.
    pub async_ctx_num: u32,
}

/// What [`Functions::wd_comp_init2_`](crate::Functions::wd_comp_init2_) is to set up
/// (`wd_alg_common.h`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct wd_ctx_params {
    /// Entries of `ctx_set_num`: 2.
    pub op_type_num: u32,
    /// By direction.
    pub ctx_set_num: *mut wd_ctx_nums,
    /// NUMA nodes whose devices are used. Null is all of them from 2.9 on, and a segmentation fault
    /// before.
    pub bmp: *mut bitmask,
    /// Null for the defaults.
    pub cap: *mut c_void,
}

/// A set of NUMA nodes (libnuma's `numa.h`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct bitmask {
    /// Bits.
    pub size: c_ulong,
    /// `size / 64` words.
    pub maskp: *mut c_ulong,
}

/// A list of devices (`wd.h`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct uacce_dev_list {
    /// The device. Its layout differs between versions: only the library looks inside.
    pub dev: *mut c_void,
    /// The next one, or null.
    pub next: *mut uacce_dev_list,
}

/// A driver for one algorithm (`wd_alg.h`): the fields that all versions have. The library owns all
/// nodes and changes them at any time: read fields with [`read_available`](Self::read_available) and
/// its siblings, never through a reference. Newer nodes are longer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct wd_alg_list {
    /// `zlib`, NUL-terminated.
    pub alg_name: [c_char; 128],
    /// `hisi_zip`, NUL-terminated.
    pub drv_name: [c_char; 128],
    /// Cleared when an initialisation found no free context, until
    /// [`Functions::wd_enable_drv`](crate::Functions::wd_enable_drv).
    pub available: bool,
    /// Priority among drivers of one algorithm.
    pub priority: c_int,
    /// Kind of driver.
    pub calc_type: c_int,
    /// Users.
    pub refcnt: c_int,
    /// The driver.
    pub drv: *mut c_void,
    /// The next node, or null.
    pub next: *mut wd_alg_list,
}

/// `alg_type`: raw deflate. Not every device has it.
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

/// `data_fmt`: one buffer each.
pub const WD_FLAT_BUF: c_uint = 0;
/// `data_fmt`: lists of buffers.
pub const WD_SGL_BUF: c_uint = 1;

/// `sched_type`: sessions are pinned to contexts in turn.
pub const SCHED_POLICY_RR: u32 = 0;
/// `task_type`: hardware alone.
pub const TASK_HW: c_int = 1;

/// `status`: the end of the stream was reached. As good as 0.
pub const WD_STREAM_END: u32 = 1;
/// `status`: there was not enough output room.
pub const WD_EAGAIN: u32 = 11;
/// `status`, and negated as a return code: the device was reset, and its contexts are dead.
pub const WD_HW_EACCESS: u32 = 62;
/// `status`: wrong output parameters.
pub const WD_OUT_EPARA: u32 = 66;
/// `status`: the input is corrupt, or the output does not fit.
pub const WD_IN_EPARA: u32 = 67;

/// Return code: nothing has completed.
pub const EAGAIN: c_int = -11;
/// Return code: no memory; from an initialisation, also that the device's node can't be opened.
pub const ENOMEM: c_int = -12;
/// Return code: the queue of the session's context is full.
pub const EBUSY: c_int = -16;
/// Return code: somebody else in this process has initialised the library.
pub const EEXIST: c_int = -17;
/// Return code: no free context, or an isolated device.
pub const ENODEV: c_int = -19;
/// Return code: wrong parameters; from an initialisation, no driver or no device.
pub const EINVAL: c_int = -22;
/// Return code: a device node stayed busy, or a synchronous call lost its completion.
pub const ETIMEDOUT: c_int = -110;

/// The longest input of a request.
pub const MAX_INPUT: usize = 8 << 20;
/// Requests that one context takes at a time.
pub const MAX_IN_FLIGHT: usize = 1023;

/// A struct with zeroed room behind it, for libraries newer than this crate that write more.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WithSlack<T> {
    /// The struct.
    pub value: T,
    slack: [u64; 32],
}

impl<T> WithSlack<T> {
    /// `value`, and 256 zeroed bytes.
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
assert_layout!(uacce_dev_list, 16, dev @ 0, next @ 8);
assert_layout!(
    wd_alg_list, 288, alg_name @ 0, drv_name @ 128, available @ 256, priority @ 260,
    calc_type @ 264, refcnt @ 268, drv @ 272, next @ 280
);
const _: () = assert!(offset_of!(WithSlack<wd_comp_sess_setup>, slack) == 88);
