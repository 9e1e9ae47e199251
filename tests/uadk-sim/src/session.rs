//! Sessions.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use uadk_sys::abi::{
    WD_COMP_WS_32K, WD_DIR_COMPRESS, WD_DIR_DECOMPRESS, handle_t, sched_params, wd_comp_sess_setup,
};

use crate::codec;
use crate::crash::crash;
use crate::machine::{Algorithm, Direction};
use crate::state::{self, Mode, Pin, STATE};
use crate::sync::lock;

const MAGIC: u64 = u64::from_le_bytes(*b"UADKSESS");
const MAX_LEVEL: u32 = 15;
/// `WD_COMP_ALG_MAX` of 2.10.
const MAX_ALG_TYPE: u32 = 6;

/// What a handle points to. Never deallocated, so that a stale handle can be told.
#[derive(Debug)]
pub(crate) struct Session {
    magic: u64,
    freed: AtomicBool,
    /// The simulator's life that it is of.
    life: u64,
    /// The initialisation that it is of.
    generation: u64,
    pub(crate) algorithm: Algorithm,
    pub(crate) window_bits: u8,
    /// The contexts that it is pinned to, if there are any.
    pub(crate) synchronous: Option<Pin>,
    pub(crate) asynchronous: Option<Pin>,
    pub(crate) in_flight: AtomicU32,
    pub(crate) lost: AtomicU32,
    in_doubt: AtomicBool,
}

impl Session {
    /// The session that a handle means; `None` for the null handle.
    pub(crate) fn from_handle(handle: handle_t) -> Option<&'static Self> {
        if handle == 0 {
            return None;
        }
        if !handle.is_multiple_of(align_of::<Self>()) {
            crash("a handle that is no session");
        }
        let session = std::ptr::with_exposed_provenance::<Self>(handle);
        // SAFETY: the library gave out the handle, as a pointer to a leaked session; a caller that
        // invents one crashes here, or at the next line, as in the real library.
        let session = unsafe { &*session };
        if session.magic != MAGIC {
            crash("a handle that is no session");
        }
        Some(session)
    }

    /// Crashes unless requests may be made on it.
    #[inline]
    pub(crate) fn require_usable(&self) {
        let generation = state::generation();
        if self.generation == generation && !self.freed.load(Ordering::Relaxed) {
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

    /// A request of it will never complete.
    pub(crate) fn lose_one(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// A submission failed with a code after which its caller can't know whether the device has the
    /// request.
    pub(crate) fn leave_in_doubt(&self) {
        self.in_doubt.store(true, Ordering::Relaxed);
    }

    /// Whether its owner may leave it alive: the device has a request of it for good, or might.
    pub(crate) fn may_stay(&self) -> bool {
        self.has_lost() || self.in_doubt.load(Ordering::Relaxed)
    }

    pub(crate) fn is_freed(&self) -> bool {
        self.freed.load(Ordering::Relaxed)
    }

    pub(crate) fn has_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed) > 0
    }
}

/// `wd_comp_alloc_sess`.
///
/// # Safety
///
/// `setup` is null, or a setup of 2.10 with 64 writable bytes behind; its `sched_param` is null or a
/// `sched_params` of 2.10.
pub(crate) unsafe fn alloc(setup: *mut wd_comp_sess_setup) -> handle_t {
    if setup.is_null() {
        return 0;
    }
    // SAFETY: the caller says that it is one.
    let given = unsafe { setup.read() };
    if given.alg_type >= MAX_ALG_TYPE || given.op_type > WD_DIR_DECOMPRESS {
        return 0;
    }
    if given.op_type == WD_DIR_COMPRESS
        && (given.comp_lv > MAX_LEVEL || given.win_sz > WD_COMP_WS_32K)
    {
        return 0;
    }
    let mut state = lock(&STATE);
    let generation = state::generation();
    if generation == 0 {
        crash("a session is allocated before the library is initialised");
    }
    // SAFETY: as above.
    unsafe { fill(setup, given) };
    // LZ77 and LZ4 are not modelled.
    let Some(algorithm) = Algorithm::from_type(given.alg_type) else { return 0 };

    let params = given.sched_param.cast::<sched_params>();
    let (node, kind) = if params.is_null() {
        (-1, 0)
    } else {
        // SAFETY: the caller says that it is one.
        let params = unsafe { params.read() };
        (params.numa_id, params.r#type)
    };
    // The contexts are those of the scheduler's direction, whatever the session's: that is the trap.
    if u32::from(kind) > WD_DIR_DECOMPRESS {
        return 0;
    }
    let direction = Direction::from_op_type(kind.into());
    if state.refused == Some(direction) {
        return 0;
    }
    let synchronous = state.next_context(node, Mode::Sync, direction);
    let asynchronous = state.next_context(node, Mode::Async, direction);
    if synchronous.is_none() && asynchronous.is_none() {
        return 0;
    }
    let session: &'static Session = Box::leak(Box::new(Session {
        magic: MAGIC,
        freed: AtomicBool::new(false),
        life: state.life,
        generation,
        algorithm,
        window_bits: codec::window_bits(if given.op_type == WD_DIR_COMPRESS {
            given.win_sz
        } else {
            WD_COMP_WS_32K
        }),
        synchronous,
        asynchronous,
        in_flight: AtomicU32::new(0),
        lost: AtomicU32::new(0),
        in_doubt: AtomicBool::new(false),
    }));
    state.sessions.push(session);
    state.sessions_allocated += 1;
    std::ptr::from_ref(session).expose_provenance()
}

/// Writes to the whole of the caller's setup, and behind it as a future version would.
///
/// # Safety
///
/// As [`alloc`], and not null.
unsafe fn fill(setup: *mut wd_comp_sess_setup, mut value: wd_comp_sess_setup) {
    /// Bytes behind.
    const FUTURE: usize = 64;
    extern "C" fn operation() {}
    let operation: *mut std::ffi::c_void =
        (operation as extern "C" fn() as *const ()).cast_mut().cast();
    let none = std::ptr::null_mut();
    // alloc, free, iova_map, iova_unmap, get_bufsize, usr: with shared virtual addressing nothing
    // is mapped.
    value.mm_ops.operations = [operation, operation, none, none, operation, none];
    value.mm_ops.sva_mode = true;
    // SAFETY: the caller says that it is a setup.
    unsafe { setup.write(value) };
    // SAFETY: one past the end.
    let behind = unsafe { setup.add(1) };
    // SAFETY: the caller says that so much is writable.
    unsafe { std::ptr::write_bytes(behind.cast::<u8>(), 0x5a, FUTURE) };
}

/// `wd_comp_free_sess`.
pub(crate) fn free(handle: handle_t) {
    let Some(session) = Session::from_handle(handle) else { return };
    let mut state = lock(&STATE);
    if session.freed.swap(true, Ordering::Relaxed) {
        crash("a session is freed twice");
    }
    // What a forked child inherits, or is left of an earlier test, is only memory.
    if session.life != state.life {
        return;
    }
    if session.in_flight.load(Ordering::Relaxed) > 0 {
        crash("a session is freed while it has a request in flight");
    }
    if session.has_lost() {
        crash("a session is freed although it lost a request, which may still be written to");
    }
    state.sessions.retain(|other| !std::ptr::eq(*other, session));
    state.freed.push(session);
    state.sessions_freed += 1;
}
