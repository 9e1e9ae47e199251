//! An engine that fails on demand, for tests: a decorator over any other.
//!
//! ```
//! use uadk_compress::fault::{Fault, FaultInjector};
//! use uadk_compress::{BlockCompressor, Error, Format, Level, SoftwareCompressor};
//!
//! let engine = SoftwareCompressor::new(Format::RawDeflate, Level::FAST)?;
//! let broken = FaultInjector::new(engine, |n| (n == 1).then_some(Fault::Device(-62)));
//! let mut dst = [0; 100];
//! assert!(broken.compress(b"block 0", &mut dst).is_ok());
//! assert_eq!(broken.compress(b"block 1", &mut dst), Err(Error::Device { code: -62 }));
//! assert!(broken.compress(b"block 2", &mut dst).is_ok());
//! assert_eq!(broken.injected(), 1);
//! # Ok::<(), Error>(())
//! ```

use std::fmt::{Debug, Formatter};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::{Block, BlockCompressor, Error, Format, Settings};

/// What goes wrong with a block.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The queues are full.
    Busy,
    /// The device fails with this code, after it has scribbled over the destination.
    Device(i32),
    /// The accelerator has gone.
    Unavailable,
    /// The engine doesn't support such blocks.
    Unsupported,
    /// The block is processed, and then one bit of the output flips.
    WrongOutput,
    /// The block is processed, but the engine claims more bytes than the destination has.
    WrongLength,
    /// The block is processed, but the engine claims one byte less than it wrote.
    ShortLength,
    /// The engine claims that the result is empty.
    NoLength,
    /// The engine claims that the result does not fit.
    OutputFull,
    /// A block that is to be decompressed is called corrupt; one to be compressed is processed.
    Refuse,
    /// The block is processed, but only after this time.
    Slow(Duration),
    /// The engine panics.
    Panic,
}

type Schedule = dyn Fn(u64) -> Option<Fault> + Send + Sync;

/// A [`BlockCompressor`] that does what another does, except for the faults that a schedule asks
/// for. A [reconfigured](BlockCompressor::reconfigured) one follows the same schedule and shares the
/// counts. Batches are processed block by block, each one a request.
pub struct FaultInjector<C> {
    inner: C,
    script: Arc<Script>,
}

struct Script {
    schedule: Box<Schedule>,
    clock: Box<dyn Clock>,
    requests: AtomicU64,
    injected: AtomicU64,
}

impl<C: BlockCompressor> FaultInjector<C> {
    /// Calls `schedule` for what is to go wrong with each request, numbered from 0 in the order of
    /// their arrival.
    pub fn new(inner: C, schedule: impl Fn(u64) -> Option<Fault> + Send + Sync + 'static) -> Self {
        Self::with_clock(inner, schedule, SystemClock::default())
    }

    /// Like [`new`](Self::new); [`Fault::Slow`] sleeps on `clock`.
    pub fn with_clock(
        inner: C,
        schedule: impl Fn(u64) -> Option<Fault> + Send + Sync + 'static,
        clock: impl Clock + 'static,
    ) -> Self {
        let script = Script {
            schedule: Box::new(schedule),
            clock: Box::new(clock),
            requests: AtomicU64::new(0),
            injected: AtomicU64::new(0),
        };
        Self { inner, script: Arc::new(script) }
    }

    /// Requests so far.
    pub fn requests(&self) -> u64 {
        self.script.requests.load(Ordering::Relaxed)
    }

    /// Faults so far.
    pub fn injected(&self) -> u64 {
        self.script.injected.load(Ordering::Relaxed)
    }
}

impl Script {
    fn request(
        &self,
        dst: &mut [u8],
        compressing: bool,
        work: impl FnOnce(&mut [u8]) -> Result<usize, Error>,
    ) -> Result<usize, Error> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let scheduled = (self.schedule)(number);
        let Some(fault) = scheduled.filter(|fault| !(compressing && *fault == Fault::Refuse))
        else {
            return work(dst);
        };
        self.injected.fetch_add(1, Ordering::Relaxed);
        match fault {
            Fault::Busy => Err(Error::Busy),
            Fault::Device(code) => {
                dst.fill(0xa5);
                Err(Error::Device { code })
            }
            Fault::Unavailable => Err(Error::Unavailable("the device was removed".into())),
            Fault::Unsupported => Err(Error::Unsupported("such blocks".into())),
            Fault::WrongOutput => {
                let written = work(dst)?;
                if let Some(byte) = dst[..written].last_mut() {
                    *byte ^= 1 << (number % 8);
                }
                Ok(written)
            }
            Fault::WrongLength => {
                work(dst)?;
                Ok(dst.len() + 1)
            }
            Fault::ShortLength => work(dst).map(|written| written.saturating_sub(1)),
            Fault::NoLength => work(dst).map(|_| 0),
            Fault::OutputFull => Err(Error::OutputFull),
            Fault::Refuse => Err(Error::Corrupt),
            Fault::Slow(time) => {
                self.clock.sleep(time);
                work(dst)
            }
            // Unwinds as a panic does, but without the message that the panic hook prints.
            Fault::Panic => std::panic::resume_unwind(Box::new("injected panic")),
        }
    }
}

impl<C: BlockCompressor> BlockCompressor for FaultInjector<C> {
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
        self.script.request(dst, true, |dst| self.inner.compress(src, dst))
    }
    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.script.request(dst, false, |dst| self.inner.decompress(src, dst))
    }
    fn compress_batch(&self, blocks: &mut [Block<'_>]) {
        for block in blocks {
            block.run(|src, dst| self.compress(src, dst));
        }
    }
    fn decompress_batch(&self, blocks: &mut [Block<'_>]) {
        for block in blocks {
            block.run(|src, dst| self.decompress(src, dst));
        }
    }
    fn reconfigured(&self, settings: &Settings) -> Option<Arc<dyn BlockCompressor>> {
        let inner = self.inner.reconfigured(settings)?;
        Some(Arc::new(FaultInjector { inner, script: Arc::clone(&self.script) }))
    }
}

impl<C: Debug> Debug for FaultInjector<C> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultInjector")
            .field("inner", &self.inner)
            .field("requests", &self.script.requests)
            .field("injected", &self.script.injected)
            .finish_non_exhaustive()
    }
}
