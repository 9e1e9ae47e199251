//! Which engine did what, how much, and why not the other.

mod counters;
mod display;
#[cfg(feature = "metrics")]
mod publish;

pub(crate) use counters::{Counters, Direction, Fallback, Outcome, SampledTime, Work};

use std::borrow::Cow;
use std::time::Duration;

use crate::{Error, Offload, UadkStats};

/// A snapshot of an [`OffloadCompressor`](crate::OffloadCompressor)'s counters, all since it was
/// made. `Display` prints it for people.
///
/// The blocks of both engines together are the blocks that callers asked for, and
/// [`Fallbacks::total`] is the number of those that software did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// What is wanted at present.
    pub offload: Offload,
    /// Why there is no accelerator, or `None` if there is one.
    pub unavailable: Option<Cow<'static, str>>,
    /// What compresses in software.
    pub software_engine: Cow<'static, str>,
    /// Blocks that the accelerator did.
    pub accelerator: EngineStats,
    /// Blocks that the software engine did.
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

/// One engine's work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineStats {
    /// Blocks to compress.
    pub compress: OpStats,
    /// Blocks to decompress.
    pub decompress: OpStats,
}

impl EngineStats {
    /// Blocks of both directions.
    #[must_use]
    pub const fn blocks(&self) -> u64 {
        self.compress.blocks + self.decompress.blocks
    }
}

/// One engine's work in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpStats {
    /// Blocks answered, whatever the answer.
    pub blocks: u64,
    /// Of these, blocks whose result did not fit into the destination.
    pub output_full: u64,
    /// Of these, blocks that ended in another error.
    pub errors: u64,
    /// Bytes read, of all blocks.
    pub bytes_in: u64,
    /// Bytes written, of the blocks that succeeded.
    pub bytes_out: u64,
    /// Time that callers spent in the engine, summed over threads. The software engine's is
    /// estimated from one block in sixteen.
    pub time: Duration,
}

/// Blocks that the software engine did, by the reason why the accelerator did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fallbacks {
    /// There is no accelerator.
    pub no_accelerator: u64,
    /// Offload is switched off.
    pub switched_off: u64,
    /// Below [`Policy::min_block`](crate::Policy::min_block).
    pub too_small: u64,
    /// Above [`Policy::max_block`](crate::Policy::max_block).
    pub too_large: u64,
    /// Queues stayed full for all tries.
    pub busy: u64,
    /// The accelerator was slower than [`Policy::max_delay`](crate::Policy::max_delay).
    pub delayed: u64,
    /// The breaker was open after a fault.
    pub held_off: u64,
    /// The accelerator reported a fault.
    pub device_error: u64,
    /// The accelerator did not complete the block within its deadline.
    pub timed_out: u64,
    /// The accelerator said it had become unavailable.
    pub unavailable: u64,
    /// The accelerator's output did not decompress to the input, or claimed an impossible length.
    pub wrong_output: u64,
    /// The engine panicked.
    pub panicked: u64,
    /// The accelerator does not do such blocks.
    pub unsupported: u64,
    /// The accelerator refused the block: it would not decompress it, gave less than there was room
    /// for, or could not compress it into room that fits everything. Software decided.
    pub refused: u64,
}

impl Fallbacks {
    /// Each reason's name and count, in the order of the fields.
    #[must_use]
    pub const fn by_reason(&self) -> [(&'static str, u64); 14] {
        [
            ("no_accelerator", self.no_accelerator),
            ("switched_off", self.switched_off),
            ("too_small", self.too_small),
            ("too_large", self.too_large),
            ("busy", self.busy),
            ("delayed", self.delayed),
            ("held_off", self.held_off),
            ("device_error", self.device_error),
            ("timed_out", self.timed_out),
            ("unavailable", self.unavailable),
            ("wrong_output", self.wrong_output),
            ("panicked", self.panicked),
            ("unsupported", self.unsupported),
            ("refused", self.refused),
        ]
    }

    /// All blocks that software did.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_reason().iter().map(|(_, n)| n).sum()
    }

    /// Blocks that an accelerator was given but did not do, because it failed.
    #[must_use]
    pub const fn faults(&self) -> u64 {
        self.device_error + self.timed_out + self.unavailable + self.wrong_output + self.panicked
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
    /// One block is trying whether the accelerator works again.
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
    /// What the accelerator did when it last opened, if it said so.
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
