//! The codecs' contexts, one set per thread.

use std::cell::RefCell;
use std::thread::LocalKey;

/// A thread's contexts of one codec, created at their first use.
pub(super) type Local<T> = RefCell<Option<Box<T>>>;

/// Calls `work` with this thread's contexts. If they are gone because the thread is being torn
/// down, as in hosts such as RocksDB that may still compress then, with contexts for this call.
pub(super) fn with<T: Default, R>(
    contexts: &'static LocalKey<Local<T>>,
    work: impl FnOnce(&mut T) -> R,
) -> R {
    let mut work = Some(work);
    let done = contexts.try_with(|contexts| {
        let mut contexts = contexts.borrow_mut();
        work.take().map(|work| work(contexts.get_or_insert_default()))
    });
    match (done, work) {
        (Ok(Some(result)), _) => result,
        (_, Some(work)) => work(&mut T::default()),
        (_, None) => unreachable!("`work` ran, so there is a result"),
    }
}
