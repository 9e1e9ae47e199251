//! What each thread keeps: sessions, requests and buffers.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use super::arena::Arena;
use super::fork;
use super::lifecycle::{SharedSlot, is_alone};
use super::request::RequestBox;
use super::runtime::Runtime;
use super::session::{Key, Session};
use crate::Error;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::new()) };
}

/// A thread's own. Other threads only ever take idle sessions from its slots.
#[derive(Debug)]
pub(super) struct Pool {
    entries: Vec<Entry>,
    pub(super) resources: Resources,
}

/// What blocks need besides a session.
#[derive(Debug)]
pub(super) struct Resources {
    pub(super) arena: Arena,
    /// What the device has. Empty between calls.
    pub(super) in_flight: Vec<InFlight>,
}

/// A block that the device has.
#[derive(Debug)]
pub(super) struct InFlight {
    /// Its place in the batch.
    pub(super) block: usize,
    pub(super) request: RequestBox,
    /// When nobody waits for it any more.
    pub(super) deadline: Duration,
}

/// A session that this thread has used, if it is still here.
#[derive(Debug)]
struct Entry {
    runtime: Arc<Runtime>,
    key: Key,
    slot: SharedSlot<Session>,
}

/// A session in use. To be given to [`Pool::give_back`] or [`Pool::end`].
#[derive(Debug)]
#[must_use]
pub(super) struct Lease {
    pub(super) session: Box<Session>,
    entry: usize,
}

/// Runs `work` with this thread's pool. [`Error::Busy`] while the thread is being torn down, or is
/// at it already.
pub(super) fn with<R>(work: impl FnOnce(&mut Pool) -> R) -> Result<R, Error> {
    POOL.try_with(|pool| Some(work(&mut *pool.try_borrow_mut().ok()?)))
        .ok()
        .flatten()
        .ok_or(Error::Busy)
}

impl Pool {
    const fn new() -> Self {
        let resources = Resources { arena: Arena::new(), in_flight: Vec::new() };
        Self { entries: Vec::new(), resources }
    }

    /// A session of this kind: the one that this thread has, or a new one.
    pub(super) fn lease(&mut self, runtime: &Arc<Runtime>, key: Key) -> Result<Lease, Error> {
        let found = self
            .entries
            .iter()
            .position(|entry| entry.key == key && Arc::ptr_eq(&entry.runtime, runtime));
        if let Some(entry) = found
            && let Some(session) = self.entries[entry].slot.take()
        {
            return Ok(Lease { session, entry });
        }
        // Sessions that were taken away, this one perhaps among them.
        self.entries.retain(|entry| !is_alone(&entry.slot));
        let (slot, session) = runtime.allocate(key)?;
        self.entries.push(Entry { runtime: Arc::clone(runtime), key, slot });
        Ok(Lease { session, entry: self.entries.len() - 1 })
    }

    /// Keeps the session for the next time.
    pub(super) fn give_back(&mut self, lease: Lease) {
        let entry = &self.entries[lease.entry];
        entry.runtime.lifecycle.put_back(&entry.slot, lease.session);
    }

    /// Never uses the session again: frees it, unless the device may still do a block of it.
    pub(super) fn end(&mut self, lease: Lease) {
        let entry = self.entries.swap_remove(lease.entry);
        let lifecycle = &entry.runtime.lifecycle;
        if lease.session.lost().is_empty() {
            lifecycle.free(*lease.session);
        } else {
            lifecycle.abandon(*lease.session);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let Some(session) = self.slot.take() else { return };
        if self.runtime.forks == fork::generation() {
            self.runtime.lifecycle.free(*session);
        } else {
            // It is the parent's.
            std::mem::forget(session);
        }
    }
}
