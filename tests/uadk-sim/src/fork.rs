//! Fork handlers: a child starts uninitialised, and no lock is held by a thread it does not have.

use std::cell::UnsafeCell;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{MutexGuard, RwLockWriteGuard};

use crate::state::STATE;
use crate::sync::lock;
use crate::turn::{TURN, Turn};
use crate::{clock, contexts, drivers, faults, late, memo};

static GATE: AtomicBool = AtomicBool::new(false);
static HELD: Held = Held(UnsafeCell::new(None));

/// All locks, held from before the fork until after it. They are taken in the order in which they
/// are nested elsewhere.
struct Locks {
    turn: MutexGuard<'static, Turn>,
    state: MutexGuard<'static, crate::state::State>,
    _contexts: Vec<MutexGuard<'static, contexts::Queue>>,
    _late: MutexGuard<'static, Vec<late::LateWrite>>,
    _faults: MutexGuard<'static, faults::Plan>,
    _clock: MutexGuard<'static, clock::Custom>,
    _memo: Vec<RwLockWriteGuard<'static, memo::Shard>>,
}

struct Held(UnsafeCell<Option<Locks>>);

// SAFETY: only used by the thread that holds the gate.
unsafe impl Sync for Held {}

/// Registers the handlers, once.
pub(crate) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the handlers stay valid, as this library is never unloaded.
        let code = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
        assert_eq!(code, 0, "pthread_atfork failed");
    });
}

extern "C" fn before() {
    while GATE.swap(true, Ordering::Acquire) {
        std::thread::yield_now();
    }
    let locks = Locks {
        turn: lock(&TURN),
        state: lock(&STATE),
        _contexts: contexts::used().iter().map(contexts::Context::queue).collect(),
        _late: lock(&late::WRITES),
        _faults: lock(&faults::PLAN),
        _clock: lock(&clock::CUSTOM),
        _memo: memo::locked(),
    };
    // SAFETY: this thread holds the gate.
    unsafe { *HELD.0.get() = Some(locks) };
}

fn take() -> Option<Locks> {
    // SAFETY: this thread, or its copy in the child, holds the gate.
    unsafe { (*HELD.0.get()).take() }
}

extern "C" fn in_parent() {
    drop(take());
    GATE.store(false, Ordering::Release);
}

extern "C" fn in_child() {
    if let Some(mut locks) = take() {
        locks.turn.void();
        locks.state.forked();
        drop(locks);
    }
    contexts::reset();
    late::reset();
    let state = lock(&STATE);
    drivers::unlink();
    drop(state);
    GATE.store(false, Ordering::Release);
}
