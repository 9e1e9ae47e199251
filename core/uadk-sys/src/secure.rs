//! Environment variables in programs that run with more rights than their caller.

use std::ffi::{OsStr, OsString};

/// Whether this process runs with rights that its caller does not have: a set-user-ID or
/// set-group-ID program, or one with file capabilities (`AT_SECURE`, see getauxval(3)).
///
/// The environment is the caller's, so it must not decide what such a program loads.
#[must_use]
pub fn is_secure_execution() -> bool {
    // SAFETY: reads the auxiliary vector that the kernel gave the process.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// The value of an environment variable, or `None` in [secure execution](is_secure_execution).
#[must_use]
pub fn var_os(name: impl AsRef<OsStr>) -> Option<OsString> {
    trusted(is_secure_execution(), || std::env::var_os(name))
}

/// What `read` returns, unless the execution is secure.
fn trusted<T>(is_secure: bool, read: impl FnOnce() -> Option<T>) -> Option<T> {
    if is_secure { None } else { read() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_unless_the_execution_is_secure() {
        assert_eq!(trusted(false, || Some(1)), Some(1));
        assert_eq!(trusted(true, || -> Option<u8> { panic!("it must not even be read") }), None);
    }

    #[test]
    fn a_test_is_no_secure_execution() {
        assert!(!is_secure_execution());
        assert_eq!(var_os("PATH"), std::env::var_os("PATH"));
    }
}
