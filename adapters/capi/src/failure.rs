//! Errors and panics as statuses, and each thread's last error.

use std::any::Any;
use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::fmt::{Display, Formatter};
use std::panic::{AssertUnwindSafe, catch_unwind};

use uadk_compress::Error;

use crate::uadk_status;

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The compressor or its builder returned an error.
    Error(Error),
    /// The caller passed something invalid.
    Argument(Cow<'static, str>),
    /// The library panicked.
    Panic(String),
}

impl Failure {
    pub(crate) fn argument(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Argument(text.into())
    }

    fn from_panic(payload: Box<dyn Any + Send>) -> Self {
        let text = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
            (Some(text), _) => (*text).to_owned(),
            (_, Some(text)) => text.clone(),
            _ => "no message".to_owned(),
        };
        // Dropping the payload may panic as well.
        std::mem::forget(payload);
        Self::Panic(text)
    }

    fn status(&self) -> uadk_status {
        match self {
            Self::Error(error) => error.into(),
            Self::Argument(_) => uadk_status::InvalidArgument,
            Self::Panic(_) => uadk_status::Internal,
        }
    }

    /// Makes this the calling thread's last error. Returns its status.
    pub(crate) fn record(self) -> uadk_status {
        let status = self.status();
        // Ignored while the thread is being torn down.
        let _ = LAST.try_with(|last| last.borrow_mut().failure = Some(self));
        status
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Argument(text) => f.write_str(text),
            Self::Panic(text) => write!(f, "panicked: {text}"),
        }
    }
}

/// Runs the work of a function that C calls. No panic leaves it. A failure becomes the thread's
/// last error.
pub(crate) fn attempt<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, uadk_status> {
    let result = catch_unwind(AssertUnwindSafe(work));
    result.unwrap_or_else(|payload| Err(Failure::from_panic(payload))).map_err(Failure::record)
}

/// Like [`attempt`], for work that only succeeds or fails.
pub(crate) fn status(work: impl FnOnce() -> Result<(), Failure>) -> uadk_status {
    attempt(work).err().unwrap_or(uadk_status::Ok)
}

/// Converts a text for C, which ends it with NUL.
pub(crate) fn c_string(text: String) -> CString {
    CString::new(text).unwrap_or_else(|error| {
        let mut bytes = error.into_vec();
        bytes.retain(|&byte| byte != 0);
        CString::new(bytes).unwrap_or_default()
    })
}

/// A thread's last failure. It becomes text only if the caller asks for it: a destination that is
/// too small is a frequent result, and must cost nothing.
#[derive(Default)]
struct Last {
    failure: Option<Failure>,
    text: CString,
}

impl Last {
    fn text(&mut self) -> &CStr {
        if let Some(failure) = self.failure.take() {
            self.text = c_string(failure.to_string());
        }
        &self.text
    }
}

thread_local! {
    static LAST: RefCell<Last> = RefCell::default();
}

/// Returns the text for the thread's last failure; empty if there was none.
pub(crate) fn last_error() -> *const c_char {
    LAST.try_with(|last| last.borrow_mut().text().as_ptr()).unwrap_or(c"".as_ptr())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last_text() -> CString {
        LAST.with_borrow_mut(|last| last.text().to_owned())
    }

    #[test]
    fn a_panic_becomes_an_internal_error_with_its_message() {
        assert_eq!(status(|| panic!("at {}", 7)), uadk_status::Internal);
        assert_eq!(last_text().as_c_str(), c"panicked: at 7");
        assert_eq!(status(|| panic!("plain")), uadk_status::Internal);
        assert_eq!(last_text().as_c_str(), c"panicked: plain");
    }

    #[test]
    fn a_panic_whose_payload_panics_when_dropped_does_not_escape() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        assert_eq!(status(|| std::panic::panic_any(Bomb)), uadk_status::Internal);
        assert_eq!(last_text().as_c_str(), c"panicked: no message");
    }

    #[test]
    fn texts_with_nul_reach_c_without_it() {
        assert_eq!(c_string("a\0b".to_owned()).as_c_str(), c"ab");
    }
}
