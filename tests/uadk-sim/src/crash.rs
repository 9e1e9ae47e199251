//! Crashes where the real library would corrupt memory or cause a segmentation fault.

use std::io::Write;

/// Reports `what` on standard error and panics, which aborts when it reaches `extern "C"`.
pub(crate) fn crash(what: &str) -> ! {
    let message = format!("uadk-sim: {what}: the real library crashes here");
    // Not `eprintln`: test harnesses capture it, and an abort loses the output.
    let _ = writeln!(std::io::stderr(), "{message}");
    panic!("{message}");
}
