//! When the library may be initialised and uninitialised: never while a session is alive.
//!
//! Knows nothing of UADK: a [`Device`] does the deeds, so that loom can try all interleavings with
//! one that checks them.

use std::fmt::Debug;
use std::time::Duration;

use super::slot::Slot;
use super::sync::{Arc, Mutex, MutexGuard};
use crate::Error;

/// What is initialised, and has sessions. All calls are made under one lock.
pub(super) trait Device {
    /// What tells sessions apart.
    type Key: Copy;
    type Session: Debug;

    /// No session is alive, and it is not initialised. `generation` counts initialisations from 1.
    fn initialise(&mut self, generation: u64) -> Result<(), Error>;
    /// No session is alive but those that were [abandoned](Lifecycle::abandon).
    fn uninitialise(&mut self);
    /// It is initialised.
    fn allocate(&mut self, key: Self::Key) -> Result<Self::Session, Error>;
    /// It is still initialised as it was when the session was allocated.
    fn free(&mut self, session: Self::Session);
    /// As [`free`](Self::free), but the device may still be doing something for the session.
    fn abandon(&mut self, session: Self::Session);
}

/// A device, and the sessions of all threads.
///
/// Threads take sessions from their [slots](Slot) without coming here. After a fault of the whole
/// device all slots are doomed: idle sessions are freed at once, others when they are returned, and
/// with the last one the device is down. The next who wants a session when the hold-off is over
/// uninitialises it and initialises it again: until then the device has time to end what it is at.
#[derive(Debug)]
pub(super) struct Lifecycle<D: Device> {
    inner: Mutex<Inner<D>>,
    max_sessions: usize,
}

#[derive(Debug)]
struct Inner<D: Device> {
    device: D,
    phase: Phase,
    generation: u64,
    initialised: bool,
    slots: Vec<SharedSlot<D::Session>>,
    /// Sessions that are neither freed nor abandoned.
    alive: usize,
}

#[derive(Debug)]
enum Phase {
    Ready,
    /// Nobody wants it any more, but sessions are still in use; then it is down.
    Leaving,
    /// It has failed, but sessions are still in use; then it is down.
    Failing(Outage),
    Down(Outage),
}

#[derive(Clone, Debug)]
struct Outage {
    why: Error,
    retry_at: Duration,
}

/// See [`Lifecycle::snapshot`].
#[derive(Debug)]
pub(super) struct Snapshot {
    /// Sessions that are neither freed nor abandoned.
    pub(super) sessions: usize,
    /// Why the device is down, if it is.
    pub(super) outage: Option<Error>,
}

/// A slot, which its thread and the lifecycle know.
pub(super) type SharedSlot<S> = Arc<Slot<S>>;

/// A new session, and the slot to return it to.
pub(super) type Allocated<S> = (SharedSlot<S>, Box<S>);

/// Whether only one of the two that know a slot is left: the thread has ended, or the session was
/// taken away.
pub(super) fn is_alone<S>(slot: &SharedSlot<S>) -> bool {
    Arc::strong_count(slot) == 1
}

impl<D: Device> Lifecycle<D> {
    /// A device that is initialised at first use.
    pub(super) fn new(device: D, max_sessions: usize) -> Self {
        let phase = Phase::Down(Outage::unused());
        let inner =
            Inner { device, phase, generation: 0, initialised: false, slots: Vec::new(), alive: 0 };
        Self { inner: Mutex::new(inner), max_sessions }
    }

    /// Initialises the device if it is down and its hold-off is over; if that fails, the next one
    /// begins.
    pub(super) fn start(&self, now: Duration, hold_off: Duration) -> Result<(), Error> {
        self.lock().start(now, hold_off)
    }

    /// Allocates a session, after [`start`](Self::start). [`Error::Busy`] when there are as many as
    /// may be, all in use, or when somebody else is at it: nobody waits for an initialisation.
    pub(super) fn allocate(
        &self,
        key: D::Key,
        now: Duration,
        hold_off: Duration,
    ) -> Result<Allocated<D::Session>, Error> {
        let mut inner = self.try_lock()?;
        inner.start(now, hold_off)?;
        if inner.alive >= self.max_sessions {
            inner.take_an_idle_one();
        }
        if inner.alive >= self.max_sessions {
            return Err(Error::Busy);
        }
        let session = match inner.device.allocate(key) {
            Ok(session) => session,
            Err(why @ Error::Unavailable(_)) => {
                // Without sessions it is of no use, although it is initialised.
                let retry_at = now.saturating_add(hold_off);
                inner.drain(Phase::Failing(Outage { why: why.clone(), retry_at }));
                return Err(why);
            }
            Err(why) => return Err(why),
        };
        let slot = Arc::new(Slot::in_use());
        if inner.slots.len() > 2 * inner.alive + 16 {
            // Their threads have ended.
            inner.slots.retain(|slot| !is_alone(slot));
        }
        inner.slots.push(Arc::clone(&slot));
        inner.alive += 1;
        Ok((slot, Box::new(session)))
    }

    /// Returns a session to its slot, or frees it if it is not wanted there any more.
    pub(super) fn put_back(&self, slot: &Slot<D::Session>, session: Box<D::Session>) {
        if let Err(doomed) = slot.put(session) {
            self.free(*doomed);
        }
    }

