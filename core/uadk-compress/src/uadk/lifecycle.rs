//! When the library may be initialised and uninitialised: never while a session is alive.
//!
//! Knows nothing of UADK: a [`Device`] makes the actual calls, so that loom can try all
//! interleavings with one that checks them.

use std::fmt::Debug;
use std::time::Duration;

use super::slot::Slot;
use super::sync::{Arc, Condvar, Mutex, MutexGuard};
use crate::Error;
use crate::clock::nanos;

/// What is initialised, and has sessions. No two calls overlap.
pub(super) trait Device: Send {
    /// What tells sessions apart.
    type Key: Copy;
    type Session: Debug + Send;

    /// Called while no session is alive and the device is uninitialised; may take long.
    /// `generation` counts initialisations from 1.
    fn initialise(&mut self, generation: u64) -> Result<(), Error>;
    /// Called while no session is alive but those that were [abandoned](Lifecycle::abandon); may
    /// take long.
    fn uninitialise(&mut self);
    /// Called while the device is initialised.
    fn allocate(&mut self, key: Self::Key) -> Result<Self::Session, Error>;
    /// Called in the initialisation that the session was allocated in.
    fn free(&mut self, session: Self::Session);
    /// As [`free`](Self::free), but the device may still be working for the session.
    fn abandon(&mut self, session: Self::Session);
}

/// A device, and the sessions of all threads.
///
/// Threads take sessions from their [slots](Slot) without coming here. After a fault of the whole
/// device all slots are doomed: idle sessions are freed at once, others when they are returned, and
/// with the last one the device is down. When the hold-off is over it is uninitialised and
/// initialised again; until then it has time to finish its work.
///
/// Initialising and uninitialising happen without the lock: other threads get
/// [`Error::Starting`] meanwhile, and only those wait that ask for it.
#[derive(Debug)]
pub(super) struct Lifecycle<D: Device> {
    inner: Mutex<Inner<D>>,
    /// Notified when an initialisation or uninitialisation ends.
    changed: Condvar,
    max_sessions: usize,
}

#[derive(Debug)]
struct Inner<D: Device> {
    /// `None` while [`Phase::Changing`]: the thread that makes the change has it.
    device: Option<D>,
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
    /// The last user is gone; to be [stopped](Lifecycle::stop) when the last session is returned.
    Leaving {
        /// What had failed before, if anything.
        outage: Option<Outage>,
    },
    /// It has failed; goes `Down` when the last session is returned.
    Failing(Outage),
    Down(Outage),
    /// It is being initialised or uninitialised.
    Changing {
        /// Whether the last user has gone meanwhile.
        unused: bool,
    },
}

#[derive(Clone, Debug)]
struct Outage {
    why: Error,
    retry_at: Duration,
}

/// A device that is to be initialised, for the thread that does it. It must go back to its
/// lifecycle: by [`initialise`](Lifecycle::initialise) or [`cancel`](Lifecycle::cancel).
#[derive(Debug)]
pub(super) struct Change<D> {
    device: D,
    generation: u64,
    was_initialised: bool,
}

/// See [`Lifecycle::snapshot`].
#[derive(Debug)]
pub(super) struct Snapshot {
    /// How often the device was initialised.
    pub(super) initialisations: u64,
    /// Sessions that are neither freed nor abandoned.
    pub(super) sessions: usize,
    /// Why the device is down, if it is; [`Error::Starting`] while it is being initialised or
    /// uninitialised.
    pub(super) outage: Option<Error>,
}

/// A slot, which its thread and the lifecycle know.
pub(super) type SharedSlot<S> = Arc<Slot<S>>;

/// A new session, and the slot to return it to.
pub(super) type Allocated<S> = (SharedSlot<S>, Box<S>);

/// Whether the device is now without users and sessions, so that [`Lifecycle::stop`] is due.
#[must_use = "call `stop` if it is due"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StopIsDue(pub(super) bool);

