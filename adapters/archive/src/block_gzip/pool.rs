//! Workers that do batches at once, and give them back in order.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use uadk_compress::BlockCompressor;

use super::batch::{Batch, Work};
use crate::Error;

/// Does batches on threads of its own, of which the first batch is the beginning; with one thread,
/// on the caller's.
#[derive(Debug)]
pub(super) struct Pool {
    engine: Arc<dyn BlockCompressor>,
    work: Work,
    threads: usize,
    workers: Option<Workers>,
    /// Batches on their way, the oldest first; `None` where a worker still has it.
    flight: VecDeque<Option<Batch>>,
    /// The number of the oldest.
    oldest: u64,
    spare: Vec<Batch>,
}

#[derive(Debug)]
struct Workers {
    jobs: SyncSender<Batch>,
    done: Receiver<Batch>,
    handles: Vec<JoinHandle<()>>,
}

impl Pool {
    pub(super) fn new(engine: Arc<dyn BlockCompressor>, work: Work, threads: usize) -> Self {
        let threads = threads.max(1);
        Self {
            engine,
            work,
            threads,
            workers: None,
            flight: VecDeque::with_capacity(2 * threads),
            oldest: 0,
            spare: Vec::new(),
        }
    }

    /// Whether another batch may be submitted before the oldest is taken.
    pub(super) fn has_room(&self) -> bool {
        self.flight.len() < if self.threads == 1 { 1 } else { 2 * self.threads }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.flight.is_empty()
    }

    /// An empty batch.
    pub(super) fn batch(&mut self) -> Batch {
        let mut batch = self.spare.pop().unwrap_or_else(Batch::new);
        batch.clear();
        batch
    }

    /// Takes the buffers of a batch that is done with.
    pub(super) fn recycle(&mut self, batch: Batch) {
        self.spare.push(batch);
    }

    /// Has the batch done on this thread, before it returns.
    pub(super) fn submit_here(&mut self, mut batch: Batch) {
        run(self.work, &mut batch, &*self.engine);
        self.flight.push_back(Some(batch));
    }

    /// Has the batch done.
    pub(super) fn submit(&mut self, mut batch: Batch) -> io::Result<()> {
        if self.threads == 1 {
            self.submit_here(batch);
            return Ok(());
        }
        batch.number = self.oldest + self.flight.len() as u64;
        let workers = match &mut self.workers {
            Some(workers) => workers,
            none => none.insert(Workers::start(self.threads, self.work, &self.engine)?),
        };
        // There is room in the channel for all that may be in flight.
        workers.jobs.send(batch).map_err(|_| lost())?;
        self.flight.push_back(None);
        Ok(())
    }

    /// The oldest batch, when it is done; `None` if there is none.
    pub(super) fn next(&mut self) -> io::Result<Option<Batch>> {
        while let Some(None) = self.flight.front() {
            let done = self.workers.as_ref().and_then(|workers| workers.done.recv().ok());
            let batch = done.ok_or_else(lost)?;
            let place = (batch.number - self.oldest) as usize;
            if let Some(slot) = self.flight.get_mut(place) {
                *slot = Some(batch);
            }
        }
        let batch = self.flight.pop_front().flatten();
        self.oldest += u64::from(batch.is_some());
        Ok(batch)
    }
}

impl Workers {
    fn start(threads: usize, work: Work, engine: &Arc<dyn BlockCompressor>) -> io::Result<Self> {
        let (jobs, queue) = sync_channel(2 * threads);
        let (results, done) = sync_channel(2 * threads);
        let queue = Arc::new(Mutex::new(queue));
        let handles = (0..threads)
            .map(|_| {
                let (queue, results, engine) =
                    (Arc::clone(&queue), results.clone(), Arc::clone(engine));
                std::thread::Builder::new()
                    .name("block-gzip".to_owned())
                    .spawn(move || serve(work, &queue, &results, &*engine))
            })
            .collect::<io::Result<_>>()?;
        Ok(Self { jobs, done, handles })
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some(Workers { jobs, done, handles }) = self.workers.take() {
            drop((jobs, done));
            for handle in handles {
                // A worker that panicked has said so.
                let _ = handle.join();
            }
        }
    }
}

fn serve(
    work: Work,
    queue: &Mutex<Receiver<Batch>>,
    results: &SyncSender<Batch>,
    engine: &dyn BlockCompressor,
) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(mut batch) = next else { return };
        run(work, &mut batch, engine);
        if results.send(batch).is_err() {
            return;
        }
    }
}

/// An engine of the user's own may panic: the batch must come back all the same, or its turn would be
/// waited for without end.
fn run(work: Work, batch: &mut Batch, engine: &dyn BlockCompressor) {
    if catch_unwind(AssertUnwindSafe(|| work(batch, engine))).is_err() {
        batch.data_len = 0;
        batch.members_len = 0;
        batch.blocks.clear();
        batch.error = Some(Error::Unsupported("the compressor panicked".into()));
    }
}

fn lost() -> io::Error {
    io::Error::other("the threads that compress have ended")
}
