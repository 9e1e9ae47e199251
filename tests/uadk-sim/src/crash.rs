//! Stands in for what is memory corruption or a segmentation fault in the real library.

use std::io::Write;

/// Reports `what` on standard error and panics, which aborts when it reaches `extern "C"`.
pub(crate) fn crash(what: &str) -> ! {
    let message = format!("uadk-sim: {what}: the real library crashes here");
    // Not `eprintln`, which test harnesses capture and an abort then loses.
    let _ = writeln!(std::io::stderr(), "{message}");
    panic!("{message}");
}
