//! Which engine did what, how much, and why not the other.

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

/// A snapshot of an [`OffloadCompressor`](crate::OffloadCompressor)'s counters, all since it was
/// created. `Display` prints it for people, [`prometheus`](Self::prometheus) for a scraper.
///
/// The blocks of both engines together are the blocks that callers asked for, and
/// [`Fallbacks::total`] is the number of those that software processed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Whether the accelerator is to be used at present.
    pub offload: Offload,
    /// Why there is no accelerator, or `None` if there is one.
    pub unavailable: Option<Cow<'static, str>>,
    /// What compresses in software; `None` if the software engine is not this crate's.
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
    /// What the process has of the UADK device; `None` if the accelerator is another, or none.
    pub uadk: Option<UadkStats>,
}

impl Stats {
    /// What both engines did.
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

/// Whether the circuit breaker lets blocks to the accelerator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerState {
    /// Blocks go to the accelerator.
    #[default]
    Closed,
    /// After a fault: no blocks go until the hold-off is over, then one.
    Open,
    /// One block is on trial: it shows whether the accelerator works again.
    Trial,
}

/// The circuit breaker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerStats {
    /// Its state.
    pub state: BreakerState,
    /// How often it opened, failed trials included.
    pub opened: u64,
    /// The hold-off of the present opening, or that which the next begins with.
    pub hold_off: Duration,
    /// What the accelerator reported when the breaker last opened, if anything.
    pub cause: Option<Error>,
}

/// Moving averages of the accelerator's delay per block, decayed to the moment of the snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DelayStats {
    /// When compressing.
    pub compress: Duration,
    /// When decompressing.
    pub decompress: Duration,
}
