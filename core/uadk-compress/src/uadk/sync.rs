//! Synchronisation for [`slot`](super::slot) and [`lifecycle`](super::lifecycle): `parking_lot` and
//! std, or loom when loom explores thread interleavings (`--cfg loom`).

use std::time::Duration;

#[cfg(loom)]
pub(super) use loom::sync::{Arc, MutexGuard, atomic};
#[cfg(not(loom))]
pub(super) use {
    parking_lot::MutexGuard,
    std::sync::{Arc, atomic},
};

#[cfg(loom)]
type RawMutex<T> = loom::sync::Mutex<T>;
#[cfg(not(loom))]
type RawMutex<T> = parking_lot::Mutex<T>;

#[cfg(loom)]
type RawCondvar = loom::sync::Condvar;
#[cfg(not(loom))]
type RawCondvar = parking_lot::Condvar;

/// A lock that is never poisoned.
#[derive(Debug)]
pub(super) struct Mutex<T>(RawMutex<T>);

/// Wakes threads that wait for a change of the state behind a [`Mutex`].
#[derive(Debug)]
pub(super) struct Condvar(RawCondvar);

impl<T> Mutex<T> {
    pub(super) fn new(value: T) -> Self {
        Self(RawMutex::new(value))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        #[cfg(loom)]
        return self.0.lock().unwrap();
        #[cfg(not(loom))]
        return self.0.lock();
    }
}

impl Condvar {
    pub(super) fn new() -> Self {
        Self(RawCondvar::new())
    }

    pub(super) fn notify_all(&self) {
        self.0.notify_all();
    }

    /// Waits until notified, for `limit` at most. Loom does not model time: there it waits until
    /// notified.
    pub(super) fn wait_for<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        limit: Duration,
    ) -> MutexGuard<'a, T> {
        #[cfg(loom)]
        {
            let _ = limit;
            self.0.wait(guard).unwrap()
        }
        #[cfg(not(loom))]
        {
            let mut guard = guard;
            self.0.wait_for(&mut guard, limit);
            guard
        }
    }
}
