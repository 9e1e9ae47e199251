//! Requests whose completion never came. The device may still write to their buffers.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::request::RequestBox;

/// Why nobody waits for a request any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Its deadline passed. The device may do it at any later time, even after the library has been
    /// initialised again.
    TimedOut,
    /// Its context failed. The kernel stops the device's work on it when the queues are closed.
    Reset,
}

/// Keeps them mapped: for ever, but for those that the device turns out to be done with.
#[derive(Debug, Default)]
pub(super) struct Quarantine {
    requests: Mutex<Vec<(Loss, RequestBox)>>,
    bytes: AtomicUsize,
    lost: AtomicU64,
}

impl Quarantine {
    /// Takes a request that its owner has [given up](Request::abandon).
    pub(super) fn admit(&self, loss: Loss, request: RequestBox) {
        self.bytes.fetch_add(request.buffer().len(), Ordering::Relaxed);
        self.lost.fetch_add(1, Ordering::Relaxed);
        let mut requests = self.lock();
        requests.push((loss, request));
        self.release(&mut requests, |_, request| request.is_done());
    }

    /// The queues are closed.
    pub(super) fn release_reset(&self) {
        let mut requests = self.lock();
        self.release(&mut requests, |loss, request| loss == Loss::Reset || request.is_done());
    }

    /// Frees those whose completion has come after all.
    pub(super) fn sweep(&self) {
        let mut requests = self.lock();
        self.release(&mut requests, |_, request| request.is_done());
    }

    /// Bytes that are kept at present.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Requests that came here, ever.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn release(
        &self,
        requests: &mut Vec<(Loss, RequestBox)>,
        done: impl Fn(Loss, &RequestBox) -> bool,
    ) {
        requests.retain(|(loss, request)| {
            let release = done(*loss, request);
            if release {
                self.bytes.fetch_sub(request.buffer().len(), Ordering::Relaxed);
            }
            !release
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Loss, RequestBox)>> {
        self.requests.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Quarantine {
    fn drop(&mut self) {
        // What the device may still write to outlives everything.
        std::mem::forget(std::mem::take(&mut *self.lock()));
    }
}
