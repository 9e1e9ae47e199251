//! The worker pool, and jobs with reusable buffers.

use uadk_compress::pool;

use crate::Error;

/// Processes jobs, and returns them in order.
pub(super) struct Pool<J: Send + 'static> {
    jobs: pool::Pool<'static, J>,
    spare: Vec<J>,
    make: fn(threads: usize) -> J,
    threads: usize,
}

impl<J: Send + 'static> std::fmt::Debug for Pool<J> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads).finish_non_exhaustive()
    }
}

impl<J: Send + 'static> Pool<J> {
    /// Creates a pool that calls `state` once per thread, and `make` for each new job.
    pub(super) fn new<S: Send + 'static>(
        threads: usize,
        make: fn(threads: usize) -> J,
        state: impl Fn() -> S + Send + Sync + 'static,
        work: impl Fn(&mut S, &mut J) + Send + Sync + 'static,
    ) -> Self {
        let jobs = pool::Pool::new("gzip", threads, state, work);
        Self { jobs, spare: Vec::new(), make, threads }
    }

    /// Returns whether another job can be submitted before the oldest is taken.
    pub(super) fn has_capacity(&self) -> bool {
        !self.jobs.is_full()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Returns the number of threads.
    pub(super) const fn threads(&self) -> usize {
        self.threads
    }

    /// Returns a new job, or a recycled one in the state in which it was recycled.
    pub(super) fn job(&mut self) -> J {
        self.spare.pop().unwrap_or_else(|| (self.make)(self.threads))
    }

    /// Returns a recycled job of the requested kind.
    pub(super) fn spare(&mut self, is_wanted: impl Fn(&J) -> bool) -> Option<J> {
        let i = self.spare.iter().rposition(is_wanted)?;
        Some(self.spare.swap_remove(i))
    }

    /// Keeps a finished job so that its buffers are reused.
    pub(super) fn recycle(&mut self, job: J) {
        self.spare.push(job);
    }

    /// Submits a job to the workers, or processes it on this thread if `here` is set. The pool must
    /// have [capacity](Self::has_capacity).
    pub(super) fn submit(&mut self, job: J, here: bool) {
        let submitted = if here { self.jobs.submit_here(job) } else { self.jobs.submit(job) };
        submitted.unwrap_or_else(|_| unreachable!("the pool has capacity"));
    }

    /// Waits for the oldest job and returns it; `None` if there is none. An error if the job
    /// panicked, as a caller-provided engine may.
    pub(super) fn take(&mut self) -> Option<Result<J, Error>> {
        self.jobs.take().map(|done| done.map_err(|panicked| std::io::Error::from(panicked).into()))
    }

    /// Waits for all jobs, and discards their results.
    pub(super) fn discard_all(&mut self) {
        while let Some(done) = self.take() {
            self.spare.extend(done.ok());
        }
    }
}
