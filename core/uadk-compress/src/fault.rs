//! An engine that fails on demand, for tests: a decorator for any other engine.
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

/// A fault to inject into a request.
///
/// ```
/// use uadk_compress::fault::{Fault, FaultInjector};
/// use uadk_compress::{
///     BlockCompressor, Format, Level, OffloadCompressor, Policy, SoftwareCompressor,
/// };
///
/// let software = SoftwareCompressor::new(Format::Zlib, Level::FAST)?;
/// let lying = FaultInjector::new(software.clone(), |_| Some(Fault::WrongLength));
/// let both = OffloadCompressor::new(lying, software, Policy::default())?;
/// both.compress(&[7; 4096], &mut [0; 8192])?;
/// assert_eq!(both.stats().fallbacks.wrong_output, 1);
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The queues are full.
    Busy,
    /// The device fails with this code, after scribbling over the destination.
    Device(i32),
    /// The accelerator is gone.
    Unavailable,
    /// The engine doesn't support the block.
    Unsupported,
    /// The block is processed, but one bit of the output is flipped.
    WrongOutput,
    /// The block is processed, but the engine claims more bytes than the destination has.
    WrongLength,
    /// The block is processed, but the engine claims one byte less than it wrote.
    ShortLength,
    /// The block is processed, but the engine claims that the result is empty.
    NoLength,
    /// The engine claims that the result does not fit.
    OutputFull,
    /// A block to decompress is reported corrupt; a block to compress is processed.
    Refuse,
    /// The block is processed, but only after this delay.
    Slow(Duration),
    /// The engine panics.
    Panic,
}

type Schedule = dyn Fn(u64) -> Option<Fault> + Send + Sync;

/// A [`BlockCompressor`] that forwards to another one, except for the faults of a schedule. A
/// [reconfigured](BlockCompressor::reconfigured) one follows the same schedule and shares the
/// counts. Batches are processed block by block, each one a request.
///
/// ```
/// use uadk_compress::fault::{Fault, FaultInjector};
/// use uadk_compress::{BlockCompressor, Error, Format, Level, SoftwareCompressor};
///
/// let engine = SoftwareCompressor::new(Format::Gzip, Level::FAST)?;
/// let busy = FaultInjector::new(engine, |n| (n % 2 == 1).then_some(Fault::Busy));
/// let results = [0; 4].map(|_| busy.compress(b"block", &mut [0; 100]));
/// assert!(results[0].is_ok() && results[2].is_ok());
/// assert_eq!(results[1], Err(Error::Busy));
/// assert_eq!((busy.requests(), busy.injected()), (4, 2));
/// # Ok::<(), Error>(())
/// ```
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
    /// Wraps `inner`. `schedule` returns the fault for each request, if any. Requests are numbered
    /// from 0 in order of arrival.
    pub fn new(inner: C, schedule: impl Fn(u64) -> Option<Fault> + Send + Sync + 'static) -> Self {
        Self::with_clock(inner, schedule, SystemClock::default())
    }

    /// Like [`new`](Self::new), but [`Fault::Slow`] sleeps on `clock`.
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

    /// Returns the number of requests so far.
    pub fn requests(&self) -> u64 {
        self.script.requests.load(Ordering::Relaxed)
    }

    /// Returns the number of injected faults so far.
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
            Fault::Unsupported => Err(Error::Unsupported("injected fault".into())),
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
            // Unwinds like a panic, but without the message of the panic hook.
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
