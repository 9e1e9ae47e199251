//! The simulator's own time, so that a caller's can be told from it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

static ENABLED: AtomicBool = AtomicBool::new(false);
static NANOS: AtomicU64 = AtomicU64::new(0);

/// Starts or stops counting, from 0.
pub(crate) fn set(on: bool) {
    NANOS.store(0, Ordering::Relaxed);
    ENABLED.store(on, Ordering::Relaxed);
}

/// Returns the time counted so far, of all threads.
pub(crate) fn total() -> Duration {
    Duration::from_nanos(NANOS.load(Ordering::Relaxed))
}

/// Calls `work` and counts its time.
pub(crate) fn count<R>(work: impl FnOnce() -> R) -> R {
    if !ENABLED.load(Ordering::Relaxed) {
        return work();
    }
    let begin = Instant::now();
    let result = work();
    NANOS.fetch_add(begin.elapsed().as_nanos() as u64, Ordering::Relaxed);
    result
}
