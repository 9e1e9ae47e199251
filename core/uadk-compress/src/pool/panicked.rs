//! Panics in the work, as errors.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The work on a job panicked.
///
/// ```
/// use uadk_compress::pool::Pool;
///
/// let mut pool = Pool::new("numbers", 1, || (), |(), n: &mut u32| {
///     assert!(*n < 10, "{n} is too large");
/// });
/// pool.submit(12).expect("not full");
/// match pool.take() {
///     Some(Err(panicked)) => assert_eq!(panicked.message(), "12 is too large"),
///     other => unreachable!("{other:?}"),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a job panicked: {message}")]
pub struct Panicked {
    message: Arc<str>,
}

impl Panicked {
    /// Returns the panic's message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Creates the error for a forked child, which lacks the parent's workers. Not a panic.
    pub(super) fn orphaned() -> Self {
        Self { message: "the workers belong to the parent of this forked process".into() }
    }

    pub(super) fn new(payload: &(dyn Any + Send)) -> Self {
        let message = match payload.downcast_ref::<String>() {
            Some(message) => message,
            None => payload.downcast_ref::<&str>().copied().unwrap_or("no message"),
        };
        Self { message: message.into() }
    }
}

impl From<Panicked> for io::Error {
    fn from(panicked: Panicked) -> Self {
        Self::other(panicked)
    }
}

/// Drops a value whose destructor may panic.
pub(super) fn discard<T>(value: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        // The payload's destructor might panic too.
        std::mem::forget(payload);
    }
}
