//! What would be memory corruption or a segmentation fault in the real library.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Says on standard error what was done, and panics; across `extern "C"` that is an abort.
pub(crate) fn crash(what: &str) -> ! {
    let message = format!("uadk-sim: {what}: the real library crashes here");
    // Not `eprintln`, which test harnesses capture and an abort then loses.
    let _ = writeln!(std::io::stderr(), "{message}");
    panic!("{message}");
}

/// Locks, also after a panic: the state is reset by whoever acquires the simulator next.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
