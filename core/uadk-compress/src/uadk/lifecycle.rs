//! When the library may be initialised and uninitialised: never while a session is alive.
//!
//! Knows nothing about UADK: a [`Device`] makes the actual calls, so that loom can try all
//! interleavings with a device that checks them.

use std::fmt::Debug;
use std::time::Duration;

use super::slot::Slot;
use super::sync::{Arc, Condvar, Mutex, MutexGuard};
use crate::Error;
use crate::clock::nanos;

/// Something that is initialised and has sessions. Calls never overlap.
pub(super) trait Device: Send {
    /// The kind of a session.
    type Key: Copy;
    type Session: Debug + Send;

    /// Initialises the device. Called while no session is alive and the device is uninitialised;
    /// may take a long time. `generation` counts initialisations from 1.
    fn initialise(&mut self, generation: u64) -> Result<(), Error>;
    /// Uninitialises the device. Called while no session is alive except
    /// [abandoned](Lifecycle::abandon) ones; may take a long time.
    fn uninitialise(&mut self);
    /// Allocates a session. Called while the device is initialised.
    fn allocate(&mut self, key: Self::Key) -> Result<Self::Session, Error>;
    /// Frees a session. Called in the initialisation that the session was allocated in.
    fn free(&mut self, session: Self::Session);
    /// Like [`free`](Self::free), but the device may still be working for the session.
    fn abandon(&mut self, session: Self::Session);
}

/// A device, and the sessions of all threads.
///
/// Threads take sessions from their [slots](Slot) without using this type. After a fault of the
/// whole device all slots are doomed: idle sessions are freed at once, others when they are
/// returned. Once the last one is gone, the device is down. When the hold-off is over, it is
/// uninitialised and initialised again; until then it has time to finish its work.
///
/// Initialising and uninitialising happen without the lock. Meanwhile other threads get
/// [`Error::Starting`], and wait only if they ask to.
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
    /// The last user is gone; to be [stopped](Lifecycle::stop) once the last session is returned.
    Leaving {
        /// What had failed before, if anything.
        outage: Option<Outage>,
    },
    /// The device has failed; goes `Down` when the last session is returned.
    Failing(Outage),
    Down(Outage),
    /// A thread is initialising or uninitialising the device.
    Changing {
        /// Whether the last user has gone in the meantime.
        unused: bool,
    },
}

#[derive(Clone, Debug)]
struct Outage {
    reason: Error,
    retry_at: Duration,
}

/// A device handed to the thread that initialises it. It must be returned to its lifecycle by
/// [`initialise`](Lifecycle::initialise) or [`cancel`](Lifecycle::cancel).
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

/// A slot, shared by its thread and the lifecycle.
pub(super) type SharedSlot<S> = Arc<Slot<S>>;

/// A new session, and the slot to return it to.
pub(super) type Allocated<S> = (SharedSlot<S>, Box<S>);

/// Whether the device has neither users nor sessions now, so that [`Lifecycle::stop`] is due.
#[must_use = "call `stop` if it is due"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StopIsDue(pub(super) bool);

/// Returns whether only one of the two owners of a slot is left: the thread has ended, or the
/// session was taken away.
pub(super) fn has_one_owner<S: Send>(slot: &SharedSlot<S>) -> bool {
    Arc::strong_count(slot) == 1
}

impl<D: Device> Lifecycle<D> {
    /// Creates the lifecycle of a device that is not initialised yet.
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

    /// Hands out the device for initialisation if it is down and its hold-off is over. Returns
    /// `None` if it is initialised.
    ///
    /// # Errors
    ///
    /// Why the device is down; [`Error::Starting`] if another thread is initialising it.
    pub(super) fn begin(&self, now: Duration) -> Result<Option<Change<D>>, Error> {
        let mut inner = self.inner.lock();
        inner.cancel_leaving();
        match &mut inner.phase {
            Phase::Ready | Phase::Leaving { .. } => return Ok(None),
            Phase::Changing { unused } => {
                *unused = false;
                return Err(Error::Starting);
            }
            Phase::Down(outage) if now >= outage.retry_at => {}
            Phase::Failing(outage) | Phase::Down(outage) => return Err(outage.reason.clone()),
        }
        let (device, was_initialised) = inner.take();
        Ok(Some(Change { device, generation: inner.generation + 1, was_initialised }))
    }

