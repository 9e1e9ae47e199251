//! Holds a thread's idle session, which other threads may take away.

use std::ptr;

use super::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// Holds one session of one thread while that thread isn't using it.
///
/// The owner takes the session out and puts it back: uncontended operations on memory that no other
/// thread normally touches. A thread that must free sessions [dooms](Self::doom) the slot: it gets
/// the session if it is idle; a session in use is rejected when its owner returns it. The word is
/// null while the slot is empty, [`DOOMED`](Self::DOOMED), or a pointer to the session.
#[derive(Debug)]
pub(super) struct Slot<S: Send> {
    session: AtomicPtr<S>,
    /// When the session was last returned, in nanoseconds on the clock.
    returned: AtomicU64,
}

impl<S: Send> Slot<S> {
    /// Never a session's address: those are aligned.
    const DOOMED: *mut S = ptr::without_provenance_mut(1);

    /// Creates a slot whose session is in use.
    pub(super) fn in_use() -> Self {
        const { assert!(align_of::<S>() > 1, "DOOMED must not be a valid address") };
        Self { session: AtomicPtr::new(ptr::null_mut()), returned: AtomicU64::new(0) }
    }

    /// Takes the session if it is still here. For the owner.
    pub(super) fn take(&self) -> Option<Box<S>> {
        // This may erase `DOOMED`, but then the owner has nothing to put back.
        Self::own(self.session.swap(ptr::null_mut(), Ordering::Acquire))
    }

    /// Puts the session back at time `now`. For the owner.
    ///
    /// # Errors
    ///
    /// Returns the session if the slot was doomed: the owner must free it.
    pub(super) fn put(&self, session: Box<S>, now: u64) -> Result<(), Box<S>> {
        self.returned.store(now, Ordering::Relaxed);
        let session = Box::into_raw(session);
        let exchanged = self.session.compare_exchange(
            ptr::null_mut(),
            session,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        match exchanged {
            Ok(_) => Ok(()),
            // SAFETY: it came from `into_raw` above, and no other thread has seen it.
            Err(_) => Err(unsafe { Box::from_raw(session) }),
        }
    }

    /// Takes the session away if it is idle, and rejects it if it is returned later. For any
    /// thread.
    pub(super) fn doom(&self) -> Option<Box<S>> {
        Self::own(self.session.swap(Self::DOOMED, Ordering::AcqRel))
    }

    /// Like [`doom`](Self::doom), but only if the session has been idle since before `since`. Does
    /// nothing to a session in use. For any thread.
    pub(super) fn doom_if_idle(&self, since: u64) -> Option<Box<S>> {
        let word = self.session.load(Ordering::Relaxed);
        if word.is_null() || word == Self::DOOMED || self.returned.load(Ordering::Relaxed) >= since
        {
            return None;
        }
        let exchanged =
            self.session.compare_exchange(word, Self::DOOMED, Ordering::AcqRel, Ordering::Relaxed);
        exchanged.ok().and_then(Self::own)
    }

    fn own(word: *mut S) -> Option<Box<S>> {
        if word.is_null() || word == Self::DOOMED {
            return None;
        }
        // SAFETY: the word is an address that `put` stored, and only the thread that swapped it out
        // has it.
        Some(unsafe { Box::from_raw(word) })
    }
}

impl<S: Send> Drop for Slot<S> {
    fn drop(&mut self) {
        // Dropping a session does not free the library's handle; the owner has done that before.
        drop(self.doom());
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_session_comes_back_to_its_owner() {
        let slot = Slot::in_use();
        assert!(slot.take().is_none());
        assert!(slot.put(Box::new(7), 0).is_ok());
        assert_eq!(slot.take().as_deref(), Some(&7));
        assert!(slot.take().is_none());
    }

    #[test]
    fn dooming_takes_an_idle_session_and_rejects_one_in_use_when_it_is_returned() {
        let idle = Slot::in_use();
        assert!(idle.put(Box::new(1), 0).is_ok());
        assert_eq!(idle.doom().as_deref(), Some(&1));
        assert!(idle.take().is_none());

        let used = Slot::in_use();
        assert!(used.doom().is_none());
        assert_eq!(used.put(Box::new(2), 0).unwrap_err(), Box::new(2));
    }

    #[test]
    fn only_sessions_that_have_been_idle_for_long_are_evicted() {
        let slot = Slot::in_use();
        assert!(slot.doom_if_idle(u64::MAX).is_none(), "it is in use");
        assert!(slot.put(Box::new(1), 10).is_ok());
        assert!(slot.doom_if_idle(10).is_none());
        assert_eq!(slot.doom_if_idle(11).as_deref(), Some(&1));
        assert!(slot.doom_if_idle(u64::MAX).is_none(), "it is gone");
    }
}
