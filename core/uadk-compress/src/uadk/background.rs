//! Threads that initialise and uninitialise the device, which may take seconds.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::fork;

/// The number of running threads in the low half, the process they belong to in the high half.
static RUNNING: AtomicU64 = AtomicU64::new(0);

/// How long the exiting process waits for these threads. The library's destructors free resources
/// that the threads may be using; on a healthy device the threads finish sooner.
const EXIT_TIMEOUT: Duration = Duration::from_millis(100);

/// Runs `work` in a new thread.
///
/// # Errors
///
/// If no thread can be started; `work` is not run.
pub(super) fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    // Not a `Once`: a child that is forked while another thread is inside would wait forever.
    static HANDLER_IS_SET: AtomicBool = AtomicBool::new(false);
    if !HANDLER_IS_SET.swap(true, Ordering::AcqRel) {
        // SAFETY: the handler is a function of this program that does not unwind. If there is no
        // memory to register it, the exiting process does not wait.
        unsafe { libc::atexit(wait_at_exit) };
    }
    count(|running| running + 1);
    let guard = Guard;
    std::thread::Builder::new()
        .name("uadk-start".into())
        .spawn(move || {
            let _guard = guard;
            work();
        })
        .map(|_| ())
}

/// Decrements the count when the thread ends, or if it could not be started.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        count(|running| running.saturating_sub(1));
    }
}

/// Changes the number of running threads. A forked child has none of its parent's threads.
fn count(change: impl Fn(u32) -> u32) {
    let process = fork::generation() << 32;
    let changed = |running: u64| {
        let current = running & !u64::from(u32::MAX) == process;
        Some(process | u64::from(change(if current { running as u32 } else { 0 })))
    };
    let _ = RUNNING.fetch_update(Ordering::AcqRel, Ordering::Acquire, changed);
}

extern "C" fn wait_at_exit() {
    let begin = Instant::now();
    let at_work = || {
        let running = RUNNING.load(Ordering::Acquire);
        running >> 32 == fork::generation() && running as u32 > 0
    };
    while at_work() && begin.elapsed() < EXIT_TIMEOUT {
        std::thread::sleep(Duration::from_millis(1));
    }
}
