//! libwd's driver list and device lists.

use std::cell::UnsafeCell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null_mut;

use uadk_sys::abi::{EINVAL, ENODEV, uacce_dev, uacce_dev_list, wd_alg_list};

use crate::crash::crash;
use crate::machine::{Algorithm, Machine};
use crate::state::{STATE, State};
use crate::sync::lock;

/// `UACCE_DEV_SVA`.
const SVA: c_int = 1;
/// `UADK_ALG_HW`.
const HARDWARE: c_int = 3;
const PRIORITY: c_int = 100;
const NAME: &CStr = c"hisi_zip";
/// In the order of [`Algorithm::ALL`].
const NAMES: [&CStr; COUNT] = [c"zlib", c"gzip", c"deflate", c"lz77_zstd", c"lz4", c"lz77_only"];
const COUNT: usize = Algorithm::ALL.len();

/// A node as in a newer library: longer than the fields that all versions have.
#[repr(C)]
struct Node {
    known: wd_alg_list,
    alg_type: [c_char; 128],
    future: [u64; 8],
}

/// The beginning of `wd_alg_driver`. Its functions can't be called by other code.
#[repr(C)]
struct Driver {
    drv_name: *const c_char,
    alg_name: *const c_char,
    priority: c_int,
    calc_type: c_int,
    queue_num: c_int,
    op_type_num: c_int,
    rest: [*mut c_void; 8],
}

struct List {
    head: UnsafeCell<Node>,
    /// In the order of [`Algorithm::ALL`].
    nodes: [UnsafeCell<Node>; COUNT],
    drivers: [UnsafeCell<Driver>; COUNT],
}

// SAFETY: only written under the lock of `STATE`. Callers read it unlocked, like the real list.
unsafe impl Sync for List {}

static LIST: List = List {
    head: UnsafeCell::new(Node::new(c"", c"")),
    nodes: [
        UnsafeCell::new(Node::new(NAMES[0], NAME)),
        UnsafeCell::new(Node::new(NAMES[1], NAME)),
        UnsafeCell::new(Node::new(NAMES[2], NAME)),
        UnsafeCell::new(Node::new(NAMES[3], NAME)),
        UnsafeCell::new(Node::new(NAMES[4], NAME)),
        UnsafeCell::new(Node::new(NAMES[5], NAME)),
    ],
    drivers: [
        UnsafeCell::new(Driver::new(NAMES[0])),
        UnsafeCell::new(Driver::new(NAMES[1])),
        UnsafeCell::new(Driver::new(NAMES[2])),
        UnsafeCell::new(Driver::new(NAMES[3])),
        UnsafeCell::new(Driver::new(NAMES[4])),
        UnsafeCell::new(Driver::new(NAMES[5])),
    ],
};

impl Node {
    const fn new(algorithm: &CStr, driver: &CStr) -> Self {
        Self {
            known: wd_alg_list {
                alg_name: text(algorithm),
                drv_name: text(driver),
                available: false,
                priority: PRIORITY,
                calc_type: HARDWARE,
                refcnt: 0,
                drv: null_mut(),
                next: null_mut(),
            },
            alg_type: text(algorithm),
            future: [0; 8],
        }
    }
}

impl Driver {
    const fn new(algorithm: &'static CStr) -> Self {
        Self {
            drv_name: NAME.as_ptr(),
            alg_name: algorithm.as_ptr(),
            priority: PRIORITY,
            calc_type: HARDWARE,
            queue_num: 1,
            op_type_num: 2,
            rest: [null_mut(); 8],
        }
    }
}

const fn text(text: &CStr) -> [c_char; 128] {
    let bytes = text.to_bytes();
    let mut field = [0; 128];
    let mut at = 0;
    while at < bytes.len() {
        field[at] = c_char::from_ne_bytes([bytes[at]]);
        at += 1;
    }
    field
}

/// Implements `wd_get_alg_head`.
pub(crate) fn head() -> *mut wd_alg_list {
    LIST.head.get().cast()
}

/// Returns a node, whose fields are written under the lock of the state.
fn node(algorithm: usize) -> *mut wd_alg_list {
    LIST.nodes[algorithm].get().cast()
}

/// Registers the drivers of version 2.`minor` for the algorithms that the machine offers, if there
/// is a device.
pub(crate) fn register(state: &mut State, minor: u8) {
    if state.registered {
        return;
    }
    state.registered = true;
    unlink();
    let mut tail = head();
    if !state.machine.present {
        return;
    }
    for (at, algorithm) in Algorithm::ALL.into_iter().enumerate() {
        if !state.machine.has(algorithm.name()) || !algorithm.is_known_to(minor) {
            continue;
        }
        let node = node(at);
        // SAFETY: a node of the static list, and the state is locked.
        let fields = unsafe { &mut *node };
        fields.available = true;
        fields.drv = LIST.drivers[at].get().cast();
        fields.next = null_mut();
        // SAFETY: as above.
        unsafe { (*tail).next = node };
        tail = node;
    }
}

