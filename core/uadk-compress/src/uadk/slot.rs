//! The place where a thread keeps an idle session, and others may take it away.

use std::ptr;

use super::sync::atomic::{AtomicPtr, Ordering};

/// Holds one session of one thread while that thread isn't using it.
///
/// The owner takes the session out and puts it back: two uncontended operations on memory that no
/// other thread touches in normal times. Whoever must have all sessions freed
/// [dooms](Self::doom) the slot: an idle session is then his, and one in use is not taken back when
/// the owner returns it. The one word is null while nothing is here, [`DOOMED`](Self::DOOMED), or
/// the session.
#[derive(Debug)]
pub(super) struct Slot<S>(AtomicPtr<S>);

impl<S> Slot<S> {
    /// Not a session's address: those are aligned.
    const DOOMED: *mut S = ptr::without_provenance_mut(1);

    /// A slot whose session is in use.
    pub(super) fn in_use() -> Self {
        const { assert!(align_of::<S>() > 1, "or the mark could be an address") };
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// The session, if it is still here. For the owner.
    pub(super) fn take(&self) -> Option<Box<S>> {
        // It may be doomed no more after this, but then the owner has nothing to put back.
        Self::own(self.0.swap(ptr::null_mut(), Ordering::Acquire))
    }

    /// Puts the session back. For the owner.
    ///
    /// # Errors
    ///
    /// The session itself, if the slot was doomed: the owner must free it.
    pub(super) fn put(&self, session: Box<S>) -> Result<(), Box<S>> {
        let session = Box::into_raw(session);
        let exchanged =
            self.0.compare_exchange(ptr::null_mut(), session, Ordering::AcqRel, Ordering::Acquire);
        match exchanged {
            Ok(_) => Ok(()),
            // SAFETY: it came from `into_raw` above, and nobody else has seen it.
            Err(_) => Err(unsafe { Box::from_raw(session) }),
        }
    }

    /// Takes an idle session away, and lets none be put here any more. For anyone.
    pub(super) fn doom(&self) -> Option<Box<S>> {
        Self::own(self.0.swap(Self::DOOMED, Ordering::AcqRel))
    }

    /// Takes an idle session away, and lets none be put here any more; does nothing to one in use.
    /// For anyone.
    pub(super) fn doom_if_idle(&self) -> Option<Box<S>> {
        let word = self.0.load(Ordering::Relaxed);
        if word.is_null() || word == Self::DOOMED {
            return None;
        }
        let exchanged =
            self.0.compare_exchange(word, Self::DOOMED, Ordering::AcqRel, Ordering::Relaxed);
        exchanged.ok().and_then(Self::own)
    }

    fn own(word: *mut S) -> Option<Box<S>> {
        if word.is_null() || word == Self::DOOMED {
            return None;
        }
        // SAFETY: the word is an address that `put` stored, and whoever swaps it out is the only
        // one to have it.
        Some(unsafe { Box::from_raw(word) })
    }
}

impl<S> Drop for Slot<S> {
    fn drop(&mut self) {
        // Nobody is left to use it. The library keeps what the session stands for: to free that
        // is the owner's task, who does it before he lets go of the slot.
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
        assert!(slot.put(Box::new(7)).is_ok());
        assert_eq!(slot.take().as_deref(), Some(&7));
        assert!(slot.take().is_none());
    }

    #[test]
    fn an_idle_session_is_taken_away_and_one_in_use_is_not_taken_back() {
        let idle = Slot::in_use();
        assert!(idle.put(Box::new(1)).is_ok());
        assert_eq!(idle.doom().as_deref(), Some(&1));
        assert!(idle.take().is_none());

        let used = Slot::in_use();
        assert!(used.doom().is_none());
        assert_eq!(used.put(Box::new(2)).unwrap_err(), Box::new(2));
    }
}
