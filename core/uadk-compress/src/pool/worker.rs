//! The ring of jobs, shared by the workers and the caller.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::panicked::{Panicked, discard};

/// The work, bound to one worker's state.
type Worker<'scope, J> = Box<dyn FnMut(&mut J) + Send + 'scope>;

/// Creates a [`Worker`] with a new state.
pub(super) type Work<'scope, J> = Box<dyn Fn() -> Worker<'scope, J> + Send + Sync + 'scope>;

pub(super) fn work<'scope, J, S: Send + 'scope>(
    new_state: impl Fn() -> S + Send + Sync + 'scope,
    work: impl Fn(&mut S, &mut J) + Send + Sync + 'scope,
) -> Work<'scope, J> {
    let work = Arc::new(work);
    Box::new(move || {
        let work = Arc::clone(&work);
        let mut state = new_state();
        Box::new(move |job| work(&mut state, job))
    })
}

/// Runs jobs on one thread.
pub(super) struct Runner<'scope, J> {
    /// Created for the first job.
    worker: Option<Worker<'scope, J>>,
}

impl<J> Default for Runner<'_, J> {
    fn default() -> Self {
        Self { worker: None }
    }
}

impl<'scope, J> Runner<'scope, J> {
    pub(super) fn run(&mut self, work: &Work<'scope, J>, mut job: J) -> Result<J, Panicked> {
        let done =
            catch_unwind(AssertUnwindSafe(|| self.worker.get_or_insert_with(work)(&mut job)));
        let Err(payload) = done else { return Ok(job) };
        let panicked = Panicked::new(&*payload);
        // Neither the state nor the job can be trusted after a panic.
        discard(payload);
        discard(self.worker.take());
        discard(job);
        Err(panicked)
    }
}

pub(super) struct Shared<'scope, J> {
    pub(super) work: Work<'scope, J>,
    ring: Mutex<Ring<J>>,
    /// Wakes workers: a job is waiting, or the pool is closed.
    submitted: Condvar,
    /// Wakes the caller: the oldest job is done.
    oldest_done: Condvar,
}

/// The jobs submitted and not yet taken, oldest first.
struct Ring<J> {
    slots: VecDeque<Slot<J>>,
    /// The number of the oldest job, which is how many have been taken.
    oldest: u64,
    /// No slot before this index is waiting.
    first_waiting: usize,
    waiting: usize,
    /// The number of sleeping workers.
    idle: usize,
    closed: bool,
}

enum Slot<J> {
    Waiting(J),
    Running,
    Done(Result<J, Panicked>),
}

impl<'scope, J> Shared<'scope, J> {
    pub(super) fn new(work: Work<'scope, J>, capacity: usize) -> Self {
        let ring = Ring {
            slots: VecDeque::with_capacity(capacity),
            oldest: 0,
            first_waiting: 0,
            waiting: 0,
            idle: 0,
            closed: false,
        };
        Self {
            work,
            ring: Mutex::new(ring),
            submitted: Condvar::new(),
            oldest_done: Condvar::new(),
        }
    }

    /// Returns whether a worker is free for another job.
    pub(super) fn has_idle(&self) -> bool {
        let ring = self.ring.lock();
        ring.idle > ring.waiting
    }

    pub(super) fn push(&self, job: J) {
        let mut ring = self.ring.lock();
        ring.slots.push_back(Slot::Waiting(job));
        ring.waiting += 1;
        drop(ring);
        self.submitted.notify_one();
    }

    pub(super) fn push_done(&self, done: Result<J, Panicked>) {
        self.ring.lock().slots.push_back(Slot::Done(done));
    }

    /// Waits for the oldest job, which must exist, and takes it.
    pub(super) fn take(&self) -> Result<J, Panicked> {
        let mut ring = self.ring.lock();
        loop {
            if let Some(done) = ring.take() {
                return done;
            }
            self.oldest_done.wait(&mut ring);
        }
    }

    pub(super) fn try_take(&self) -> Option<Result<J, Panicked>> {
        self.ring.lock().take()
    }

    pub(super) fn close(&self) {
        self.ring.lock().closed = true;
        self.submitted.notify_all();
    }

    #[cfg(test)]
    pub(super) fn is_closed(&self) -> bool {
        self.ring.lock().closed
    }

    /// Runs a worker until the pool is closed. Never panics: otherwise the caller would wait
    /// forever for the running job.
    pub(super) fn serve(&self) {
        let mut runner = Runner::default();
        let mut ring = self.ring.lock();
        while !ring.closed {
            let Some((number, job)) = ring.begin() else {
                ring.idle += 1;
                self.submitted.wait(&mut ring);
                ring.idle -= 1;
                continue;
            };
            drop(ring);
            let done = runner.run(&self.work, job);
            ring = self.ring.lock();
            if ring.finish(number, done) {
                self.oldest_done.notify_one();
            }
        }
        drop(ring);
        discard(runner);
    }
}

impl<J> Ring<J> {
    /// Returns the oldest waiting job and its number, and marks it running.
    fn begin(&mut self) -> Option<(u64, J)> {
        if self.waiting == 0 {
            return None;
        }
        for (index, slot) in self.slots.iter_mut().enumerate().skip(self.first_waiting) {
            if let Slot::Waiting(_) = slot
                && let Slot::Waiting(job) = std::mem::replace(slot, Slot::Running)
            {
                self.first_waiting = index + 1;
                self.waiting -= 1;
                return Some((self.oldest + index as u64, job));
            }
        }
        None
    }

    /// Stores a job's result. Returns whether it was the oldest job.
    fn finish(&mut self, number: u64, done: Result<J, Panicked>) -> bool {
        // A running job can't have been taken.
        let index = (number - self.oldest) as usize;
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Slot::Done(done);
        }
        index == 0
    }

    fn take(&mut self) -> Option<Result<J, Panicked>> {
        if !matches!(self.slots.front(), Some(Slot::Done(_))) {
            return None;
        }
        self.oldest += 1;
        self.first_waiting = self.first_waiting.saturating_sub(1);
        match self.slots.pop_front() {
            Some(Slot::Done(done)) => Some(done),
            _ => None,
        }
    }
}
