//! The writer's end: it kills itself, as the parent would.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Signal, getpid, kill_process};
use uadk_compress::{BlockCompressor, Error, Format, Settings};

/// Kills this process at once: no destructor, no handler and no other thread can do anything.
pub(crate) fn die() -> ! {
    loop {
        // The signal may take a moment to arrive. A process may always kill itself.
        let _ = kill_process(getpid(), Signal::KILL);
        std::thread::yield_now();
    }
}

/// Counts the blocks that all threads compress.
#[derive(Debug)]
pub(crate) struct LastBlock {
    last: Option<u32>,
    compressed: AtomicU32,
}

impl LastBlock {
    /// Kills the process while it compresses the block with this number, if one is set. The first
    /// is 1.
    pub(crate) fn new(last: Option<u32>) -> Arc<Self> {
        Arc::new(Self { last, compressed: AtomicU32::new(0) })
    }

    fn count(&self) {
        let block = self.compressed.fetch_add(1, Ordering::Relaxed) + 1;
        if self.last == Some(block) {
            die();
        }
    }
}

/// A compressor that counts its blocks.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) inner: Arc<dyn BlockCompressor>,
    pub(crate) last_block: Arc<LastBlock>,
}

impl BlockCompressor for Counted {
    fn format(&self) -> Format {
        self.inner.format()
    }
    fn max_compressed_len(&self, len: usize) -> usize {
        self.inner.max_compressed_len(len)
    }
    fn max_decompressed_len(&self, len: usize) -> Option<usize> {
        self.inner.max_decompressed_len(len)
    }
    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        let len = self.inner.compress(src, dst)?;
        self.last_block.count();
        Ok(len)
    }
    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.inner.decompress(src, dst)
    }
    fn reconfigured(&self, settings: &Settings) -> Option<Arc<dyn BlockCompressor>> {
        let inner = self.inner.reconfigured(settings)?;
        Some(Arc::new(Self { inner, last_block: Arc::clone(&self.last_block) }))
    }
}
