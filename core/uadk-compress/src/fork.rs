//! Detects that this process was forked from one that used the device.

#![allow(unsafe_code, reason = "registers a fork handler")]

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

static FORKS: AtomicU64 = AtomicU64::new(0);

/// Returns how many forks separate this process from the one that first called [`watch`].
pub(crate) fn generation() -> u64 {
    FORKS.load(Ordering::Relaxed)
}

/// Starts counting forks.
pub(crate) fn watch() {
    static WATCHING: Once = Once::new();
    WATCHING.call_once(|| {
        // SAFETY: the handler only adds to an atomic, which is allowed after a fork. Registration
        // fails only for lack of memory; forks then go unnoticed.
        unsafe { libc::pthread_atfork(None, None, Some(forked)) };
    });
}

unsafe extern "C" fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}
