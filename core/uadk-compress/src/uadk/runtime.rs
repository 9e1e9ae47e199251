//! The process's use of the library: one [`Lifecycle`], made anew in a forked child.

use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use uadk_sys::Libwd;

use super::config::UadkConfig;
use super::contexts::Contexts;
use super::fork;
use super::framing::Offered;
use super::library::{self, Library};
use super::lifecycle::{Allocated, Lifecycle};
use super::quarantine::Losses;
use super::session::{Key, Session};
use crate::{Clock, Error, SystemClock};

/// What one process knows of the device.
#[derive(Debug)]
pub(super) struct Runtime {
    pub(super) lifecycle: Lifecycle<Library>,
    pub(super) losses: Arc<Losses>,
    pub(super) clock: Arc<dyn Clock>,
    config: UadkConfig,
    /// A thread is initialising the device.
    starting: AtomicBool,
    /// Of which process it is.
    pub(super) forks: u64,
}

/// The libraries, and the [`Runtime`] of the present process.
#[derive(Debug)]
pub(super) struct Runtimes {
    libwd: Libwd,
    offered: Offered,
    config: UadkConfig,
    clock: Arc<dyn Clock>,
    /// From `Box::into_raw`. Those of parent processes are leaked: their locks may be held by
    /// threads that a child doesn't have.
    current: AtomicPtr<Arc<Runtime>>,
    users: AtomicUsize,
}

/// Those of all libraries in use: an initialisation is the whole process's, so there must not be two
/// for one. They stay, but for those that nobody uses and that have given everything back.
static RUNTIMES: Mutex<Vec<Arc<Runtimes>>> = Mutex::new(Vec::new());

/// Somebody who uses the device. With the last one it is given up.
#[derive(Debug)]
pub(super) struct User {
    runtimes: Arc<Runtimes>,
}

impl User {
    /// A user of the libraries on this machine.
    pub(super) fn of_this_machine(config: &UadkConfig) -> Result<Self, Error> {
        let libwd = Libwd::load().map_err(|why| Error::Unavailable(why.to_string().into()))?;
        let config = UadkConfig { start_in_background: true, ..config.clone() };
        Self::of(&libwd, &config, Arc::new(SystemClock::default()))
    }

    /// A user of `libwd`, who shares it with all its others.
    pub(super) fn of(
        libwd: &Libwd,
        config: &UadkConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let mut all = lock(&RUNTIMES)?;
        let init = libwd.functions().wd_comp_init2_;
        let same =
            |other: &Runtimes| std::ptr::fn_addr_eq(other.libwd.functions().wd_comp_init2_, init);
        all.retain(|runtimes| !(same(runtimes) && runtimes.are_unused()));
        let found = all.iter().find(|runtimes| same(runtimes)).cloned();
        let runtimes = if let Some(runtimes) = found {
            runtimes
        } else {
            let runtimes = Arc::new(Runtimes::new(libwd, config, clock)?);
            all.push(Arc::clone(&runtimes));
            runtimes
        };
        runtimes.users.fetch_add(1, Ordering::AcqRel);
        Ok(Self { runtimes })
    }

    pub(super) fn libwd(&self) -> &Libwd {
        &self.runtimes.libwd
    }

    pub(super) fn offered(&self) -> Offered {
        self.runtimes.offered
    }

    /// The present process's runtime.
    pub(super) fn runtime(&self) -> &Arc<Runtime> {
        self.runtimes.current()
    }
}

impl Drop for User {
    fn drop(&mut self) {
        if self.runtimes.users.fetch_sub(1, Ordering::AcqRel) == 1 {
            // If another user comes at this moment he starts it again at his next block.
            self.runtimes.current().lifecycle.shut();
        }
    }
}

impl Runtimes {
    fn new(libwd: &Libwd, config: &UadkConfig, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        fork::watch();
        let offered = library::offered(libwd.functions());
        if offered == Offered::default() {
            return Err(library::no_device());
        }
        let runtimes = Self {
            libwd: libwd.clone(),
            offered,
            config: config.clone(),
            clock,
            current: AtomicPtr::default(),
            users: AtomicUsize::new(0),
        };
        runtimes.current.store(runtimes.new_runtime(), Ordering::Release);
        Ok(runtimes)
    }

