//! Threads that initialise and uninitialise the device, which may take seconds.

use std::io;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::fork;

/// Threads that are at work, in the process of [`PROCESS`].
static RUNNING: AtomicUsize = AtomicUsize::new(0);
static PROCESS: AtomicU64 = AtomicU64::new(0);

/// How long the end of the process waits for them. The library's destructors free what they may be
/// using; on a sound device they are done in less.
const AT_EXIT: Duration = Duration::from_millis(100);

/// Runs `work` in a thread of its own.
///
/// # Errors
///
/// If no thread can be started; `work` is not run.
pub(super) fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    static AT_EXIT_IS_SET: Once = Once::new();
    AT_EXIT_IS_SET.call_once(|| {
        // SAFETY: the handler is a function of this program that does not unwind. If there is no
        // memory for it, nobody waits at exit.
        unsafe { libc::atexit(wait_at_exit) };
    });
    // A forked child has none of the threads of its parent.
    let process = fork::generation();
    if PROCESS.swap(process, Ordering::AcqRel) != process {
        RUNNING.store(0, Ordering::Release);
    }
    RUNNING.fetch_add(1, Ordering::AcqRel);
    let guard = Guard;
    std::thread::Builder::new()
        .name("uadk-start".into())
        .spawn(move || {
            let _guard = guard;
            work();
        })
        .map(|_| ())
}

/// Counts the thread down, also if it could not be started.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::AcqRel);
    }
}

extern "C" fn wait_at_exit() {
    let begin = Instant::now();
    while RUNNING.load(Ordering::Acquire) > 0
        && PROCESS.load(Ordering::Acquire) == fork::generation()
        && begin.elapsed() < AT_EXIT
    {
        std::thread::sleep(Duration::from_millis(1));
    }
}
