//! The controls of the shared library: two C functions that the real library lacks.

use std::ffi::{CStr, c_char, c_int};
use std::fmt::Write as _;
use std::io::Write as _;

use crate::counts::Counts;
use crate::{script, simulator};

/// Runs a script. Returns 0, or -1 with the reason on standard error.
///
/// # Safety
///
/// `script` is null or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uadk_sim_control(script: *const c_char) -> c_int {
    script::read_environment();
    let done = if script.is_null() {
        Ok(())
    } else {
        // SAFETY: guaranteed by the caller.
        let script = unsafe { CStr::from_ptr(script) };
        script::run(&script.to_string_lossy())
    };
    match done {
        Ok(()) => 0,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            -1
        }
    }
}

/// Writes the counts as NUL-terminated JSON: an object with the fields of [`Counts`], of which
/// `by_context` is an array of objects. Returns its length, or -1 if the buffer is too small.
///
/// # Safety
///
/// `len` bytes are writable at `json`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uadk_sim_counts(json: *mut c_char, len: usize) -> c_int {
    let text = to_json(&simulator::counts());
    if json.is_null() || text.len() >= len {
        return -1;
    }
    let json = json.cast::<u8>();
    // SAFETY: the caller guarantees `len` bytes, and the text is shorter.
    unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), json, text.len()) };
    // SAFETY: within the buffer, as checked above.
    let end = unsafe { json.add(text.len()) };
    // SAFETY: as above.
    unsafe { end.write(0) };
    c_int::try_from(text.len()).unwrap_or(c_int::MAX)
}

fn to_json(counts: &Counts) -> String {
    let mut json = String::from("{");
    for (name, value) in [
        ("inits", counts.inits),
        ("uninits", counts.uninits),
        ("sessions_allocated", counts.sessions_allocated),
        ("sessions_alive", counts.sessions_alive),
        ("sessions_lost", counts.sessions_lost),
        ("submitted", counts.submitted),
        ("busy", counts.busy),
        ("completed", counts.completed),
        ("lost", counts.lost),
        ("in_flight", counts.in_flight),
        ("late_writes", counts.late_writes),
        ("late_writes_pending", counts.late_writes_pending),
        ("polls", counts.polls),
        ("initialising", counts.initialising),
    ] {
        let _ = write!(json, "\"{name}\":{value},");
    }
    let contexts = counts.by_context.iter().map(|context| {
        format!(
            "{{\"submitted\":{},\"busy\":{},\"completed\":{},\"lost\":{},\"in_flight\":{},\
             \"polls\":{},\"failed\":{}}}",
            context.submitted,
            context.busy,
            context.completed,
            context.lost,
            context.in_flight,
            context.polls,
            context.failed
        )
    });
    let _ = write!(json, "\"by_context\":[{}]}}", contexts.collect::<Vec<_>>().join(","));
    json
}
