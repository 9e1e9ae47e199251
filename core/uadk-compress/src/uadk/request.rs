//! A block held by the device, and the record of its completion.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use uadk_sys::abi::{wd_comp_req, wd_lz77_zstd_data};

use super::lz77::Counts;
use super::staging::Buffer;

/// The device has it.
const WAITING: u32 = 0;
/// The callback has been called.
const DONE: u32 = 1;
/// It was given up.
const ABANDONED: u32 = 2;

/// Counts that can't be right.
const UNWRITTEN: wd_lz77_zstd_data = wd_lz77_zstd_data {
    literals_start: std::ptr::null_mut(),
    sequences_start: std::ptr::null_mut(),
    lit_num: u32::MAX,
    seq_num: u32::MAX,
    lit_length_overflow_cnt: 0,
    lit_length_overflow_pos: 0,
    freq: std::ptr::null_mut(),
    blk_type: 0,
};

/// The context of a completion that came in a poll of another library.
const UNKNOWN: u32 = u32::MAX;

thread_local! {
    /// The context that this thread is polling.
    static POLLED: Cell<u32> = const { Cell::new(UNKNOWN) };
}

/// A block held by the device: its output buffer, and the fields that record its completion.
#[derive(Debug)]
pub(super) struct Request {
    state: AtomicU32,
    status: AtomicU32,
    consumed: AtomicU32,
    produced: AtomicU32,
    /// The context that its completion came from.
    context: AtomicU32,
    /// What the library says about sequences, written in the poll before the callback. Like the
    /// buffer, it may be written at any time while the device has the request.
    lz77: UnsafeCell<wd_lz77_zstd_data>,
    buffer: Buffer,
    /// The size class of the buffer in its [`Arena`](super::arena::Arena).
    class: usize,
}

/// Owns a [`Request`], which stays at its address: the library keeps a pointer to it until the
/// callback has been called, which may never happen. (A `Box` would claim to be the only pointer.)
#[derive(Debug)]
pub(super) struct RequestBox(NonNull<Request>);

// SAFETY: it owns the request, whose shared fields are atomics.
unsafe impl Send for RequestBox {}

/// What the callback received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Completion {
    pub(super) status: u32,
    pub(super) consumed: usize,
    pub(super) produced: usize,
    /// The context it came from, if this crate polled it.
    pub(super) context: Option<u32>,
}

impl RequestBox {
    pub(super) fn new(buffer: Buffer, class: usize) -> Self {
        let request = Request {
            state: AtomicU32::new(WAITING),
            status: AtomicU32::new(0),
            consumed: AtomicU32::new(0),
            produced: AtomicU32::new(0),
            context: AtomicU32::new(0),
            lz77: UnsafeCell::new(UNWRITTEN),
            buffer,
            class,
        };
        Self(NonNull::from(Box::leak(Box::new(request))))
    }

    /// Makes the request ready to be submitted again. The device must be done with it.
    pub(super) fn renew(&mut self) {
        debug_assert!(self.is_done() || self.state.load(Ordering::Relaxed) == WAITING);
        self.state.store(WAITING, Ordering::Relaxed);
    }

    /// Returns where the library writes what it says about sequences, and erases what is there.
    pub(super) fn lz77(&mut self) -> *mut wd_lz77_zstd_data {
        let data = self.lz77.get();
        // SAFETY: the library does not have the request, and no one else has a pointer to it.
        unsafe { data.write(UNWRITTEN) };
        data
    }

    /// Copies a source into the buffer: see [`Buffer::stage`]. The device must not have the
    /// request.
    pub(super) fn stage(&mut self, offset: usize, src: &[u8]) -> Option<*const u8> {
        // SAFETY: the pointer is valid as long as `self`, and until the request is submitted no one
        // else has one.
        unsafe { self.0.as_mut() }.buffer.stage(offset, src)
    }
}

impl Deref for RequestBox {
    type Target = Request;

    fn deref(&self) -> &Request {
        // SAFETY: the pointer is valid as long as `self`; only atomics change meanwhile.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for RequestBox {
    fn drop(&mut self) {
        // SAFETY: it came from a box. Requests that the device may still complete are not dropped
        // but kept in quarantine.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

impl Request {
    pub(super) const fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    pub(super) const fn class(&self) -> usize {
        self.class
    }

    /// Returns what the callback received, if it has been called.
    pub(super) fn completion(&self) -> Option<Completion> {
        self.is_done().then(|| Completion {
            status: self.status.load(Ordering::Relaxed),
            consumed: self.consumed.load(Ordering::Relaxed) as usize,
            produced: self.produced.load(Ordering::Relaxed) as usize,
            context: Some(self.context.load(Ordering::Relaxed)).filter(|&c| c != UNKNOWN),
        })
    }

    /// Returns what the library says about sequences.
    ///
    /// # Safety
    ///
    /// The request has been completed, with a session whose requests have sequences.
    pub(super) unsafe fn counts(&self) -> Counts {
        // SAFETY: the library wrote it before the callback, and is done with the request.
        let data = unsafe { self.lz77.get().read_volatile() };
        Counts {
            literals: data.lit_num,
            sequences: data.seq_num,
            overflows: data.lit_length_overflow_cnt,
            overflow_at: data.lit_length_overflow_pos,
        }
    }

    /// Abandons the request unless it has been completed. Returns whether it was abandoned.
    pub(super) fn abandon(&self) -> bool {
        self.state.compare_exchange(WAITING, ABANDONED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Returns whether the device is done with the request.
    pub(super) fn is_done(&self) -> bool {
        self.state.load(Ordering::Acquire) == DONE
    }
}

/// Runs `poll`, which polls context `index`, and records the context for [`completed`].
pub(super) fn while_polling<R>(index: u32, poll: impl FnOnce() -> R) -> R {
    POLLED.set(index);
    let result = poll();
    POLLED.set(UNKNOWN);
    result
}

/// Records a completion. The callback of all requests.
///
/// # Safety
///
/// `req` points to the library's copy of the request, and `cb_param` to its [`Request`].
pub(super) unsafe extern "C" fn completed(
    req: *mut wd_comp_req,
    cb_param: *mut c_void,
) -> *mut c_void {
    // SAFETY: the library passes its copy of the request, which is valid until this returns.
    let req = unsafe { &*req };
    // SAFETY: a request stays at its address until it is done, which only this function makes it.
    let request = unsafe { &*cb_param.cast::<Request>() };
    request.status.store(req.status, Ordering::Relaxed);
    request.consumed.store(req.src_len, Ordering::Relaxed);
    request.produced.store(req.dst_len, Ordering::Relaxed);
    request.context.store(POLLED.get(), Ordering::Relaxed);
    // From here on, another thread may reuse or free the request.
    request.state.store(DONE, Ordering::Release);
    std::ptr::null_mut()
}
