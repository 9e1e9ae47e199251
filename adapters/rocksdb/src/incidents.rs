//! Counts failures that should never happen.

use std::sync::atomic::{AtomicU64, Ordering};

/// Failures between RocksDB and its block compressors in this process. All counts are zero, unless
/// a compressor is faulty or data is damaged. An accelerator's failures are not included: a
/// [`Compressor`](uadk_compress::Compressor) handles them itself, and counts them in its
/// [`Stats`](uadk_compress::Stats).
///
/// ```
/// use uadk_compress_rocksdb::{Incidents, incidents};
///
/// // For example in a program's metrics.
/// let Incidents { failed_reads, corrupt_blocks, .. } = incidents();
/// println!("failed_reads {failed_reads}\ncorrupt_blocks {corrupt_blocks}");
/// assert_eq!(incidents(), Incidents::default(), "nothing has failed");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Incidents {
    /// Blocks stored uncompressed because the compressor returned an error (other than
    /// [`OutputFull`](uadk_compress::Error::OutputFull)) or an impossible length, or panicked.
    pub stored_after_failure: u64,
    /// Blocks that could not be read because the compressor failed or panicked; reported to RocksDB
    /// as `IOError`.
    pub failed_reads: u64,
    /// Blocks found damaged; reported to RocksDB as `Corruption`.
    pub corrupt_blocks: u64,
}

/// Returns all incidents of this process so far.
#[must_use]
pub fn incidents() -> Incidents {
    Incidents {
        stored_after_failure: STORED_AFTER_FAILURE.get(),
        failed_reads: FAILED_READS.get(),
        corrupt_blocks: CORRUPT_BLOCKS.get(),
    }
}

pub(crate) static STORED_AFTER_FAILURE: Incident =
    Incident::new("a block compressor failed: blocks are stored uncompressed");
pub(crate) static FAILED_READS: Incident =
    Incident::new("a block compressor failed to decompress a block");
pub(crate) static CORRUPT_BLOCKS: Incident = Incident::new("a damaged block was read");

/// A counter that logs its 1st, 2nd, 4th, 8th ... count.
#[derive(Debug)]
pub(crate) struct Incident {
    count: AtomicU64,
    message: &'static str,
}

impl Incident {
    const fn new(message: &'static str) -> Self {
        Self { count: AtomicU64::new(0), message }
    }

    pub(crate) fn count(&self, details: &dyn std::fmt::Display) {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_power_of_two() {
            tracing::warn!(%details, count, "{}", self.message);
        }
    }

    fn get(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}
