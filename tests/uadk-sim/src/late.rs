//! Outputs of lost requests that the device still writes to.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::sync::lock;
use parking_lot::Mutex;

/// What a late write leaves behind.
const SCRIBBLE: u8 = 0xa5;

static PENDING: AtomicUsize = AtomicUsize::new(0);
static WRITTEN: AtomicU64 = AtomicU64::new(0);
/// After so many further polls a late write happens by itself; 0 for never.
static AFTER_POLLS: AtomicU32 = AtomicU32::new(0);
pub(crate) static WRITES: Mutex<Vec<LateWrite>> = Mutex::new(Vec::new());

/// One output.
#[derive(Debug)]
pub(crate) struct LateWrite {
    dst: usize,
    room: usize,
    polls_left: Option<u32>,
}

impl LateWrite {
    fn write(&self) {
        let dst = std::ptr::with_exposed_provenance_mut::<u8>(self.dst);
        // SAFETY: the caller of the library gave so much room, and has to keep the output of a lost
        // request for ever: the device may write to it at any time. This is that write.
        unsafe { std::ptr::write_bytes(dst, SCRIBBLE, self.room) };
        WRITTEN.fetch_add(1, Ordering::Relaxed);
    }
}

/// The output of a lost request.
pub(crate) fn add(dst: *mut u8, room: usize) {
    let after = AFTER_POLLS.load(Ordering::Relaxed);
    let polls_left = (after > 0).then_some(after);
    let mut writes = lock(&WRITES);
    writes.push(LateWrite { dst: dst.expose_provenance(), room, polls_left });
    PENDING.store(writes.len(), Ordering::Relaxed);
}

/// A context was polled.
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

/// Makes all late writes now, and says how many.
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

/// Forgets all of them.
pub(crate) fn reset() {
    lock(&WRITES).clear();
    PENDING.store(0, Ordering::Relaxed);
    WRITTEN.store(0, Ordering::Relaxed);
    set_after_polls(0);
}
