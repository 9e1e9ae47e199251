//! Detects whether the program was started without stdin or stdout (`>&-`).
//!
//! Rust's runtime opens `/dev/null` instead before `main`: output would be lost without an error.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::{Errno, fcntl_getfd};

static NO_STDIN: AtomicBool = AtomicBool::new(false);
static NO_STDOUT: AtomicBool = AtomicBool::new(false);

#[allow(unsafe_code, reason = "the loader runs this section before the runtime starts")]
mod before_main {
    /// The loader calls each function in this section once, before `main`, on the only thread. This
    /// one asks the kernel about two descriptors, and neither allocates nor uses the runtime.
    #[used]
    #[unsafe(link_section = ".init_array")]
    static CHECK: extern "C" fn() = super::record_closed;
}

extern "C" fn record_closed() {
    let is_closed = |fd: BorrowedFd<'_>| fcntl_getfd(fd) == Err(Errno::BADF);
    NO_STDIN.store(is_closed(rustix::stdio::stdin()), Ordering::Relaxed);
    NO_STDOUT.store(is_closed(rustix::stdio::stdout()), Ordering::Relaxed);
}

/// Returns an error if there is no stdin.
pub(crate) fn stdin() -> io::Result<()> {
    check(&NO_STDIN)
}

/// Returns an error if there is no stdout.
pub(crate) fn stdout() -> io::Result<()> {
    check(&NO_STDOUT)
}

fn check(is_closed: &AtomicBool) -> io::Result<()> {
    if is_closed.load(Ordering::Relaxed) { Err(Errno::BADF.into()) } else { Ok(()) }
}