/// Truncates the list to its head, as before the first initialisation.
pub(crate) fn unlink() {
    // SAFETY: part of the static list, and the state is locked.
    unsafe { (*head()).next = null_mut() };
    for at in 0..LIST.nodes.len() {
        // SAFETY: as above.
        let fields = unsafe { &mut *node(at) };
        fields.available = false;
        fields.drv = null_mut();
    }
}

/// Returns the index of the registered driver for an algorithm, if it is available.
pub(crate) fn available(state: &State, algorithm: Algorithm) -> Option<usize> {
    let at = Algorithm::ALL.into_iter().position(|known| known == algorithm)?;
    // SAFETY: part of the static list, and the state is locked.
    let available = unsafe { (*node(at)).available };
    (state.registered && available).then_some(at)
}

/// Implements `wd_disable_drv`, which an initialisation without a free context calls.
pub(crate) fn disable(_state: &mut State, driver: usize) {
    // SAFETY: part of the static list, and the state is locked.
    unsafe { (*node(driver)).available = false };
}

/// Implements `wd_enable_drv`.
pub(crate) fn enable(driver: *mut c_void) {
    let state = lock(&STATE);
    for at in 0..LIST.drivers.len() {
        // SAFETY: part of the static list, and the state is locked.
        let fields = unsafe { &mut *node(at) };
        if !driver.is_null() && driver == fields.drv {
            fields.available = state.machine.present;
        }
    }
}

/// What `uacce_dev_list::dev` points to: longer than the fields that all versions have.
#[repr(C)]
struct Device {
    known: uacce_dev,
    paths: [c_char; 512],
    regions: [u64; 3],
    magic: u64,
    index: usize,
}

impl Device {
    fn new(machine: &Machine, index: usize) -> Self {
        Self {
            known: uacce_dev {
                flags: SVA,
                numa_id: machine.numa_nodes[index].cast_signed(),
                api: field(&format!("hisi_qm_v{}", machine.queue_version)),
                algs: field(&machine.algorithms.join("\n")),
            },
            paths: [0; 512],
            regions: [0; 3],
            magic: MAGIC,
            index,
        }
    }
}

/// Returns an attribute, NUL-terminated.
fn field<const LEN: usize>(text: &str) -> [c_char; LEN] {
    let mut field = [0; LEN];
    for (byte, value) in field[..LEN - 1].iter_mut().zip(text.bytes()) {
        *byte = c_char::from_ne_bytes([value]);
    }
    field
}

const MAGIC: u64 = u64::from_le_bytes(*b"UADKDEVI");

/// Implements `wd_get_accel_list`.
///
/// # Safety
///
/// `algorithm` is null or NUL-terminated.
pub(crate) unsafe fn accel_list(algorithm: *const c_char) -> *mut uacce_dev_list {
    if algorithm.is_null() {
        return null_mut();
    }
    // SAFETY: guaranteed by the caller.
    let algorithm = unsafe { CStr::from_ptr(algorithm) };
    let state = lock(&STATE);
    let machine = &state.machine;
    let offered = algorithm.to_str().is_ok_and(|name| machine.has(name));
    if !offered || !machine.present || machine.isolated {
        return null_mut();
    }
    (0..machine.numa_nodes.len()).rev().fold(null_mut(), |next, index| {
        let dev = Box::into_raw(Box::new(Device::new(machine, index))).cast();
        Box::into_raw(Box::new(uacce_dev_list { dev, next }))
    })
}

/// Implements `wd_free_list_accels`.
///
/// # Safety
///
/// `list` is null, or was returned by [`accel_list`] and not freed.
pub(crate) unsafe fn free_list(mut list: *mut uacce_dev_list) {
    while !list.is_null() {
        // SAFETY: guaranteed by the caller; nodes and devices are boxes.
        let node = unsafe { Box::from_raw(list) };
        // SAFETY: as above.
        drop(unsafe { Box::from_raw(device(node.dev)) });
        list = node.next;
    }
}

/// Implements `wd_get_avail_ctx`.
///
/// # Safety
///
/// `dev` is null, or from a list that was not freed.
pub(crate) unsafe fn available_contexts(dev: *mut c_void) -> c_int {
    if dev.is_null() {
        return EINVAL;
    }
    // SAFETY: guaranteed by the caller.
    let index = unsafe { (*device(dev)).index };
    let state = lock(&STATE);
    if state.machine.present && index < state.machine.numa_nodes.len() {
        state.reported_contexts(index).cast_signed()
    } else {
        ENODEV
    }
}

fn device(dev: *mut c_void) -> *mut Device {
    let device = dev.cast::<Device>();
    // SAFETY: the caller passes a device; anything else crashes, as in the real library.
    if unsafe { (*device).magic } != MAGIC {
        crash("device is not from a list of the library");
    }
    device
}
