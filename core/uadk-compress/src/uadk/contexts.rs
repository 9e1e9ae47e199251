//! The contexts of one initialisation, and which of them have failed.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use uadk_sys::abi;

/// After this many timeouts of fresh sessions an initialisation counts as failed.
const FRESH_TIMEOUTS: usize = 3;

/// The contexts of one initialisation. Each session belongs to one.
#[derive(Debug)]
pub(super) struct Contexts {
    /// Counts initialisations.
    pub(super) generation: u64,
    /// Whether this crate made the initialisation, so that no other library undoes it.
    owned: bool,
    asynchronous: Box<[Context]>,
    /// Sessions given up because a block's completion never came, counted since a block was last
    /// processed.
    timeouts: AtomicUsize,
    /// Fresh sessions given up for the same reason, counted over the whole initialisation.
    fresh_timeouts: AtomicUsize,
    worked: AtomicBool,
}

/// One context for asynchronous requests. It has its own cache lines, since many threads poll it.
#[derive(Debug)]
#[repr(align(128))]
struct Context {
    /// The library's number for this context.
    index: u32,
    polling: AtomicBool,
    /// The code it failed with, or 0.
    failure: AtomicI32,
}

impl Contexts {
    pub(super) fn new(
        generation: u64,
        owned: bool,
        asynchronous: impl IntoIterator<Item = u32>,
    ) -> Self {
        let context =
            |index| Context { index, polling: AtomicBool::new(false), failure: AtomicI32::new(0) };
        Self {
            generation,
            owned,
            asynchronous: asynchronous.into_iter().map(context).collect(),
            timeouts: AtomicUsize::new(0),
            fresh_timeouts: AtomicUsize::new(0),
            worked: AtomicBool::new(false),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.asynchronous.len()
    }

    pub(super) fn failed(&self) -> usize {
        self.asynchronous.iter().filter(|c| c.failure.load(Ordering::Relaxed) != 0).count()
    }

    /// Returns the code that a context failed with, if it has.
    pub(super) fn failure(&self, index: u32) -> Option<i32> {
        self.find(index)?.code()
    }

    /// Polls one context, or all; skips failed ones. Skips a context that another thread is
    /// polling, unless `concurrently` is set, which the library allows.
    pub(super) fn poll(&self, only: Option<u32>, concurrently: bool, poll: impl Fn(u32) -> i32) {
        match only {
            Some(index) => {
                if let Some(context) = self.find(index) {
                    context.poll(concurrently, &poll);
                }
            }
            None => {
                for context in &self.asynchronous {
                    context.poll(concurrently, &poll);
                }
            }
        }
    }

    /// Returns whether another library that initialised UADK has uninitialised it. A refused poll
    /// is the only way to tell.
    pub(super) fn are_gone(&self, poll: impl Fn(u32) -> i32) -> bool {
        !self.owned && self.asynchronous.first().is_none_or(|c| poll(c.index) == abi::EINVAL)
    }

    /// Records that a context has failed for good.
    pub(super) fn condemn(&self, index: Option<u32>, code: i32) {
        if let Some(context) = index.and_then(|index| self.find(index)) {
            context.condemn(code);
        }
    }

    /// Returns whether another library made the initialisation, and may undo it.
    pub(super) const fn are_adopted(&self) -> bool {
        !self.owned
    }

    /// Counts a session that timed out waiting for a completion. Returns whether the device is at
    /// fault. One lost completion may be an accident. If a fresh session times out after another
    /// timeout, or several fresh ones time out, a context completes nothing.
    pub(super) fn record_timeout(&self, fresh: bool) -> bool {
        let before = self.timeouts.fetch_add(1, Ordering::Relaxed);
        let fresh_before = self.fresh_timeouts.fetch_add(usize::from(fresh), Ordering::Relaxed);
        fresh && (before > 0 || fresh_before + 1 >= FRESH_TIMEOUTS)
    }

    /// Records that a block has been processed.
    pub(super) fn record_success(&self) {
        // Written only if that changes something, since all threads share it.
        if self.timeouts.load(Ordering::Relaxed) > 0 {
            self.timeouts.store(0, Ordering::Relaxed);
        }
        if !self.worked.load(Ordering::Relaxed) {
            self.worked.store(true, Ordering::Relaxed);
        }
    }

    /// Returns whether any block has been processed.
    pub(super) fn have_worked(&self) -> bool {
        self.worked.load(Ordering::Relaxed)
    }

    fn find(&self, index: u32) -> Option<&Context> {
        // Without contexts for synchronous calls, a context's number is its index.
        let guess = self.asynchronous.get(index as usize).filter(|c| c.index == index);
        guess.or_else(|| self.asynchronous.iter().find(|c| c.index == index))
    }
}

impl Context {
    fn poll(&self, concurrently: bool, poll: impl Fn(u32) -> i32) {
        let failed = self.code().is_some();
        if failed || (self.polling.swap(true, Ordering::Acquire) && !concurrently) {
            return;
        }
        let code = poll(self.index);
        self.polling.store(false, Ordering::Release);
        if code < 0 && code != abi::EAGAIN && code != abi::EBUSY {
            self.condemn(code);
        }
    }

    fn condemn(&self, code: i32) {
        if self.failure.swap(code, Ordering::AcqRel) == 0 {
            tracing::warn!(context = self.index, code, "a context of the accelerator failed");
        }
    }

    fn code(&self) -> Option<i32> {
        Some(self.failure.load(Ordering::Acquire)).filter(|&code| code != 0)
    }
}
