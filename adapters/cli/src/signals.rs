//! Removes unfinished files and undoes changes when a signal ends the program.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once, mpsc};

use parking_lot::{Mutex, ReentrantMutex, ReentrantMutexGuard};
use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// Files that are still being written.
static UNFINISHED: ReentrantMutex<RefCell<Vec<PathBuf>>> =
    ReentrantMutex::new(RefCell::new(Vec::new()));
/// Changes that are undone unless they are finished.
static CHANGES: Mutex<Vec<Arc<dyn Revert>>> = Mutex::new(Vec::new());

/// Changes that can be undone.
pub(crate) trait Revert: Send + Sync {
    /// Undoes them; reports a failure to do so itself.
    fn revert(&self);
}

/// Changes that are undone if a signal ends the program before this is dropped.
pub(crate) struct RevertOnSignal(Arc<dyn Revert>);

impl RevertOnSignal {
    pub(crate) fn new(changes: Arc<dyn Revert>) -> Self {
        watch();
        CHANGES.lock().push(Arc::clone(&changes));
        Self(changes)
    }
}

impl Drop for RevertOnSignal {
    fn drop(&mut self) {
        CHANGES.lock().retain(|changes| !Arc::ptr_eq(changes, &self.0));
    }
}

impl fmt::Debug for RevertOnSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevertOnSignal").finish_non_exhaustive()
    }
}

/// A file that is removed if a signal ends the program before this is dropped.
#[derive(Debug)]
pub(crate) struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    /// Creates the file with `create` and registers it, without a signal in between.
    pub(crate) fn create<T>(
        path: &Path,
        create: impl FnOnce(&Path) -> io::Result<T>,
    ) -> io::Result<(Self, T)> {
        watch();
        let unfinished = UNFINISHED.lock();
        let made = create(path)?;
        unfinished.borrow_mut().push(path.to_owned());
        Ok((Self { path: path.to_owned() }, made))
    }

    /// Keeps signals from ending the program while the guard is held. The lock is reentrant.
    pub(crate) fn hold() -> ReentrantMutexGuard<'static, impl Sized> {
        UNFINISHED.lock()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        UNFINISHED.lock().borrow_mut().retain(|path| *path != self.path);
    }
}

/// Ends the program as SIGPIPE would; Rust's runtime ignores that signal.
pub(crate) fn end_by_broken_pipe() -> ! {
    end_by(SIGPIPE)
}

/// Returns whether Ctrl-C reaches the program; it does not in the background of a shell script.
pub(crate) fn is_foreground() -> bool {
    !is_ignored(SIGINT)
}

/// Starts the thread that waits for signals, once. If the system refuses a thread, signals end the
/// program immediately, and the file stays under its temporary name.
fn watch() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        // Signals that the parent process ignores (nohup) stay ignored.
        let mut wanted = vec![SIGHUP, SIGINT, SIGTERM];
        wanted.retain(|signal| !is_ignored(*signal));
        // With a handler, writing fails with "File too large" instead.
        wanted.push(SIGXFSZ);
        let (ready, is_ready) = mpsc::channel();
        let thread = std::thread::Builder::new().name("signals".into()).spawn(move || {
            let Ok(mut signals) = Signals::new(wanted) else { return };
            // The other side is waiting.
            let _ = ready.send(());
            for signal in signals.forever() {
                if signal != SIGXFSZ {
                    end_by(signal);
                }
            }
        });
        if thread.is_ok() {
            // An error means that no handlers were installed; either way, the wait is over.
            let _ = is_ready.recv();
        }
    });
}

/// Removes unfinished files, undoes changes, and ends the program by the signal, as its parent
/// expects.
fn end_by(signal: i32) -> ! {
    // Held until the end, so that files are no longer created or finished.
    let unfinished = UNFINISHED.lock();
    for path in &*unfinished.borrow() {
        // It may be gone already, which is fine.
        let _ = std::fs::remove_file(path);
    }
    let changes = CHANGES.lock();
    changes.iter().for_each(|changes| changes.revert());
    let _ = emulate_default_handler(signal);
    std::process::exit(128 + signal)
}

/// Returns whether a signal is ignored, according to the kernel; `false` if it doesn't say.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or_default() >> (signal - 1) & 1 == 1
}
