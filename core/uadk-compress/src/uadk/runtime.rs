//! The library's state in this process: one [`Lifecycle`]; a forked child creates a new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use uadk_sys::Libwd;

use super::background;
use super::config::UadkConfig;
use super::contexts::Contexts;
use super::framing::Formats;
use super::library::Library;
use super::lifecycle::{Allocated, Change, Lifecycle, SharedSlot, StopIsDue};
use super::quarantine::Losses;
use super::session::{Key, Session};
use crate::clock::{Clock, SystemClock};
use crate::{Error, fork};

/// What one process knows about the device.
#[derive(Debug)]
pub(super) struct Runtime {
    pub(super) lifecycle: Lifecycle<Library>,
    pub(super) losses: Arc<Losses>,
    pub(super) formats: Arc<Formats>,
    pub(super) clock: Arc<dyn Clock>,
    config: UadkConfig,
    /// The [`fork::generation`] of the process it belongs to.
    pub(super) forks: u64,
}

/// The libraries, and the [`Runtime`] of the current process.
#[derive(Debug)]
pub(super) struct Runtimes {
    libwd: Libwd,
    config: UadkConfig,
    clock: Arc<dyn Clock>,
    /// From `Box::into_raw`. The runtimes of parent processes are leaked: their locks may be held
    /// by threads that do not exist in the child.
    current: AtomicPtr<Arc<Runtime>>,
    users: AtomicUsize,
}

/// One entry per library in use, since an initialisation applies to the whole process. An entry is
/// removed once it has no users and its device is released.
static RUNTIMES: Mutex<Vec<Arc<Runtimes>>> = Mutex::new(Vec::new());

/// How long to wait for [`RUNTIMES`]: in a forked child the lock may be held by a thread that does
/// not exist there.
const LIST_LOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// A user of the device. Dropping the last one shuts the device down.
#[derive(Debug)]
pub(super) struct User {
    runtimes: Arc<Runtimes>,
}

impl User {
    /// Creates a user of the libraries on this machine.
    pub(super) fn for_this_machine(config: &UadkConfig) -> Result<Self, Error> {
        let libwd =
            Libwd::load().map_err(|reason| Error::Unavailable(reason.to_string().into()))?;
        Self::new(&libwd, config, Arc::new(SystemClock::default()))
    }

    /// Creates a user of `libwd`, sharing it with all others in the process.
    pub(super) fn new(
        libwd: &Libwd,
        config: &UadkConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let mut all: MutexGuard<'_, Vec<Arc<Runtimes>>> =
            RUNTIMES.try_lock_for(LIST_LOCK_TIMEOUT).ok_or_else(|| {
                Error::Unavailable("timed out waiting for the list of libraries in use".into())
            })?;
        let init = libwd.functions().wd_comp_init2_;
        let same =
            |other: &Runtimes| std::ptr::fn_addr_eq(other.libwd.functions().wd_comp_init2_, init);
        // Losses to a device still count after its last user has gone.
        let mut losses = None;
        all.retain(|runtimes| {
            let gone = same(runtimes) && runtimes.are_unused();
            if gone {
                losses = Some(Arc::clone(&runtimes.current().losses));
            }
            !gone
        });
        let found = all.iter().find(|runtimes| same(runtimes)).cloned();
        let runtimes = found.unwrap_or_else(|| {
            let losses = losses.unwrap_or_default();
            let runtimes = Arc::new(Runtimes::new(libwd, config, clock, losses));
            all.push(Arc::clone(&runtimes));
            runtimes
        });
        runtimes.users.fetch_add(1, Ordering::AcqRel);
        Ok(Self { runtimes })
    }

    pub(super) fn libwd(&self) -> &Libwd {
        &self.runtimes.libwd
    }

    /// Returns the current process's runtime.
    pub(super) fn runtime(&self) -> &Arc<Runtime> {
        self.runtimes.current()
    }
}

impl Drop for User {
    fn drop(&mut self) {
        if self.runtimes.users.fetch_sub(1, Ordering::AcqRel) == 1 {
            // A user created at this moment starts the device again with its next block.
            let runtime = self.runtimes.current();
            runtime.stop_if(runtime.lifecycle.leave());
        }
    }
}

impl Runtimes {
    fn new(libwd: &Libwd, config: &UadkConfig, clock: Arc<dyn Clock>, losses: Arc<Losses>) -> Self {
        fork::watch();
        let runtimes = Self {
            libwd: libwd.clone(),
            config: config.clone(),
            clock,
            current: AtomicPtr::default(),
            users: AtomicUsize::new(0),
        };
        runtimes.current.store(runtimes.new_runtime(losses), Ordering::Release);
        runtimes
    }

    /// Returns whether they have no users and hold nothing on the device.
    fn are_unused(&self) -> bool {
        self.users.load(Ordering::Acquire) == 0 && self.current().lifecycle.is_unused()
    }

    fn current(&self) -> &Arc<Runtime> {
        // SAFETY: it came from `Box::into_raw` and is freed with `self` or never.
        let runtime = unsafe { &*self.current.load(Ordering::Acquire) };
        if runtime.forks == fork::generation() { runtime } else { self.after_fork() }
    }

    #[cold]
    fn after_fork(&self) -> &Arc<Runtime> {
        let parents = self.current.load(Ordering::Acquire);
        let new = self.new_runtime(Arc::default());
        let current = match self.current.compare_exchange(
            parents,
            new,
            Ordering::AcqRel,
            Ordering::Acquire,
        ) {
            Ok(_) => new,
            Err(others) => {
                // SAFETY: it was created above, and no other thread has seen it.
                drop(unsafe { Box::from_raw(new) });
                others
            }
        };
        // SAFETY: as in `current`.
        unsafe { &*current }
    }