    /// Frees a session that has nothing in flight.
    pub(super) fn free(&self, session: D::Session) {
        let mut inner = self.lock();
        inner.device.free(session);
        inner.gone(1);
    }

    /// Lets go of a session that the device may still be doing something for.
    pub(super) fn abandon(&self, session: D::Session) {
        let mut inner = self.lock();
        inner.device.abandon(session);
        inner.gone(1);
    }

    /// The device as a whole has failed, or what initialisation number `generation` made of it;
    /// a fault of an earlier one is over.
    pub(super) fn fail(&self, generation: u64, why: Error, retry_at: Duration) {
        let mut inner = self.lock();
        if inner.generation == generation {
            inner.drain(Phase::Failing(Outage { why, retry_at }));
        }
    }

    /// Nobody uses the device any more: frees what is idle, and gives the device up with the last
    /// session. It can be started again at any time.
    pub(super) fn shut(&self) {
        let mut inner = self.lock();
        match inner.phase {
            Phase::Ready | Phase::Leaving => inner.drain(Phase::Leaving),
            // What is still in use gives it up with the last session.
            Phase::Failing(_) => inner.phase = Phase::Leaving,
            Phase::Down(_) => inner.uninitialise(),
        }
    }

    /// Whether it is to be initialised now.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        let Ok(inner) = self.try_lock() else { return false };
        matches!(&inner.phase, Phase::Down(outage) if now >= outage.retry_at)
    }

    /// Whether it is down and was given up, so that nothing of it is left.
    pub(super) fn is_unused(&self) -> bool {
        let Ok(inner) = self.try_lock() else { return false };
        matches!(inner.phase, Phase::Down(_)) && !inner.initialised
    }

    /// What there is at the moment, and what `look` sees; `None` while it is being initialised.
    pub(super) fn snapshot<R>(&self, look: impl FnOnce(&mut D) -> R) -> Option<(Snapshot, R)> {
        let mut inner = self.try_lock().ok()?;
        let outage = match &inner.phase {
            Phase::Ready | Phase::Leaving => None,
            Phase::Failing(outage) | Phase::Down(outage) => Some(outage.why.clone()),
        };
        Some((Snapshot { sessions: inner.alive, outage }, look(&mut inner.device)))
    }

    fn lock(&self) -> MutexGuard<'_, Inner<D>> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn try_lock(&self) -> Result<MutexGuard<'_, Inner<D>>, Error> {
        match self.inner.try_lock() {
            Ok(inner) => Ok(inner),
            Err(std::sync::TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) => Err(Error::Busy),
        }
    }
}

impl<D: Device> Inner<D> {
    fn start(&mut self, now: Duration, hold_off: Duration) -> Result<(), Error> {
        match &self.phase {
            Phase::Ready => return Ok(()),
            Phase::Leaving => {
                self.phase = Phase::Ready;
                return Ok(());
            }
            Phase::Down(outage) if now >= outage.retry_at => {}
            Phase::Failing(outage) | Phase::Down(outage) => return Err(outage.why.clone()),
        }
        self.uninitialise();
        if let Err(why) = self.device.initialise(self.generation + 1) {
            let retry_at = now.saturating_add(hold_off);
            self.phase = Phase::Down(Outage { why: why.clone(), retry_at });
            return Err(why);
        }
        self.generation += 1;
        self.initialised = true;
        self.phase = Phase::Ready;
        Ok(())
    }

    /// Takes all sessions away from their threads, at once or when they are returned.
    fn drain(&mut self, phase: Phase) {
        if !matches!(self.phase, Phase::Ready | Phase::Leaving) {
            return;
        }
        self.phase = phase;
        for slot in std::mem::take(&mut self.slots) {
            if let Some(session) = slot.doom() {
                self.device.free(*session);
                self.alive -= 1;
            }
        }
        self.gone(0);
    }

    /// Frees an idle session of some thread.
    fn take_an_idle_one(&mut self) {
        let idle = |(i, slot): (usize, &SharedSlot<_>)| Some((i, slot.doom_if_idle()?));
        if let Some((i, session)) = self.slots.iter().enumerate().find_map(idle) {
            self.slots.swap_remove(i);
            self.device.free(*session);
            self.alive -= 1;
        }
    }

    /// Sessions less; with the last one a draining device goes down.
    fn gone(&mut self, sessions: usize) {
        self.alive -= sessions;
        if self.alive > 0 {
            return;
        }
        match &self.phase {
            Phase::Ready | Phase::Down(_) => {}
            Phase::Leaving => {
                self.uninitialise();
                self.phase = Phase::Down(Outage::unused());
            }
            Phase::Failing(outage) => self.phase = Phase::Down(outage.clone()),
        }
    }

    fn uninitialise(&mut self) {
        if std::mem::take(&mut self.initialised) {
            self.device.uninitialise();
        }
    }
}

impl Outage {
    fn unused() -> Self {
        let why = Error::Unavailable("the device is not in use".into());
        Self { why, retry_at: Duration::ZERO }
    }
}

#[cfg(all(test, loom))]
mod interleavings;
