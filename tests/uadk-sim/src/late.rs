//! Late writes by the device to outputs of lost requests.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::sync::lock;
use parking_lot::Mutex;
use uadk_sys::abi::wd_lz77_zstd_data;

/// The byte that a late write fills the output with.
const SCRIBBLE: u8 = 0xa5;

static PENDING: AtomicUsize = AtomicUsize::new(0);
static WRITTEN: AtomicU64 = AtomicU64::new(0);
/// After this many further polls a late write happens automatically; 0 for never.
static AFTER_POLLS: AtomicU32 = AtomicU32::new(0);
pub(crate) static WRITES: Mutex<Vec<LateWrite>> = Mutex::new(Vec::new());

/// A pending write to one output.
#[derive(Debug)]
pub(crate) struct LateWrite {
    dst: usize,
    len: usize,
    /// The address of the figures of LZ77, or 0.
    data: usize,
    polls_left: Option<u32>,
}

impl LateWrite {
    fn write(&self) {
        let dst = std::ptr::with_exposed_provenance_mut::<u8>(self.dst);
        // SAFETY: the caller of the library passed this many bytes, and must keep the output of a
        // lost request forever, since the device may write to it at any time. This is that write.
        unsafe { std::ptr::write_bytes(dst, SCRIBBLE, self.len) };
        if self.data != 0 {
            let data = std::ptr::with_exposed_provenance_mut::<wd_lz77_zstd_data>(self.data);
            // SAFETY: as above: the library writes the figures when the request completes.
            let data = unsafe { &mut *data };
            let figure = u32::from_ne_bytes([SCRIBBLE; 4]);
            (data.lit_num, data.seq_num) = (figure, figure);
            (data.lit_length_overflow_cnt, data.lit_length_overflow_pos) = (figure, figure);
        }
        WRITTEN.fetch_add(1, Ordering::Relaxed);
    }
}

/// Adds the output of a lost request, and the figures of LZ77 or null.
pub(crate) fn add(dst: *mut u8, len: usize, data: *mut wd_lz77_zstd_data) {
    let after = AFTER_POLLS.load(Ordering::Relaxed);
    let polls_left = (after > 0).then_some(after);
    let mut writes = lock(&WRITES);
    let (dst, data) = (dst.expose_provenance(), data.expose_provenance());
    writes.push(LateWrite { dst, len, data, polls_left });
    PENDING.store(writes.len(), Ordering::Relaxed);
}

/// Counts a poll of a context, and makes the late writes that are due.
pub(crate) fn polled() {
    if PENDING.load(Ordering::Relaxed) == 0 || AFTER_POLLS.load(Ordering::Relaxed) == 0 {
        return;
    }
    let mut writes = lock(&WRITES);
    writes.retain_mut(|write| match &mut write.polls_left {
        Some(polls) if *polls <= 1 => {
            write.write();
            false
        }
        Some(polls) => {
            *polls -= 1;
            true
        }
        None => true,
    });
    PENDING.store(writes.len(), Ordering::Relaxed);
}

/// Makes all late writes now. Returns how many.
pub(crate) fn write_all() -> usize {
    let mut writes = lock(&WRITES);
    for write in writes.iter() {
        write.write();
    }
    let written = writes.len();
    writes.clear();
    PENDING.store(0, Ordering::Relaxed);
    written
}

pub(crate) fn set_after_polls(polls: u32) {
    AFTER_POLLS.store(polls, Ordering::Relaxed);
}

pub(crate) fn pending() -> u64 {
    PENDING.load(Ordering::Relaxed) as u64
}

pub(crate) fn written() -> u64 {
    WRITTEN.load(Ordering::Relaxed)
}

/// Forgets all late writes.
pub(crate) fn reset() {
    lock(&WRITES).clear();
    PENDING.store(0, Ordering::Relaxed);
    WRITTEN.store(0, Ordering::Relaxed);
    set_after_polls(0);
}