    fn new_runtime(&self, losses: Arc<Losses>) -> *mut Arc<Runtime> {
        let formats = Arc::<Formats>::default();
        let library =
            Library::new(&self.libwd, Arc::clone(&formats), &self.config, Arc::clone(&losses));
        let runtime = Runtime {
            lifecycle: Lifecycle::new(library, self.config.max_sessions),
            losses,
            formats,
            clock: Arc::clone(&self.clock),
            config: self.config.clone(),
            forks: fork::generation(),
        };
        Box::into_raw(Box::new(Arc::new(runtime)))
    }
}

impl Drop for Runtimes {
    fn drop(&mut self) {
        // SAFETY: it came from `Box::into_raw`, and no one borrows it.
        drop(unsafe { Box::from_raw(*self.current.get_mut()) });
    }
}

impl Runtime {
    /// Initialises the device if it is down and its hold-off is over; in a background thread if so
    /// configured.
    ///
    /// # Errors
    ///
    /// Why the device is down; [`Error::Starting`] while it is being initialised.
    pub(super) fn start(self: &Arc<Self>) -> Result<(), Error> {
        let Some(change) = self.lifecycle.begin(self.clock.now())? else { return Ok(()) };
        if !self.config.background {
            return self.initialise(change);
        }
        // The thread takes the change; if no thread can be started, it is taken back here.
        let change = Arc::new(Mutex::new(Some(change)));
        let (runtime, taken) = (Arc::clone(self), Arc::clone(&change));
        let spawned = background::spawn(move || {
            let change = taken.lock().take();
            if let Some(change) = change {
                let _ = runtime.initialise(change);
            }
        });
        let Err(error) = spawned else { return Err(Error::Starting) };
        let Some(change) = change.lock().take() else { return Err(Error::Starting) };
        // Not initialised in this thread, which could take seconds.
        let reason = format!("could not start a thread to initialise it: {error}");
        let reason = Error::Unavailable(reason.into());
        let retry_at = self.clock.now().saturating_add(self.config.hold_off);
        self.lifecycle.cancel(change, reason.clone(), retry_at);
        Err(reason)
    }

    fn initialise(self: &Arc<Self>, change: Change<Library>) -> Result<(), Error> {
        let result = self.lifecycle.initialise(change, || self.clock.now(), self.config.hold_off);
        // Logged after the device has been put back: a subscriber may panic.
        let result = result.map(|stop| self.stop_if(stop));
        match &result {
            Ok(()) => tracing::info!("accelerator initialised"),
            Err(reason) => {
                tracing::warn!(%reason, "the accelerator is unusable and will be tried again");
            }
        }
        result
    }

    /// Initialises the device if it is down, and waits up to `limit` until it is initialised.
    ///
    /// # Errors
    ///
    /// Why the device is down; [`Error::Starting`] if it is still being initialised.
    pub(super) fn start_and_wait(self: &Arc<Self>, limit: Duration) -> Result<(), Error> {
        let begin = Instant::now();
        loop {
            match self.start() {
                Err(Error::Starting) => {}
                result => return result,
            }
            let left = limit.saturating_sub(begin.elapsed());
            // It may be uninitialising because an earlier user was dropped. Afterwards it is down
            // without a hold-off, and the next iteration starts it.
            if !self.lifecycle.wait_for_change(left) {
                return Err(Error::Starting);
            }
        }
    }

    /// Allocates a session if the device is initialised; otherwise starts initialising it.
    pub(super) fn allocate(self: &Arc<Self>, key: Key) -> Result<Allocated<Session>, Error> {
        if self.losses.bytes() > self.config.max_quarantine {
            // After late completions, a sweep brings the total down.
            let _ = self.lifecycle.snapshot(Library::sweep);
        }
        let lost = self.losses.bytes();
        if lost > self.config.max_quarantine {
            return Err(Error::Unavailable(
                format!(
                    "{lost} bytes are lost to blocks that it never completed, more than \
                     `UadkConfig::max_quarantine`"
                )
                .into(),
            ));
        }
        self.start()?;
        self.lifecycle.allocate(key, || self.clock.now(), self.config.hold_off)
    }

    pub(super) fn put_back(
        self: &Arc<Self>,
        slot: &SharedSlot<Session>,
        session: Box<Session>,
        now: Duration,
    ) {
        self.stop_if(self.lifecycle.put_back(slot, session, now));
    }

    pub(super) fn free(self: &Arc<Self>, session: Session) {
        self.stop_if(self.lifecycle.free(session));
    }

    pub(super) fn abandon(self: &Arc<Self>, session: Session) {
        self.stop_if(self.lifecycle.abandon(session));
    }

    /// Frees sessions that have not been used for [`UadkConfig::idle`].
    pub(super) fn evict_idle(self: &Arc<Self>, now: Duration) {
        if let Some(since) = now.checked_sub(self.config.idle) {
            self.stop_if(self.lifecycle.evict_idle(since));
        }
    }

    /// Records that the device has failed in the initialisation that `contexts` belong to.
    pub(super) fn fail(&self, contexts: &Contexts, reason: Error) {
        tracing::warn!(%reason, "the accelerator failed and will be initialised again");
        let retry_at = self.clock.now().saturating_add(self.config.hold_off);
        self.lifecycle.fail(contexts.generation, reason, retry_at);
    }

    /// Uninitialises the device if that is due; in a background thread if so configured. If the
    /// thread can't be started, the device stays initialised until it is used again or the process
    /// ends.
    fn stop_if(self: &Arc<Self>, StopIsDue(due): StopIsDue) {
        if !due {
            return;
        }
        if !self.config.background {
            self.lifecycle.stop();
            return;
        }
        let runtime = Arc::clone(self);
        let _ = background::spawn(move || runtime.lifecycle.stop());
    }
}
