//! The worker pool, and jobs whose buffers are used again.

use uadk_compress::pool;

use crate::Error;

/// Works on jobs, and returns them in order.
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
    /// A pool whose threads make a state of their own each, and which makes jobs as it needs them.
    pub(super) fn new<S: Send + 'static>(
        threads: usize,
        make: fn(threads: usize) -> J,
        state: impl Fn() -> S + Send + Sync + 'static,
        work: impl Fn(&mut S, &mut J) + Send + Sync + 'static,
    ) -> Self {
        let jobs = pool::Pool::new("gzip", threads, state, work);
        Self { jobs, spare: Vec::new(), make, threads }
    }

    /// Whether another job may be submitted before the oldest is taken.
    pub(super) fn has_room(&self) -> bool {
        !self.jobs.is_full()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Threads that work on jobs.
    pub(super) const fn threads(&self) -> usize {
        self.threads
    }

    /// A job that is new, or one that was recycled, as it was then.
    pub(super) fn job(&mut self) -> J {
        self.spare.pop().unwrap_or_else(|| (self.make)(self.threads))
    }

    /// A job that was recycled, and is of the kind that is wanted.
    pub(super) fn spare(&mut self, is_wanted: impl Fn(&J) -> bool) -> Option<J> {
        let i = self.spare.iter().rposition(is_wanted)?;
        Some(self.spare.swap_remove(i))
    }

    /// Keeps the buffers of a job that is done with.
    pub(super) fn recycle(&mut self, job: J) {
        self.spare.push(job);
    }

    /// Submits a job, to be done on this thread before it returns, or by the workers. There must be
    /// [room](Self::has_room).
    pub(super) fn submit(&mut self, job: J, here: bool) {
        let submitted = if here { self.jobs.submit_here(job) } else { self.jobs.submit(job) };
        submitted.unwrap_or_else(|_| unreachable!("there is room"));
    }

    /// The oldest job, when it is done; `None` if there is none. An engine of the user's own may
    /// have panicked.
    pub(super) fn take(&mut self) -> Option<Result<J, Error>> {
        self.jobs.take().map(|done| done.map_err(|panicked| std::io::Error::from(panicked).into()))
    }

    /// Waits for all jobs, whose results nobody wants.
    pub(super) fn discard_all(&mut self) {
        while let Some(done) = self.take() {
            self.spare.extend(done.ok());
        }
    }
}
