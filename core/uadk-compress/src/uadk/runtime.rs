//! The process's use of the library: one [`Lifecycle`], made anew in a forked child.

use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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

/// Somebody who uses the device. With the last one it is given up.
#[derive(Debug)]
pub(super) struct User {
    runtimes: Arc<Runtimes>,
}

impl User {
    /// A user of the libraries on this machine, which all users share.
    pub(super) fn of_this_machine(config: &UadkConfig) -> Result<Self, Error> {
        static RUNTIMES: Mutex<Option<Arc<Runtimes>>> = Mutex::new(None);
        let mut shared = RUNTIMES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtimes) = &*shared {
            return Ok(Self::new(Arc::clone(runtimes)));
        }
        let libwd = Libwd::load().map_err(|why| Error::Unavailable(why.to_string().into()))?;
        let runtimes = Runtimes::new(&libwd, config, Arc::new(SystemClock::default()))?;
        Ok(Self::new(Arc::clone(shared.insert(Arc::new(runtimes)))))
    }

    /// The only user of `libwd`.
    pub(super) fn alone(
        libwd: &Libwd,
        config: &UadkConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        Runtimes::new(libwd, config, clock).map(|runtimes| Self::new(Arc::new(runtimes)))
    }

    fn new(runtimes: Arc<Runtimes>) -> Self {
        runtimes.users.fetch_add(1, Ordering::AcqRel);
        Self { runtimes }
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

    pub(super) fn allocate(&self, key: Key) -> Result<Allocated<Session>, Error> {
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
        let allocated = self.lifecycle.allocate(key, now, self.config.hold_off);
        if let Err(why @ Error::Unavailable(_)) = &allocated
            && let Some(contexts) = self.contexts()
        {
            // Without sessions it is of no use, although it is initialised.
            self.lifecycle.fail(contexts.generation, why.clone(), now + self.config.hold_off);
        }
        allocated
    }

    /// The contexts of the last initialisation.
    pub(super) fn contexts(&self) -> Option<Arc<Contexts>> {
        self.lifecycle.with_device(|library| library.contexts().cloned())
    }

    /// The device as it was initialised for `contexts` has failed.
    pub(super) fn fail(&self, contexts: &Contexts, why: Error) {
        tracing::warn!(%why, "the accelerator failed and will be initialised again");
        let retry_at = self.clock.now() + self.config.hold_off;
        self.lifecycle.fail(contexts.generation, why, retry_at);
    }
}
