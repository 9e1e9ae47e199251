//! Engines that serve as the accelerator.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use crate::direction::Direction;
use crate::uadk::{UadkCompressor, WhenBusy};
use crate::{Block, BlockCompressor, Error, Settings};

/// The accelerator as the policy uses it.
pub(super) trait Accelerator: Send + Sync + Debug {
    /// See [`BlockCompressor::max_compressed_len`].
    fn max_compressed_len(&self, len: usize) -> usize;

    /// Processes one block, offering it up to `tries` times while the queue is full.
    fn run_block(
        &self,
        direction: Direction,
        src: &[u8],
        dst: &mut [u8],
        tries: u32,
    ) -> Result<usize, Error>;

    /// Processes a batch. While the queue is full, `when_busy` is called with the next block, so
    /// that the caller's thread has work. Returns whether blocks that come back [`Error::Busy`] are
    /// worth retrying.
    fn run_batch(
        &self,
        direction: Direction,
        blocks: &mut [Block<'_>],
        when_busy: &mut WhenBusy<'_>,
    ) -> bool;

    /// See [`BlockCompressor::reconfigured`].
    fn reconfigured(&self, settings: &Settings) -> Option<Arc<dyn Accelerator>>;
}

/// Returns `engine` as an accelerator: the UADK engine itself, or any other engine, without a
/// queue.
pub(super) fn accelerator(engine: impl BlockCompressor + 'static) -> Arc<dyn Accelerator> {
    match (&engine as &dyn Any).downcast_ref::<UadkCompressor>() {
        Some(uadk) => Arc::new(uadk.clone()),
        None => Arc::new(Plain(engine)),
    }
}

impl Accelerator for UadkCompressor {
    fn max_compressed_len(&self, len: usize) -> usize {
        BlockCompressor::max_compressed_len(self, len)
    }

    /// Makes all tries within the deadline of one call.
    fn run_block(
        &self,
        direction: Direction,
        src: &[u8],
        dst: &mut [u8],
        tries: u32,
    ) -> Result<usize, Error> {
        let mut block = Block::new(src, dst);
        let mut offers = 0;
        self.run(direction, std::slice::from_mut(&mut block), &mut |_, block| {
            offers += 1;
            let enough = offers >= tries;
            if enough {
                block.set_result(Err(Error::Busy));
            }
            enough
        });
        block.result()
    }

    fn run_batch(
        &self,
        direction: Direction,
        blocks: &mut [Block<'_>],
        when_busy: &mut WhenBusy<'_>,
    ) -> bool {
        self.run(direction, blocks, when_busy);
        // The engine has offered them often enough, or has run out of time.
        false
    }

    fn reconfigured(&self, settings: &Settings) -> Option<Arc<dyn Accelerator>> {
        Some(Arc::new(self.with_settings(settings)?))
    }
}

/// Any other engine.
#[derive(Debug)]
struct Plain<A>(A);

impl<A: BlockCompressor> Accelerator for Plain<A> {
    fn max_compressed_len(&self, len: usize) -> usize {
        self.0.max_compressed_len(len)
    }

    fn run_block(
        &self,
        direction: Direction,
        src: &[u8],
        dst: &mut [u8],
        tries: u32,
    ) -> Result<usize, Error> {
        for _ in 0..tries {
            let result = direction.run(&self.0, src, dst);
            if result != Err(Error::Busy) {
                return result;
            }
        }
        Err(Error::Busy)
    }

    fn run_batch(
        &self,
        direction: Direction,
        blocks: &mut [Block<'_>],
        _: &mut WhenBusy<'_>,
    ) -> bool {
        match direction {
            Direction::Compress => self.0.compress_batch(blocks),
            Direction::Decompress => self.0.decompress_batch(blocks),
        }
        true
    }

    fn reconfigured(&self, settings: &Settings) -> Option<Arc<dyn Accelerator>> {
        Some(Arc::new(Plain(self.0.reconfigured(settings)?)))
    }
}
