//! Threads that initialise and uninitialise the device, which may take seconds.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::fork;

/// Threads that are at work in the low half, and the process they belong to in the high half.
static RUNNING: AtomicU64 = AtomicU64::new(0);

/// How long the end of the process waits for them. The library's destructors free what they may be
/// using; on a sound device they are done in less.
const AT_EXIT: Duration = Duration::from_millis(100);

/// Runs `work` in a thread of its own.
///
/// # Errors
///
/// If no thread can be started; `work` is not run.
pub(super) fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    // Not a `Once`: a child that is forked while another thread is inside would wait for ever.
    static AT_EXIT_IS_SET: AtomicBool = AtomicBool::new(false);
    if !AT_EXIT_IS_SET.swap(true, Ordering::AcqRel) {
        // SAFETY: the handler is a function of this program that does not unwind. If there is no
        // memory for it, nobody waits at exit.
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

/// Counts the thread down, also if it could not be started.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        count(|running| running.saturating_sub(1));
    }
}

/// Changes the number of threads at work. A forked child has none of its parent's.
fn count(change: impl Fn(u32) -> u32) {
    let process = fork::generation() << 32;
    let changed = |running: u64| {
        let ours = running & !u64::from(u32::MAX) == process;
        Some(process | u64::from(change(if ours { running as u32 } else { 0 })))
    };
    let _ = RUNNING.fetch_update(Ordering::AcqRel, Ordering::Acquire, changed);
}

extern "C" fn wait_at_exit() {
    let begin = Instant::now();
    let at_work = || {
        let running = RUNNING.load(Ordering::Acquire);
        running >> 32 == fork::generation() && running as u32 > 0
    };
    while at_work() && begin.elapsed() < AT_EXIT {
        std::thread::sleep(Duration::from_millis(1));
    }
}