/// Whether only one of the two that know a slot is left: the thread has ended, or the session was
/// taken away.
pub(super) fn is_alone<S: Send>(slot: &SharedSlot<S>) -> bool {
    Arc::strong_count(slot) == 1
}

impl<D: Device> Lifecycle<D> {
    /// A device that is not initialised yet.
    pub(super) fn new(device: D, max_sessions: usize) -> Self {
        let inner = Inner {
            device: Some(device),
            phase: Phase::Down(Outage::unused()),
            generation: 0,
            initialised: false,
            slots: Vec::new(),
            alive: 0,
        };
        Self { inner: Mutex::new(inner), changed: Condvar::new(), max_sessions }
    }

    /// Begins to initialise the device if it is down and its hold-off is over. `None` if it is
    /// initialised.
    ///
    /// # Errors
    ///
    /// Why the device is down; [`Error::Starting`] if another thread is initialising it.
    pub(super) fn begin(&self, now: Duration) -> Result<Option<Change<D>>, Error> {
        let mut inner = self.inner.lock();
        inner.stay();
        match &mut inner.phase {
            Phase::Ready | Phase::Leaving { .. } => return Ok(None),
            Phase::Changing { unused } => {
                *unused = false;
                return Err(Error::Starting);
            }
            Phase::Down(outage) if now >= outage.retry_at => {}
            Phase::Failing(outage) | Phase::Down(outage) => return Err(outage.why.clone()),
        }
        let (device, was_initialised) = inner.take();
        Ok(Some(Change { device, generation: inner.generation + 1, was_initialised }))
    }

    /// Initialises the device. If that fails, a hold-off begins, counted from the failure.
    ///
    /// # Errors
    ///
    /// The device's.
    pub(super) fn initialise(
        &self,
        change: Change<D>,
        clock: impl Fn() -> Duration,
        hold_off: Duration,
    ) -> Result<StopIsDue, Error> {
        let Change { device, generation, was_initialised } = change;
        let mut device = Returning { lifecycle: self, device: Some(device) };
        let result = device.with(|device| {
            if was_initialised {
                device.uninitialise();
            }
            device.initialise(generation)
        });
        let retry_at = clock().saturating_add(hold_off);

        let device = device.device.take();
        let mut inner = self.inner.lock();
        let unused = matches!(inner.phase, Phase::Changing { unused: true });
        inner.device = device;
        inner.phase = match &result {
            Ok(()) => {
                inner.generation = generation;
                inner.initialised = true;
                if unused { Phase::Leaving { outage: None } } else { Phase::Ready }
            }
            Err(why) => Phase::Down(Outage { why: why.clone(), retry_at }),
        };
        drop(inner);
        self.changed.notify_all();
        result.map(|()| StopIsDue(unused))
    }

    /// Leaves the device as it was, and puts off the next start until `retry_at`.
    pub(super) fn cancel(&self, change: Change<D>, why: Error, retry_at: Duration) {
        let mut inner = self.inner.lock();
        inner.device = Some(change.device);
        inner.initialised = change.was_initialised;
        inner.phase = Phase::Down(Outage { why, retry_at });
        drop(inner);
        self.changed.notify_all();
    }

    /// Waits until no thread is initialising or uninitialising the device, for `limit` at most;
    /// whether that is so.
    pub(super) fn wait_for_change(&self, limit: Duration) -> bool {
        let mut inner = self.inner.lock();
        if let Phase::Changing { .. } = inner.phase {
            inner = self.changed.wait_for(inner, limit);
        }
        !matches!(inner.phase, Phase::Changing { .. })
    }

