//! Sessions, which handles point to.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use uadk_sys::abi::handle_t;

use crate::crash::crash;
use crate::machine::Algorithm;
use crate::role::Pin;

const MAGIC: u64 = u64::from_le_bytes(*b"UADKSESS");

/// A session, which a handle points to. Never deallocated, so that a stale handle is recognised.
#[derive(Debug)]
pub(crate) struct Session {
    magic: u64,
    freed: AtomicBool,
    owner: Owner,
    pub(crate) parameters: Parameters,
    /// The contexts that it is pinned to, if any.
    pub(crate) synchronous: Option<Pin>,
    pub(crate) asynchronous: Option<Pin>,
    pub(crate) in_flight: AtomicU32,
    pub(crate) lost: AtomicU32,
    in_doubt: AtomicBool,
}

/// How a session's requests are processed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameters {
    pub(crate) algorithm: Algorithm,
    pub(crate) level: u32,
    pub(crate) win_sz: u32,
    /// The library behaves like 2.`minor`.
    pub(crate) minor: u8,
}

/// The simulator and the initialisation that a session belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    /// The simulator: see [`State::life`](crate::state::State::life).
    pub(crate) life: u64,
    /// The number of the initialisation.
    pub(crate) generation: u64,
}

impl Session {
    /// Creates a session without requests.
    pub(crate) fn new(
        owner: Owner,
        parameters: Parameters,
        synchronous: Option<Pin>,
        asynchronous: Option<Pin>,
    ) -> Self {
        Self {
            magic: MAGIC,
            freed: AtomicBool::new(false),
            owner,
            parameters,
            synchronous,
            asynchronous,
            in_flight: AtomicU32::new(0),
            lost: AtomicU32::new(0),
            in_doubt: AtomicBool::new(false),
        }
    }

    /// Returns the session of a handle; `None` for the null handle.
    pub(crate) fn from_handle(handle: handle_t) -> Option<&'static Self> {
        if handle == 0 {
            return None;
        }
        if !handle.is_multiple_of(align_of::<Self>()) {
            crash("handle is not a session");
        }
        let session = std::ptr::with_exposed_provenance::<Self>(handle);
        // SAFETY: `alloc` returned the handle, a pointer to a leaked session. An invented handle
        // crashes here or at the next line, as in the real library.
        let session = unsafe { &*session };
        if session.magic != MAGIC {
            crash("handle is not a session");
        }
        Some(session)
    }

    /// Crashes if the session can't be used in the current initialisation, `generation`.
    #[inline]
    pub(crate) fn require_usable(&self, generation: u64) {
        if self.owner.generation == generation && !self.freed.load(Ordering::Relaxed) {
            return;
        }
        if self.freed.load(Ordering::Relaxed) {
            crash("request on a freed session");
        }
        if generation == 0 {
            crash("request while the library is not initialised");
        }
        crash("request on a session of an earlier initialisation");
    }

    /// Records that one of the session's requests never completes.
    pub(crate) fn lose_one(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Records that a submission failed with a code that does not tell whether the device has the
    /// request.
    pub(crate) fn set_in_doubt(&self) {
        self.in_doubt.store(true, Ordering::Relaxed);
    }

    /// Returns whether the session may stay alive when the library is uninitialised: the device
    /// holds one of its requests forever, or might.
    pub(crate) fn may_stay(&self) -> bool {
        self.has_lost() || self.in_doubt.load(Ordering::Relaxed)
    }

    /// Returns the [`State::life`](crate::state::State::life) that it belongs to.
    pub(crate) fn life(&self) -> u64 {
        self.owner.life
    }

    /// Marks the session as freed. Crashes if it already was.
    pub(crate) fn mark_freed(&self) {
        if self.freed.swap(true, Ordering::Relaxed) {
            crash("session freed twice");
        }
    }

    pub(crate) fn is_freed(&self) -> bool {
        self.freed.load(Ordering::Relaxed)
    }

    pub(crate) fn has_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed) > 0
    }
}
