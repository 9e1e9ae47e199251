//! A session: what a handle points to.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use uadk_sys::abi::handle_t;

use crate::crash::crash;
use crate::machine::Algorithm;
use crate::role::Pin;

const MAGIC: u64 = u64::from_le_bytes(*b"UADKSESS");

/// What a handle points to. Never deallocated, so that a stale handle is recognised.
#[derive(Debug)]
pub(crate) struct Session {
    magic: u64,
    freed: AtomicBool,
    owner: Owner,
    pub(crate) algorithm: Algorithm,
    pub(crate) window_bits: u8,
    /// The contexts that it is pinned to, if any.
    pub(crate) synchronous: Option<Pin>,
    pub(crate) asynchronous: Option<Pin>,
    pub(crate) in_flight: AtomicU32,
    pub(crate) lost: AtomicU32,
    in_doubt: AtomicBool,
}

/// What a session belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    /// The life of the simulator, as [`State::life`](crate::state::State::life) counts them.
    pub(crate) life: u64,
    /// The initialisation.
    pub(crate) generation: u64,
}

impl Session {
    /// A session without requests.
    pub(crate) fn new(
        owner: Owner,
        algorithm: Algorithm,
        window_bits: u8,
        synchronous: Option<Pin>,
        asynchronous: Option<Pin>,
    ) -> Self {
        Self {
            magic: MAGIC,
            freed: AtomicBool::new(false),
            owner,
            algorithm,
            window_bits,
            synchronous,
            asynchronous,
            in_flight: AtomicU32::new(0),
            lost: AtomicU32::new(0),
            in_doubt: AtomicBool::new(false),
        }
    }

    /// The session behind a handle; `None` for the null handle.
    pub(crate) fn from_handle(handle: handle_t) -> Option<&'static Self> {
        if handle == 0 {
            return None;
        }
        if !handle.is_multiple_of(align_of::<Self>()) {
            crash("a handle that is no session");
        }
        let session = std::ptr::with_exposed_provenance::<Self>(handle);
        // SAFETY: `alloc` returned the handle, a pointer to a leaked session; a caller that makes one
        // up crashes here, or at the next line, as in the real library.
        let session = unsafe { &*session };
        if session.magic != MAGIC {
            crash("a handle that is no session");
        }
        Some(session)
    }

    /// Crashes unless requests may be made on it in the current initialisation, `generation`.
    #[inline]
    pub(crate) fn require_usable(&self, generation: u64) {
        if self.owner.generation == generation && !self.freed.load(Ordering::Relaxed) {
            return;
        }
        if self.freed.load(Ordering::Relaxed) {
            crash("a request on a session that was freed");
        }
        if generation == 0 {
            crash("a request while the library is not initialised");
        }
        crash("a request on a session of an earlier initialisation");
    }

    /// Records that one of its requests never completes.
    pub(crate) fn lose_one(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Records that a submission failed with a code that leaves open whether the device has the
    /// request.
    pub(crate) fn leave_in_doubt(&self) {
        self.in_doubt.store(true, Ordering::Relaxed);
    }

    /// Whether its owner may leave it alive: the device holds one of its requests for good, or might.
    pub(crate) fn may_stay(&self) -> bool {
        self.has_lost() || self.in_doubt.load(Ordering::Relaxed)
    }

    /// The life of the simulator that it belongs to.
    pub(crate) fn life(&self) -> u64 {
        self.owner.life
    }

    /// Crashes if it was freed before.
    pub(crate) fn mark_freed(&self) {
        if self.freed.swap(true, Ordering::Relaxed) {
            crash("a session is freed twice");
        }
    }

    pub(crate) fn is_freed(&self) -> bool {
        self.freed.load(Ordering::Relaxed)
    }

    pub(crate) fn has_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed) > 0
    }
}
