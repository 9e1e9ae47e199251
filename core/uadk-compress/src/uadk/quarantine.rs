//! Sessions with blocks that were given up, but that the device may still process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::contexts::Contexts;
use super::session::Session;

/// Keeps the buffers of lost blocks mapped forever, unless the device completes them after all. The
/// device may write to them at any later time, even after the library has been initialised again.
/// Only the address range is kept; the memory backing it is returned to the system.
#[derive(Debug)]
pub(super) struct Quarantine {
    sessions: Vec<Session>,
    losses: Arc<Losses>,
}

/// Counts of lost blocks and of the bytes kept for them.
#[derive(Debug, Default)]
pub(super) struct Losses {
    bytes: AtomicUsize,
    blocks: AtomicU64,
}

impl Losses {
    /// Returns the bytes of buffers that are currently kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Returns the number of blocks whose completion never came, or came too late.
    pub(super) fn blocks(&self) -> u64 {
        self.blocks.load(Ordering::Relaxed)
    }
}

impl Quarantine {
    pub(super) const fn new(losses: Arc<Losses>) -> Self {
        Self { sessions: Vec::new(), losses }
    }

    /// Takes in a session with lost blocks.
    pub(super) fn admit(&mut self, session: Session) {
        let lost = session.lost();
        let mut bytes = 0;
        for request in lost {
            request.buffer().discard();
            bytes += request.buffer().len();
        }
        self.losses.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.losses.blocks.fetch_add(lost.len() as u64, Ordering::Relaxed);
        self.sessions.push(session);
    }

    /// Returns whether there are sessions of this initialisation.
    pub(super) fn has_sessions_of(&self, contexts: &Arc<Contexts>) -> bool {
        self.sessions.iter().any(|session| Arc::ptr_eq(session.contexts(), contexts))
    }

    /// Frees the buffers of blocks that the device has processed after all. Returns the sessions
    /// that have no lost blocks left.
    pub(super) fn sweep(&mut self) -> Vec<Session> {
        for session in &mut self.sessions {
            session.lost_mut().retain(|request| {
                // Read once: it may become true at any moment.
                let done = request.is_done();
                if done {
                    self.losses.bytes.fetch_sub(request.buffer().len(), Ordering::Relaxed);
                }
                !done
            });
        }
        self.sessions.extract_if(.., |session| session.lost().is_empty()).collect()
    }
}

impl Drop for Quarantine {
    fn drop(&mut self) {
        // Memory that the device may still write to is never freed.
        std::mem::forget(std::mem::take(&mut self.sessions));
    }
}