    /// Whether they have neither users nor anything of the device.
    fn are_unused(&self) -> bool {
        self.users.load(Ordering::Acquire) == 0 && self.current().lifecycle.is_unused()
    }

    fn current(&self) -> &Arc<Runtime> {
        // SAFETY: it came from `Box::into_raw`, and is freed with `self` or never.
        let runtime = unsafe { &*self.current.load(Ordering::Acquire) };
        if runtime.forks == fork::generation() { runtime } else { self.after_fork() }
    }

    #[cold]
    fn after_fork(&self) -> &Arc<Runtime> {
        let parents = self.current.load(Ordering::Acquire);
        let ours = self.new_runtime();
        let current =
            match self.current.compare_exchange(parents, ours, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => ours,
                Err(theirs) => {
                    // SAFETY: it was made above, and nobody has seen it.
                    drop(unsafe { Box::from_raw(ours) });
                    theirs
                }
            };
        // SAFETY: as in `current`.
        unsafe { &*current }
    }

    fn new_runtime(&self) -> *mut Arc<Runtime> {
        let losses = Arc::<Losses>::default();
        let library = Library::new(&self.libwd, self.offered, &self.config, Arc::clone(&losses));
        let runtime = Runtime {
            lifecycle: Lifecycle::new(library, self.config.max_sessions),
            losses,
            clock: Arc::clone(&self.clock),
            config: self.config.clone(),
            starting: AtomicBool::new(false),
            forks: fork::generation(),
        };
        Box::into_raw(Box::new(Arc::new(runtime)))
    }
}

impl Drop for Runtimes {
    fn drop(&mut self) {
        // SAFETY: it came from `Box::into_raw`, and nobody borrows it any more.
        drop(unsafe { Box::from_raw(*self.current.get_mut()) });
    }
}

impl Runtime {
    /// Initialises the device, if that has not been done or is to be done again.
    pub(super) fn start(&self) -> Result<(), Error> {
        self.lifecycle.start(self.clock.now(), self.config.hold_off)
    }

    pub(super) fn allocate(self: &Arc<Self>, key: Key) -> Result<Allocated<Session>, Error> {
        let lost = self.losses.bytes();
        if lost > self.config.max_quarantine {
            return Err(Error::Unavailable(
                format!(
                    "{lost} bytes are lost to blocks that it never completed, more than \
                     `UadkConfig::max_quarantine`: start the process anew when the device works"
                )
                .into(),
            ));
        }
        let now = self.clock.now();
        if self.config.start_in_background && self.lifecycle.is_due(now) {
            self.start_in_background()?;
        }
        self.lifecycle.allocate(key, now, self.config.hold_off)
    }

    /// Initialises the device in a thread of its own, since that may take seconds. Until then it is
    /// busy.
    fn start_in_background(self: &Arc<Self>) -> Result<(), Error> {
        if self.starting.swap(true, Ordering::AcqRel) {
            return Err(Error::Busy);
        }
        let runtime = Arc::clone(self);
        let start = move || {
            if let Err(why) = runtime.start() {
                tracing::warn!(%why, "the accelerator can't be used yet and will be tried again");
            }
            runtime.starting.store(false, Ordering::Release);
        };
        if std::thread::Builder::new().name("uadk-start".into()).spawn(start).is_ok() {
            return Err(Error::Busy);
        }
        // Then in this one.
        self.starting.store(false, Ordering::Release);
        Ok(())
    }

    /// The device as it was initialised for `contexts` has failed.
    pub(super) fn fail(&self, contexts: &Contexts, why: Error) {
        tracing::warn!(%why, "the accelerator failed and will be initialised again");
        let retry_at = self.clock.now().saturating_add(self.config.hold_off);
        self.lifecycle.fail(contexts.generation, why, retry_at);
    }
}

/// Locks for a second at most: in a forked child a lock may be held by a thread that is not there.
fn lock<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, Error> {
    for _ in 0..1000 {
        match mutex.try_lock() {
            Ok(guard) => return Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    Err(Error::Unavailable("another thread does not come to an end with UADK".into()))
}
