//! An ordered, bounded pool of worker threads.
//!
//! Compressing a stream in chunks always needs the same scheme: several threads each work on a
//! chunk, and the results are taken in the order of submission, with bounded memory. [`Pool`] does
//! this for all crates:
//!
//! ```
//! use uadk_compress::pool::Pool;
//!
//! let mut pool = Pool::new("squares", 2, || (), |(), n: &mut u64| *n *= *n);
//! let mut squares = Vec::new();
//! for n in 0..100 {
//!     if pool.is_full() {
//!         squares.extend(pool.take().transpose()?);
//!     }
//!     pool.submit(n).expect("not full");
//! }
//! while let Some(square) = pool.take() {
//!     squares.push(square?);
//! }
//! assert!(squares.into_iter().eq((0..100).map(|n| n * n)));
//! # Ok::<(), uadk_compress::pool::Panicked>(())
//! ```
//!
//! # Threads
//!
//! `threads` means the same throughout this crate and its adapters: the number of threads that do
//! the work. With 0 or 1 the caller's own thread does it, inside [`submit`](Pool::submit), and no
//! other thread is started. With more, a job that finds no worker idle starts another one. A caller
//! with one small job starts at most one worker, and with [`submit_here`](Pool::submit_here) none.
//! If the system refuses a thread, for example at a process limit, the pool works with those it
//! has, or else on the caller's thread.
//!
//! # Accelerators
//!
//! A job should be a batch of 64 to 128 blocks, which keeps a device's queue full. While one worker
//! waits for the last blocks of its batch, the other workers' batches are in flight: with two or
//! more threads the device never drains between batches. There are two jobs per worker, one running
//! and one waiting, so that a worker need not wait for the caller.

mod panicked;
mod spawn;
#[cfg(test)]
mod tests;
mod worker;

pub use panicked::Panicked;

use std::fmt;
use std::sync::Arc;
use std::thread::Scope;

use parking_lot::Mutex;

use self::panicked::discard;
use self::spawn::{Handle, Spawn};
use self::worker::{Runner, Shared, Work};
use crate::fork;

/// The most threads of a pool.
const MAX_THREADS: usize = 1024;

/// Jobs per worker: one running, one waiting.
const PER_WORKER: usize = 2;

/// Runs jobs on several threads and returns them in the order of submission. The module
/// documentation explains `threads`.
///
/// A job is a value that the work changes in place. [`take`](Self::take) returns it, so that its
/// buffers can be reused. In steady state the pool allocates nothing.
///
/// A panic in the work is caught and becomes the result of that job; the jobs before and after it
/// are unaffected. Dropping the pool, at any time, discards waiting jobs and waits for running
/// ones.
///
/// Don't leak a [scoped](Self::scoped) pool: its scope would wait for the workers forever. In a
/// forked child, which lacks the parent's workers, a pool that has started any returns errors.
///
/// ```
/// use uadk_compress::pool::Pool;
///
/// let mut pool = Pool::new("letters", 2, || (), |(), text: &mut String| {
///     text.make_ascii_uppercase();
/// });
/// for text in ["one", "two"] {
///     pool.submit(text.to_owned()).expect("not full");
/// }
/// assert_eq!(pool.take(), Some(Ok("ONE".to_owned())));
/// assert_eq!(pool.take(), Some(Ok("TWO".to_owned())));
/// assert_eq!(pool.take(), None);
/// ```
pub struct Pool<'scope, J> {
    shared: Arc<Shared<'scope, J>>,
    /// The number of threads; fewer than requested if one could not be started.
    threads: usize,
    spawn: Spawn<'scope>,
    workers: Vec<Handle<'scope>>,
    /// Runs jobs on the caller's thread. The mutex is never locked; it makes the pool `Sync`.
    here: Mutex<Runner<'scope, J>>,
    len: usize,
    /// The fork generation of the process that the workers belong to.
    forks: u64,
}

impl<J: Send + 'static> Pool<'static, J> {
    /// Creates a pool of `threads` threads called `name`, each with its own state from `new_state`,
    /// such as an encoder. `work` is called with that state and a job.
    ///
    /// Nothing is started or allocated for a thread before its first job. After a panic, the state
    /// is replaced by a new one.
    pub fn new<S: Send + 'static>(
        name: &'static str,
        threads: usize,
        new_state: impl Fn() -> S + Send + Sync + 'static,
        work: impl Fn(&mut S, &mut J) + Send + Sync + 'static,
    ) -> Self {
        Self::with_spawn(threads, spawn::unscoped(name), worker::work(new_state, work))
    }
}

