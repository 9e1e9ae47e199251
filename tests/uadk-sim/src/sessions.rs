//! Allocating and freeing sessions.

use std::sync::atomic::Ordering;

use uadk_sys::abi::{
    WD_COMP_WS_32K, WD_DIR_COMPRESS, WD_DIR_DECOMPRESS, handle_t, sched_params, wd_comp_sess_setup,
};

use crate::crash::crash;
use crate::machine::{Algorithm, Direction};
use crate::role::Mode;
use crate::session::{Owner, Parameters, Session};
use crate::state::{self, STATE};
use crate::sync::lock;

const MAX_LEVEL: u32 = 15;

/// Implements `wd_comp_alloc_sess` of version 2.`minor`.
///
/// # Safety
///
/// `setup` is null, or points to a setup of 2.10 followed by 64 writable bytes; its `sched_param`
/// is null or points to a `sched_params` of 2.10.
pub(crate) unsafe fn alloc(setup: *mut wd_comp_sess_setup, minor: u8) -> handle_t {
    if setup.is_null() {
        return 0;
    }
    // SAFETY: the caller guarantees that it is a setup.
    let given = unsafe { setup.read() };
    // Whether a device offers the algorithm is not checked.
    let known = Algorithm::from_type(given.alg_type).filter(|known| known.is_known_to(minor));
    let Some(algorithm) = known else { return 0 };
    if given.op_type > WD_DIR_DECOMPRESS {
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
        crash("session allocated before the library is initialised");
    }
    // SAFETY: as above.
    unsafe { fill(setup, given) };
    let params = given.sched_param.cast::<sched_params>();
    let (node, kind) = if params.is_null() {
        (-1, 0)
    } else {
        // SAFETY: the caller guarantees that it is a `sched_params`.
        let params = unsafe { params.read() };
        (params.numa_id, params.r#type)
    };
    // As in the real library, the scheduler's direction selects the contexts, not the session's.
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
    let win_sz = if given.op_type == WD_DIR_COMPRESS { given.win_sz } else { WD_COMP_WS_32K };
    let session: &'static Session = Box::leak(Box::new(Session::new(
        Owner { life: state.life, generation },
        Parameters { algorithm, level: given.comp_lv, win_sz, minor },
        synchronous,
        asynchronous,
    )));
    state.sessions.push(session);
    state.sessions_allocated += 1;
    std::ptr::from_ref(session).expose_provenance()
}

/// Overwrites the whole setup, and bytes after it, as a future version would.
///
/// # Safety
///
/// As for [`alloc`]; `setup` is not null.
unsafe fn fill(setup: *mut wd_comp_sess_setup, mut value: wd_comp_sess_setup) {
    /// Bytes written past the end.
    const FUTURE: usize = 64;
    extern "C" fn operation() {}
    let operation: *mut std::ffi::c_void =
        (operation as extern "C" fn() as *const ()).cast_mut().cast();
    let none = std::ptr::null_mut();
    // alloc, free, iova_map, iova_unmap, get_bufsize, usr: with shared virtual addressing nothing
    // is mapped.
    value.mm_ops.operations = [operation, operation, none, none, operation, none];
    value.mm_ops.sva_mode = true;
    // SAFETY: the caller guarantees that it is a setup.
    unsafe { setup.write(value) };
    // SAFETY: one past the end.
    let end = unsafe { setup.add(1) };
    // SAFETY: the caller guarantees that this many bytes are writable.
    unsafe { std::ptr::write_bytes(end.cast::<u8>(), 0x5a, FUTURE) };
}

/// Implements `wd_comp_free_sess`.
pub(crate) fn free(handle: handle_t) {
    let Some(session) = Session::from_handle(handle) else { return };
    let mut state = lock(&STATE);
    session.mark_freed();
    // A session that a forked child inherits, or that an earlier test left behind, is only memory.
    if session.life() != state.life {
        return;
    }
    if session.in_flight.load(Ordering::Relaxed) > 0 {
        crash("session freed with a request in flight");
    }
    if session.has_lost() {
        crash("session freed after it lost a request, whose output may still be written");
    }
    state.sessions.retain(|other| !std::ptr::eq(*other, session));
    state.freed.push(session);
    state.sessions_freed += 1;
}
