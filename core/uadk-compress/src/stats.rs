//! What each engine processed, and why blocks went to software.

mod counters;
mod display;
mod engine;
mod fallbacks;
mod prometheus;
#[cfg(feature = "metrics")]
mod publish;
mod series;

pub use engine::{EngineStats, OpStats};
pub use fallbacks::Fallbacks;

pub(crate) use counters::{Counters, Outcome, SampledTime, Work};
pub(crate) use fallbacks::Fallback;

use std::borrow::Cow;
use std::time::Duration;

use crate::{Error, Offload, SoftwareEncoder, UadkStats};

/// A snapshot of an [`OffloadCompressor`](crate::OffloadCompressor)'s counters since its creation.
/// `Display` prints it for people, [`prometheus`](Self::prometheus) for a scraper.
///
/// The blocks of both engines add up to the blocks that callers submitted, and
/// [`Fallbacks::total`] is the number of those that software processed.
///
/// ```
/// use uadk_compress::{BlockCompressor, Compressor, Stats};
///
/// let compressor = Compressor::builder().build()?;
/// compressor.compress(&[7; 4096], &mut [0; 8192])?;
/// let stats: Stats = compressor.stats();
/// println!("{stats}");
/// assert_eq!(stats.accelerator.blocks() + stats.software.blocks(), 1);
/// assert_eq!(stats.software.blocks(), stats.fallbacks.total());
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// The current offload mode.
    pub offload: Offload,
    /// Why there is no accelerator, or `None` if there is one.
    pub unavailable: Option<Cow<'static, str>>,
    /// The software encoder; `None` if the software engine is not this crate's.
    pub software_engine: Option<SoftwareEncoder>,
    /// Blocks that the accelerator processed.
    pub accelerator: EngineStats,
    /// Blocks that the software engine processed.
    pub software: EngineStats,
    /// Why blocks went to software.
    pub fallbacks: Fallbacks,
    /// The circuit breaker.
    pub breaker: BreakerStats,
    /// Moving averages of the accelerator's delay per block.
    pub delay: DelayStats,
    /// The process's use of the UADK device; `None` if the accelerator is another engine, or if
    /// there is none.
    pub uadk: Option<UadkStats>,
}

impl Stats {
    /// Returns the sums over both engines.
    #[must_use]
    pub fn together(&self) -> EngineStats {
        let add = |direction: fn(&EngineStats) -> &OpStats| {
            let (a, b) = (direction(&self.accelerator), direction(&self.software));
            OpStats {
                blocks: a.blocks + b.blocks,
                output_full: a.output_full + b.output_full,
                errors: a.errors + b.errors,
                bytes_in: a.bytes_in + b.bytes_in,
                bytes_out: a.bytes_out + b.bytes_out,
                time: a.time + b.time,
            }
        };
        EngineStats { compress: add(|e| &e.compress), decompress: add(|e| &e.decompress) }
    }
}

/// Whether the circuit breaker lets blocks through to the accelerator.
///
/// ```
/// use uadk_compress::Compressor;
/// use uadk_compress::stats::BreakerState;
///
/// let stats = Compressor::builder().build()?.stats();
/// if stats.breaker.state != BreakerState::Closed {
///     println!("the accelerator failed {} times", stats.breaker.opened);
/// }
/// assert_eq!(BreakerState::Trial.to_string(), "on trial");
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerState {
    /// Blocks go to the accelerator.
    #[default]
    Closed,
    /// After a fault: no blocks go to the accelerator until the hold-off is over; then one goes as
    /// a trial.
    Open,
    /// One block is out as a trial: it shows whether the accelerator works again.
    Trial,
}

/// The circuit breaker.
///
/// ```
/// use uadk_compress::fault::{Fault, FaultInjector};
/// use uadk_compress::stats::BreakerState;
/// use uadk_compress::{
///     BlockCompressor, Error, Format, Level, OffloadCompressor, Policy, SoftwareCompressor,
/// };
///
/// let software = SoftwareCompressor::new(Format::Zlib, Level::FAST)?;
/// let broken = FaultInjector::new(software.clone(), |_| Some(Fault::Device(-62)));
/// let compressor = OffloadCompressor::new(broken, software, Policy::default())?;
/// compressor.compress(&[7; 4096], &mut [0; 8192])?;
/// let breaker = compressor.stats().breaker;
/// assert_eq!(breaker.state, BreakerState::Open);
/// assert_eq!(breaker.cause, Some(Error::Device { code: -62 }));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerStats {
    /// The breaker's current state.
    pub state: BreakerState,
    /// How often it opened, including failed trials.
    pub opened: u64,
    /// The current hold-off; while closed, the initial one of the next opening.
    pub hold_off: Duration,
    /// What the accelerator reported when the breaker last opened, if anything.
    pub cause: Option<Error>,
}

/// Moving averages of the accelerator's delay per block, decayed to the time of the snapshot.
///
/// ```
/// use uadk_compress::{BlockCompressor, Compressor};
///
/// let compressor = Compressor::builder().build()?;
/// compressor.compress(&[7; 4096], &mut [0; 8192])?;
/// let delay = compressor.stats().delay;
/// println!("{:?} per block to compress", delay.compress);
/// assert!(delay.decompress.is_zero()); // nothing was decompressed
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DelayStats {
    /// When compressing.
    pub compress: Duration,
    /// When decompressing.
    pub decompress: Duration,
}