    /// Initialises the device. If that fails, a hold-off begins at the time of the failure.
    ///
    /// # Errors
    ///
    /// The device's error.
    pub(super) fn initialise(
        &self,
        change: Change<D>,
        clock: impl Fn() -> Duration,
        hold_off: Duration,
    ) -> Result<StopIsDue, Error> {
        let Change { device, generation, was_initialised } = change;
        let mut device = DeviceGuard { lifecycle: self, device: Some(device) };
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
            Err(reason) => Phase::Down(Outage { reason: reason.clone(), retry_at }),
        };
        drop(inner);
        self.changed.notify_all();
        result.map(|()| StopIsDue(unused))
    }

    /// Puts the device back as it was, and postpones the next start until `retry_at`.
    pub(super) fn cancel(&self, change: Change<D>, reason: Error, retry_at: Duration) {
        let mut inner = self.inner.lock();
        inner.device = Some(change.device);
        inner.initialised = change.was_initialised;
        inner.phase = Phase::Down(Outage { reason, retry_at });
        drop(inner);
        self.changed.notify_all();
    }

    /// Waits up to `limit` until no thread is initialising or uninitialising the device. Returns
    /// `false` on timeout.
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
    /// [`Error::Busy`] if the maximum number of sessions are all in use; [`Error::Starting`]; why
    /// the device is down; the device's error.
    pub(super) fn allocate(
        &self,
        key: D::Key,
        clock: impl Fn() -> Duration,
        hold_off: Duration,
    ) -> Result<Allocated<D::Session>, Error> {
        let mut inner = self.inner.lock();
        inner.cancel_leaving();
        match &inner.phase {
            Phase::Ready | Phase::Leaving { .. } => {}
            Phase::Failing(outage) | Phase::Down(outage) => return Err(outage.reason.clone()),
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
            Err(reason @ Error::Unavailable(_)) => {
                // The device is initialised, but useless without sessions.
                let retry_at = clock().saturating_add(hold_off);
                inner.drain(Phase::Failing(Outage { reason: reason.clone(), retry_at }));
                return Err(reason);
            }
            Err(reason) => return Err(reason),
        };
        let slot = Arc::new(Slot::in_use());
        if inner.slots.len() > 2 * inner.alive + 16 {
            // Remove the slots of threads that have ended.
            inner.slots.retain(|slot| !has_one_owner(slot));
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

    /// Abandons a session that the device may still be working for.
    pub(super) fn abandon(&self, session: D::Session) -> StopIsDue {
        self.end(session, D::abandon)
    }

    /// Frees sessions that have been idle since before `since`.
    pub(super) fn evict_idle(&self, since: Duration) -> StopIsDue {
        let mut inner = self.inner.lock();
        inner.evict_idle(nanos(since), usize::MAX);
        inner.settle()
    }

    /// Records that the device as a whole has failed in initialisation `generation`. Ignored if it
    /// has been initialised again since.
    pub(super) fn fail(&self, generation: u64, reason: Error, retry_at: Duration) {
        let mut inner = self.inner.lock();
        if inner.generation == generation {
            inner.drain(Phase::Failing(Outage { reason, retry_at }));
        }
    }

    /// Frees idle sessions, as the last user is gone. The device can be started again at any time.
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

    /// Uninitialises the device, unless it is in use again.
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

    /// Returns whether the device is down and uninitialised, so that it holds no resources.
    pub(super) fn is_unused(&self) -> bool {
        let inner = self.inner.lock();
        matches!(inner.phase, Phase::Down(_)) && !inner.initialised
    }

    /// Returns the current state, and what `inspect` returns for the device: `None` while it is
    /// being initialised or uninitialised.
    pub(super) fn snapshot<R>(&self, inspect: impl FnOnce(&mut D) -> R) -> (Snapshot, Option<R>) {
        let mut inner = self.inner.lock();
        let outage = match &inner.phase {
            Phase::Ready | Phase::Leaving { .. } => None,
            Phase::Failing(outage) | Phase::Down(outage) => Some(outage.reason.clone()),
            Phase::Changing { .. } => Some(Error::Starting),
        };
        let snapshot =
            Snapshot { initialisations: inner.generation, sessions: inner.alive, outage };
        (snapshot, inner.device.as_mut().map(inspect))
    }

    fn end(&self, session: D::Session, end: impl FnOnce(&mut D, D::Session)) -> StopIsDue {
        let mut inner: MutexGuard<'_, Inner<D>> = self.inner.lock();
        match &mut inner.device {
            Some(device) => end(device, session),
            // While a session is alive, no other thread has the device. If one did, the session's
            // buffers would have to stay.
            None => std::mem::forget(session),
        }
        inner.alive -= 1;
        inner.settle()
    }
}

/// Puts a device back if a panic unwinds while it is taken out.
struct DeviceGuard<'a, D: Device> {
    lifecycle: &'a Lifecycle<D>,
    device: Option<D>,
}

impl<D: Device> DeviceGuard<'_, D> {
    fn with(&mut self, work: impl FnOnce(&mut D) -> Result<(), Error>) -> Result<(), Error> {
        self.device.as_mut().map_or(Err(Error::Starting), work)
    }
}

impl<D: Device> Drop for DeviceGuard<'_, D> {
    fn drop(&mut self) {
        let Some(device) = self.device.take() else { return };
        let mut inner = self.lifecycle.inner.lock();
        inner.device = Some(device);
        // The initialisation may have succeeded before the panic.
        inner.initialised = true;
        let reason = Error::Unavailable("the initialisation panicked".into());
        inner.phase = Phase::Down(Outage { reason, retry_at: Duration::ZERO });
        drop(inner);
        self.lifecycle.changed.notify_all();
    }
}

impl<D: Device> Inner<D> {
    /// Takes the device out for a change that is made without the lock. Also returns whether it was
    /// initialised; from now on it counts as uninitialised.
    fn take(&mut self) -> (D, bool) {
        self.phase = Phase::Changing { unused: false };
        let device = self.device.take().expect("only a thread that changes the phase takes it");
        (device, std::mem::take(&mut self.initialised))
    }

    /// Keeps the device: it is in use again after its last user had gone.
    fn cancel_leaving(&mut self) {
        let Phase::Leaving { outage } = &mut self.phase else { return };
        self.phase = match outage.take() {
            None => Phase::Ready,
            Some(outage) => Phase::Failing(outage),
        };
        let _ = self.settle();
    }

    /// Takes all sessions away from their threads: idle ones at once, others when they are
    /// returned.
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

    /// If no session is left, a failing device goes down, and a device without users is due to be
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
        let reason = Error::Unavailable("the device is not in use".into());
        Self { reason, retry_at: Duration::ZERO }
    }
}

#[cfg(all(test, loom))]
mod interleavings;