    /// Allocates a session. Never waits for an initialisation.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] when there are as many sessions as allowed, all in use; [`Error::Starting`];
    /// why the device is down; the device's own.
    pub(super) fn allocate(
        &self,
        key: D::Key,
        clock: impl Fn() -> Duration,
        hold_off: Duration,
    ) -> Result<Allocated<D::Session>, Error> {
        let mut inner = self.inner.lock();
        inner.stay();
        match &inner.phase {
            Phase::Ready | Phase::Leaving { .. } => {}
            Phase::Failing(outage) | Phase::Down(outage) => return Err(outage.why.clone()),
            Phase::Changing { .. } => return Err(Error::Starting),
        }
        if inner.alive >= self.max_sessions {
            inner.evict_idle(u64::MAX, 1);
        }
        if inner.alive >= self.max_sessions {
            return Err(Error::Busy);
        }
        let Some(device) = &mut inner.device else { return Err(Error::Starting) };
        let session = match device.allocate(key) {
            Ok(session) => session,
            Err(why @ Error::Unavailable(_)) => {
                // Without sessions it is of no use, although it is initialised.
                let retry_at = clock().saturating_add(hold_off);
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

    /// Returns a session to its slot, or frees it if the slot has been doomed.
    pub(super) fn put_back(
        &self,
        slot: &Slot<D::Session>,
        session: Box<D::Session>,
        now: Duration,
    ) -> StopIsDue {
        match slot.put(session, nanos(now)) {
            Ok(()) => StopIsDue(false),
            Err(doomed) => self.free(*doomed),
        }
    }

    /// Frees a session that has nothing in flight.
    pub(super) fn free(&self, session: D::Session) -> StopIsDue {
        self.end(session, D::free)
    }

    /// Gives up a session that the device may still be working for.
    pub(super) fn abandon(&self, session: D::Session) -> StopIsDue {
        self.end(session, D::abandon)
    }

    /// Frees sessions that have been idle since before `since`.
    pub(super) fn evict_idle(&self, since: Duration) -> StopIsDue {
        let mut inner = self.inner.lock();
        inner.evict_idle(nanos(since), usize::MAX);
        inner.settle()
    }

    /// The device as a whole has failed, as initialisation number `generation` left it; a fault of
    /// an earlier one is over.
    pub(super) fn fail(&self, generation: u64, why: Error, retry_at: Duration) {
        let mut inner = self.inner.lock();
        if inner.generation == generation {
            inner.drain(Phase::Failing(Outage { why, retry_at }));
        }
    }

    /// Nobody uses the device any more: frees idle sessions. It can be started again at any time.
    pub(super) fn leave(&self) -> StopIsDue {
        let mut inner = self.inner.lock();
        match std::mem::replace(&mut inner.phase, Phase::Ready) {
            Phase::Ready => inner.drain(Phase::Leaving { outage: None }),
            Phase::Failing(outage) => inner.phase = Phase::Leaving { outage: Some(outage) },
            Phase::Down(outage) if inner.initialised => {
                inner.phase = Phase::Leaving { outage: Some(outage) };
            }
            Phase::Changing { .. } => inner.phase = Phase::Changing { unused: true },
            phase @ (Phase::Down(_) | Phase::Leaving { .. }) => inner.phase = phase,
        }
        inner.settle()
    }

    /// Uninitialises the device, unless somebody uses it again.
    pub(super) fn stop(&self) {
        let mut inner = self.inner.lock();
        if inner.settle() != StopIsDue(true) {
            return;
        }
        let (mut device, was_initialised) = inner.take();
        drop(inner);
        if was_initialised {
            device.uninitialise();
        }
        let mut inner = self.inner.lock();
        inner.device = Some(device);
        inner.phase = Phase::Down(Outage::unused());
        drop(inner);
        self.changed.notify_all();
    }

    /// Whether it is down and uninitialised, so that nothing of it is left.
    pub(super) fn is_unused(&self) -> bool {
        let inner = self.inner.lock();
        matches!(inner.phase, Phase::Down(_)) && !inner.initialised
    }

    /// The present state, and what `look` returns for the device: `None` while it is being
    /// initialised or uninitialised.
    pub(super) fn snapshot<R>(&self, look: impl FnOnce(&mut D) -> R) -> (Snapshot, Option<R>) {
        let mut inner = self.inner.lock();
        let outage = match &inner.phase {
            Phase::Ready | Phase::Leaving { .. } => None,
            Phase::Failing(outage) | Phase::Down(outage) => Some(outage.why.clone()),
            Phase::Changing { .. } => Some(Error::Starting),
        };
        let snapshot =
            Snapshot { initialisations: inner.generation, sessions: inner.alive, outage };
        (snapshot, inner.device.as_mut().map(look))
    }

    fn end(&self, session: D::Session, end: impl FnOnce(&mut D, D::Session)) -> StopIsDue {
        let mut inner: MutexGuard<'_, Inner<D>> = self.inner.lock();
        match &mut inner.device {
            Some(device) => end(device, session),
            // While a session is alive no other thread has the device. If it had, its buffers must
            // stay.
            None => std::mem::forget(session),
        }
        inner.alive -= 1;
        inner.settle()
    }
}

/// Puts a device back if a panic unwinds while it is out.
struct Returning<'a, D: Device> {
    lifecycle: &'a Lifecycle<D>,
    device: Option<D>,
}

impl<D: Device> Returning<'_, D> {
    fn with(&mut self, work: impl FnOnce(&mut D) -> Result<(), Error>) -> Result<(), Error> {
        self.device.as_mut().map_or(Err(Error::Starting), work)
    }
}

impl<D: Device> Drop for Returning<'_, D> {
    fn drop(&mut self) {
        let Some(device) = self.device.take() else { return };
        let mut inner = self.lifecycle.inner.lock();
        inner.device = Some(device);
        // It may have got so far.
        inner.initialised = true;
        let why = Error::Unavailable("its initialisation panicked".into());
        inner.phase = Phase::Down(Outage { why, retry_at: Duration::ZERO });
        drop(inner);
        self.lifecycle.changed.notify_all();
    }
}

