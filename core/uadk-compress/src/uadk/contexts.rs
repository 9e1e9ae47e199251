//! The contexts of one initialisation: which are there, and which have failed.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use uadk_sys::abi;

/// What one initialisation brought. Sessions belong to it.
#[derive(Debug)]
pub(super) struct Contexts {
    /// Counts initialisations.
    pub(super) generation: u64,
    asynchronous: Box<[Context]>,
    /// Sessions that were given up because a block's completion never came, without a block having
    /// been done since.
    timeouts: AtomicUsize,
}

/// One context for asynchronous requests. Apart from the next, since threads poll them.
#[derive(Debug)]
#[repr(align(128))]
struct Context {
    /// The library's number for it.
    index: u32,
    polling: AtomicBool,
    /// The code it failed with, or 0.
    failure: AtomicI32,
}

impl Contexts {
    pub(super) fn new(generation: u64, asynchronous: impl IntoIterator<Item = u32>) -> Self {
        let context =
            |index| Context { index, polling: AtomicBool::new(false), failure: AtomicI32::new(0) };
        Self {
            generation,
            asynchronous: asynchronous.into_iter().map(context).collect(),
            timeouts: AtomicUsize::new(0),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.asynchronous.len()
    }

    pub(super) fn first(&self) -> Option<u32> {
        self.asynchronous.first().map(|context| context.index)
    }

    pub(super) fn failed(&self) -> usize {
        self.asynchronous.iter().filter(|c| c.failure.load(Ordering::Relaxed) != 0).count()
    }

    /// The code that a context failed with, if it has.
    pub(super) fn failure(&self, index: u32) -> Option<i32> {
        self.find(index)?.code()
    }

    /// Polls one context, or all that have not failed. A context that somebody else polls at the
    /// moment is left to him: it is his thread that the callbacks run on.
    pub(super) fn poll(&self, only: Option<u32>, poll: impl Fn(u32) -> i32) {
        match only {
            Some(index) => self.find(index).into_iter().for_each(|context| context.poll(&poll)),
            None => self.asynchronous.iter().for_each(|context| context.poll(&poll)),
        }
    }

    /// A context has failed for good.
    pub(super) fn condemn(&self, index: Option<u32>, code: i32) {
        if let Some(context) = index.and_then(|index| self.find(index)) {
            context.condemn(code);
        }
    }

    /// Counts a session whose completion never came; gives how many there were before.
    pub(super) fn timed_out(&self) -> usize {
        self.timeouts.fetch_add(1, Ordering::Relaxed)
    }

    /// A fresh session works.
    pub(super) fn works(&self) {
        self.timeouts.store(0, Ordering::Relaxed);
    }

    fn find(&self, index: u32) -> Option<&Context> {
        // Without contexts for synchronous calls their numbers are their places.
        let guess = self.asynchronous.get(index as usize).filter(|c| c.index == index);
        guess.or_else(|| self.asynchronous.iter().find(|c| c.index == index))
    }
}

impl Context {
    fn poll(&self, poll: impl Fn(u32) -> i32) {
        if self.code().is_some() || self.polling.swap(true, Ordering::Acquire) {
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
