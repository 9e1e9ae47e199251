//! A compressor that records its calls.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use uadk_compress::{BlockCompressor, Error, Format, Settings, SoftwareCompressor};

/// The recorded calls of a [`Probe`] at all its levels.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) compressed: AtomicU64,
    pub(crate) decompressed: AtomicU64,
    /// Levels at which blocks were compressed.
    pub(crate) levels: Mutex<BTreeSet<i32>>,
}

impl Seen {
    pub(crate) fn compressed(&self) -> u64 {
        self.compressed.load(Ordering::Relaxed)
    }
    pub(crate) fn decompressed(&self) -> u64 {
        self.decompressed.load(Ordering::Relaxed)
    }
    pub(crate) fn levels(&self) -> Vec<i32> {
        self.levels.lock().iter().copied().collect()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Probe {
    engine: SoftwareCompressor,
    pub(crate) seen: Arc<Seen>,
}

impl Probe {
    pub(crate) fn new() -> Self {
        Self::with_engine(crate::common::software())
    }

    pub(crate) fn with_engine(engine: SoftwareCompressor) -> Self {
        Self { engine, seen: Arc::default() }
    }
}

impl BlockCompressor for Probe {
    fn format(&self) -> Format {
        self.engine.format()
    }
    fn max_compressed_len(&self, len: usize) -> usize {
        self.engine.max_compressed_len(len)
    }
    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.seen.compressed.fetch_add(1, Ordering::Relaxed);
        self.seen.levels.lock().insert(self.engine.level().get());
        self.engine.compress(src, dst)
    }
    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.seen.decompressed.fetch_add(1, Ordering::Relaxed);
        self.engine.decompress(src, dst)
    }
    fn reconfigured(&self, settings: &Settings) -> Option<Arc<dyn BlockCompressor>> {
        let engine = SoftwareCompressor::new(self.format(), settings.level?).expect("same format");
        Some(Arc::new(Self { engine, seen: Arc::clone(&self.seen) }))
    }
}
