//! The sessions that each thread keeps.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use super::lifecycle::{SharedSlot, has_one_owner};
use super::runtime::Runtime;
use super::session::{Key, Session};
use crate::{Error, fork};

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::new()) };
}

/// The sessions of one thread. Other threads only take idle sessions from their slots.
#[derive(Debug)]
pub(super) struct Pool {
    entries: Vec<Entry>,
}

/// A session that this thread has used, unless it has been taken away since.
#[derive(Debug)]
struct Entry {
    runtime: Arc<Runtime>,
    key: Key,
    slot: SharedSlot<Session>,
}

/// A session in use. Unless it is [given back](Self::give_back) it is never used again; anything it
/// has in flight when a panic unwinds is left to the device.
#[derive(Debug)]
pub(super) struct Lease<'a> {
    pool: &'a mut Pool,
    entry: usize,
    /// `None` once it has been given back.
    session: Option<Box<Session>>,
}

/// Runs `work` with this thread's pool.
///
/// # Errors
///
/// [`Error::Busy`] if the thread is ending or already using its pool.
pub(super) fn with<R>(work: impl FnOnce(&mut Pool) -> R) -> Result<R, Error> {
    POOL.try_with(|pool| Some(work(&mut *pool.try_borrow_mut().ok()?)))
        .ok()
        .flatten()
        .ok_or(Error::Busy)
}

impl Pool {
    const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Returns a session for `key`: the one that this thread keeps, or a new one.
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
        // Forget sessions that were taken away, perhaps including this one.
        self.entries.retain(|entry| !has_one_owner(&entry.slot));
        let (slot, session) = runtime.allocate(key)?;
        self.entries.push(Entry { runtime: Arc::clone(runtime), key, slot });
        let entry = self.entries.len() - 1;
        Ok(Lease { pool: self, entry, session: Some(session) })
    }
}

impl Lease<'_> {
    pub(super) fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect("it has not been given back")
    }

    /// Keeps the session for the next call, unless the device may still be working for it or
    /// another library may undo the initialisation that it belongs to.
    pub(super) fn give_back(mut self, now: Duration) {
        let keep = |session: &mut Box<Session>| {
            session.lost().is_empty() && !session.contexts().are_adopted()
        };
        if let Some(session) = self.session.take_if(keep) {
            let entry = &self.pool.entries[self.entry];
            entry.runtime.put_back(&entry.slot, session, now);
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(mut session) = self.session.take() else { return };
        session.lose_all();
        session.retire();
        let entry = self.pool.entries.swap_remove(self.entry);
        if session.lost().is_empty() {
            entry.runtime.free(*session);
        } else {
            entry.runtime.abandon(*session);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let Some(session) = self.slot.take() else { return };
        if self.runtime.forks == fork::generation() {
            self.runtime.free(*session);
        } else {
            // It belongs to the parent process.
            std::mem::forget(session);
        }
    }
}
