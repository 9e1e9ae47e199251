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

/// A session in use, and the pool it is of. Unless it is [given back](Self::give_back) it is never
/// used again, and what it has in flight, if somebody panicked, is left to the device.
#[derive(Debug)]
pub(super) struct Lease<'a> {
    pool: &'a mut Pool,
    entry: usize,
    /// Until it is given back.
    session: Option<Box<Session>>,
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
    pub(super) fn lease(&mut self, runtime: &Arc<Runtime>, key: Key) -> Result<Lease<'_>, Error> {
        let found = self
            .entries
            .iter()
            .position(|entry| entry.key == key && Arc::ptr_eq(&entry.runtime, runtime));
        if let Some(entry) = found
            && let Some(session) = self.entries[entry].slot.take()
        {
            return Ok(Lease { pool: self, entry, session: Some(session) });
        }
        // Sessions that were taken away, this one perhaps among them.
        self.entries.retain(|entry| !is_alone(&entry.slot));
        let (slot, session) = runtime.allocate(key)?;
        self.entries.push(Entry { runtime: Arc::clone(runtime), key, slot });
        let entry = self.entries.len() - 1;
        Ok(Lease { pool: self, entry, session: Some(session) })
    }
}

impl Lease<'_> {
    pub(super) fn session(&self) -> &Session {
        self.session.as_ref().expect("it has not been given back")
    }

    /// The session, and what its blocks need.
    pub(super) fn parts(&mut self) -> (&mut Session, &mut Resources) {
        let session = self.session.as_mut().expect("it has not been given back");
        (session, &mut self.pool.resources)
    }

    /// Keeps the session for the next time.
    pub(super) fn give_back(mut self) {
        let entry = &self.pool.entries[self.entry];
        if let Some(session) = self.session.take() {
            entry.runtime.lifecycle.put_back(&entry.slot, session);
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(mut session) = self.session.take() else { return };
        for block in self.pool.resources.in_flight.drain(..) {
            self.pool.resources.arena.lost(&block.request);
            session.lose(block.request);
        }
        let entry = self.pool.entries.swap_remove(self.entry);
        let lifecycle = &entry.runtime.lifecycle;
        if session.lost().is_empty() {
            lifecycle.free(*session);
        } else {
            lifecycle.abandon(*session);
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