impl<D: Device> Inner<D> {
    /// Takes the device out for a change that is made without the lock; tells whether it was
    /// initialised, which it does not count as any more.
    fn take(&mut self) -> (D, bool) {
        self.phase = Phase::Changing { unused: false };
        let device = self.device.take().expect("only a thread that changes the phase takes it");
        (device, std::mem::take(&mut self.initialised))
    }

    /// Somebody uses the device again that was being left.
    fn stay(&mut self) {
        let Phase::Leaving { outage } = &mut self.phase else { return };
        self.phase = match outage.take() {
            None => Phase::Ready,
            Some(outage) => Phase::Failing(outage),
        };
        let _ = self.settle();
    }

    /// Takes all sessions away from their threads, at once or when they are returned.
    fn drain(&mut self, phase: Phase) {
        if !matches!(self.phase, Phase::Ready | Phase::Leaving { .. }) {
            return;
        }
        self.phase = phase;
        let Some(device) = &mut self.device else { return };
        for slot in std::mem::take(&mut self.slots) {
            if let Some(session) = slot.doom() {
                device.free(*session);
                self.alive -= 1;
            }
        }
        let _ = self.settle();
    }

    /// Frees up to `most` sessions that have been idle since before `since`.
    fn evict_idle(&mut self, since: u64, most: usize) {
        let Some(device) = &mut self.device else { return };
        let mut evicted = 0;
        self.slots.retain(|slot| {
            if evicted == most {
                return true;
            }
            let Some(session) = slot.doom_if_idle(since) else { return true };
            device.free(*session);
            evicted += 1;
            false
        });
        self.alive -= evicted;
    }

    /// After the last session a failing device goes down, and one that is being left is to be
    /// stopped.
    fn settle(&mut self) -> StopIsDue {
        if self.alive > 0 {
            return StopIsDue(false);
        }
        match &self.phase {
            Phase::Leaving { .. } => StopIsDue(true),
            Phase::Failing(outage) => {
                self.phase = Phase::Down(outage.clone());
                StopIsDue(false)
            }
            Phase::Ready | Phase::Down(_) | Phase::Changing { .. } => StopIsDue(false),
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
