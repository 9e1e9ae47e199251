//! The codecs' contexts, one set per thread.

use std::cell::RefCell;

use super::{deflate, lz4, zstd};

/// Contexts, each created at its first use.
#[derive(Default)]
pub(super) struct Contexts {
    pub(super) deflate: deflate::Compressors,
    pub(super) inflate: Option<libdeflater::Decompressor>,
    pub(super) zstd: zstd::Contexts,
    pub(super) lz4: lz4::Contexts,
}

thread_local! {
    static CONTEXTS: RefCell<Option<Box<Contexts>>> = const { RefCell::new(None) };
}

/// Calls `work` with this thread's contexts. If they are gone because the thread is being torn
/// down, as in hosts such as RocksDB that may still compress then, with contexts for this call.
pub(super) fn with<R>(work: impl FnOnce(&mut Contexts) -> R) -> R {
    let mut work = Some(work);
    let done = CONTEXTS.try_with(|contexts| {
        let mut contexts = contexts.borrow_mut();
        work.take().map(|work| work(contexts.get_or_insert_default()))
    });
    match (done, work) {
        (Ok(Some(result)), _) => result,
        (_, Some(work)) => work(&mut Contexts::default()),
        (_, None) => unreachable!("`work` ran, so there is a result"),
    }
}
