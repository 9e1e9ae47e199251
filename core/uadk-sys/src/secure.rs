//! Environment variables in programs that run with more privileges than their caller.
//!
//! ```
//! use uadk_sys::secure;
//!
//! let path = secure::var_os("PATH");
//! if secure::is_secure_execution() {
//!     assert_eq!(path, None); // the caller may have set it
//! } else {
//!     assert_eq!(path, std::env::var_os("PATH"));
//! }
//! ```

use std::ffi::{OsStr, OsString};

/// Returns whether this process runs with privileges that its caller doesn't have: a set-user-ID or
/// set-group-ID program, or one with file capabilities (`AT_SECURE`, see getauxval(3)).
///
/// The caller controls the environment, so it must not determine what such a program loads.
#[must_use]
pub fn is_secure_execution() -> bool {
    // SAFETY: reads the auxiliary vector, which the kernel sets up for every process.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Returns the value of an environment variable, or `None` in
/// [secure execution](is_secure_execution).
#[must_use]
pub fn var_os(name: impl AsRef<OsStr>) -> Option<OsString> {
    trusted(is_secure_execution(), || std::env::var_os(name))
}

/// Returns the result of `read`, or `None` in secure execution.
fn trusted<T>(is_secure: bool, read: impl FnOnce() -> Option<T>) -> Option<T> {
    if is_secure { None } else { read() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_unless_the_execution_is_secure() {
        assert_eq!(trusted(false, || Some(1)), Some(1));
        assert_eq!(trusted(true, || -> Option<u8> { panic!("must not be read") }), None);
    }

    #[test]
    fn a_test_does_not_run_in_secure_execution() {
        assert!(!is_secure_execution());
        assert_eq!(var_os("PATH"), std::env::var_os("PATH"));
    }
}