impl<'scope, J: Send + 'scope> Pool<'scope, J> {
    /// Like [`new`](Pool::new), but state, work and jobs may borrow data that outlives the scope.
    pub fn scoped<S: Send + 'scope>(
        scope: &'scope Scope<'scope, '_>,
        name: &'static str,
        threads: usize,
        new_state: impl Fn() -> S + Send + Sync + 'scope,
        work: impl Fn(&mut S, &mut J) + Send + Sync + 'scope,
    ) -> Self {
        Self::with_spawn(threads, spawn::scoped(scope, name), worker::work(new_state, work))
    }

    fn with_spawn(threads: usize, spawn: Spawn<'scope>, work: Work<'scope, J>) -> Self {
        let threads = threads.clamp(1, MAX_THREADS);
        fork::watch();
        Self {
            shared: Arc::new(Shared::new(work, PER_WORKER * threads)),
            threads,
            spawn,
            workers: Vec::new(),
            here: Mutex::default(),
            len: 0,
            forks: fork::generation(),
        }
    }

    /// Submits a job. Without workers, it runs before this returns.
    ///
    /// # Errors
    ///
    /// Returns the job if the pool [is full](Self::is_full).
    pub fn submit(&mut self, job: J) -> Result<(), J> {
        if self.is_full() {
            return Err(job);
        }
        if self.threads > 1 && self.workers.len() < self.threads && !self.shared.has_idle() {
            self.start_worker();
        }
        if self.workers.is_empty() {
            self.run_here(job);
        } else {
            self.shared.push(job);
            self.len += 1;
        }
        Ok(())
    }

    /// Runs a job on the caller's thread before this returns. It is taken in order, like any other.
    ///
    /// # Errors
    ///
    /// Returns the job if the pool [is full](Self::is_full).
    pub fn submit_here(&mut self, job: J) -> Result<(), J> {
        if self.is_full() {
            return Err(job);
        }
        self.run_here(job);
        Ok(())
    }

    fn run_here(&mut self, job: J) {
        let done = self.here.get_mut().run(&self.shared.work, job);
        self.shared.push_done(done);
        self.len += 1;
    }

    /// Tries to start a worker. If that fails, the pool continues with fewer threads, or with the
    /// caller's.
    fn start_worker(&mut self) {
        let shared = Arc::clone(&self.shared);
        match (self.spawn)(Box::new(move || shared.serve())) {
            Ok(worker) => self.workers.push(worker),
            Err(error) => {
                self.threads = self.workers.len().max(1);
                tracing::debug!(%error, threads = self.threads, "could not start a thread");
            }
        }
    }
}

impl<J> Pool<'_, J> {
    /// Takes the oldest job, waiting until it is done; `None` if the pool is empty.
    ///
    /// # Errors
    ///
    /// Fails if the work panicked. The job is then lost, and the next call takes the next one. Also
    /// fails in a forked child if the workers belong to the parent.
    pub fn take(&mut self) -> Option<Result<J, Panicked>> {
        if self.is_orphaned() {
            return Some(Err(Panicked::orphaned()));
        }
        self.len = self.len.checked_sub(1)?;
        Some(self.shared.take())
    }

    /// Takes the oldest job if it is done; `None` if it is not, or if the pool is empty.
    ///
    /// # Errors
    ///
    /// Same as [`take`](Self::take).
    pub fn try_take(&mut self) -> Option<Result<J, Panicked>> {
        if self.is_orphaned() {
            return self.take();
        }
        let done = self.shared.try_take()?;
        self.len -= 1;
        Some(done)
    }

    /// Returns how many jobs fit into the pool, counted from submission until taken: two per
    /// thread, or one without workers. Shrinks if a thread can't be started.
    #[must_use]
    pub fn capacity(&self) -> usize {
        let has_workers = self.threads > 1 || !self.workers.is_empty();
        if has_workers { PER_WORKER * self.threads } else { 1 }
    }

    /// Returns the number of jobs submitted and not yet taken.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns whether all jobs have been taken.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns whether a job must be taken before another can be submitted.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len >= self.capacity() || self.is_orphaned()
    }

    /// Returns whether this is a forked child whose workers belong to the parent.
    fn is_orphaned(&self) -> bool {
        !self.workers.is_empty() && self.forks != fork::generation()
    }
}

impl<J> Drop for Pool<'_, J> {
    fn drop(&mut self) {
        if self.is_orphaned() {
            // The parent's workers don't exist here: they can't be joined, and one may hold the
            // lock.
            std::mem::forget(std::mem::take(&mut self.workers));
            std::mem::forget(Arc::clone(&self.shared));
            return;
        }
        self.shared.close();
        for worker in self.workers.drain(..) {
            discard(worker.join());
        }
    }
}

impl<J> fmt::Debug for Pool<'_, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("threads", &self.threads)
            .field("workers", &self.workers.len())
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}
