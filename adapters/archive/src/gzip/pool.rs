//! The worker pool, and batches to be used again.

use std::sync::Arc;

use uadk_compress::{BlockCompressor, Checked, pool};

use super::batch::{self, Batch, Work};
use crate::Error;

/// Works on batches, and returns them in order.
#[derive(Debug)]
pub(super) struct Pool {
    jobs: pool::Pool<'static, Batch>,
    spare: Vec<Batch>,
    /// Full blocks of a batch.
    blocks: usize,
}

impl Pool {
    pub(super) fn new(
        engine: Checked<Arc<dyn BlockCompressor>>,
        work: Work,
        threads: usize,
    ) -> Self {
        let work = move |(): &mut (), batch: &mut Batch| work(batch, &engine);
        Self {
            jobs: pool::Pool::new("block-gzip", threads, || (), work),
            spare: Vec::new(),
            blocks: batch::blocks_of_batch(threads),
        }
    }

    /// Whether another batch may be submitted before the oldest is taken.
    pub(super) fn has_room(&self) -> bool {
        !self.jobs.is_full()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// An empty batch.
    pub(super) fn batch(&mut self) -> Batch {
        let mut batch = self.spare.pop().unwrap_or_else(|| Batch::new(self.blocks));
        batch.clear();
        batch
    }

    /// Keeps the buffers of a batch that is done with.
    pub(super) fn recycle(&mut self, batch: Batch) {
        self.spare.push(batch);
    }

    /// Submits a batch, to be done on this thread before it returns, or by the workers. There must
    /// be [room](Self::has_room).
    pub(super) fn submit(&mut self, batch: Batch, here: bool) {
        let submitted = if here { self.jobs.submit_here(batch) } else { self.jobs.submit(batch) };
        submitted.unwrap_or_else(|_| unreachable!("there is room"));
    }

    /// The oldest batch, when it is done; `None` if there is none. An engine of the user's own may
    /// have panicked.
    pub(super) fn take(&mut self) -> Option<Result<Batch, Error>> {
        self.jobs.take().map(|done| done.map_err(|panicked| std::io::Error::from(panicked).into()))
    }

    /// Waits for all batches, whose results nobody wants.
    pub(super) fn discard_all(&mut self) {
        while let Some(done) = self.take() {
            self.spare.extend(done.ok());
        }
    }
}
