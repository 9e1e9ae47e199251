//! Locking that survives `fork`.
//!
//! `parking_lot` keeps waiting threads in an internal table. A forked child inherits that table
//! with entries for threads it does not have, perhaps in the middle of a change, and could hand a
//! lock to one of them. So nothing in this crate ever parks: a thread that finds a lock taken
//! yields and retries, and the table stays empty. Locks are held for a few instructions, except by
//! the fork handlers.

use std::time::Duration;

use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Polling interval of a thread that waits for a slow event.
pub(crate) const STEP: Duration = Duration::from_millis(1);

/// Attempts between two yields.
const SPINS: u32 = 100;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    until_some(|| mutex.try_lock())
}

pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    until_some(|| lock.try_read())
}

pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    until_some(|| lock.try_write())
}

#[inline]
fn until_some<G>(attempt: impl Fn() -> Option<G>) -> G {
    loop {
        // Most locks are released sooner than a yield would return.
        for _ in 0..SPINS {
            if let Some(guard) = attempt() {
                return guard;
            }
            std::hint::spin_loop();
        }
        std::thread::yield_now();
    }
}
