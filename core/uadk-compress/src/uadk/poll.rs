//! Polling one context.

use uadk_sys::Functions;

use super::request;

/// Polls a context for up to `expect` completions, whose callbacks run inside.
pub(super) fn poll(functions: &Functions, index: u32, expect: u32) -> i32 {
    let mut count = 0;
    request::while_polling(index, || {
        // SAFETY: the library is initialised. The callbacks that run belong to requests of this
        // crate or of other users of the library in this process, and expect any thread to poll.
        unsafe { (functions.wd_comp_poll_ctx)(index, expect, &raw mut count) }
    })
}
