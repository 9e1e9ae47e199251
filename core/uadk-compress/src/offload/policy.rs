//! When a block goes to the accelerator.

use std::fmt::{Display, Formatter};
use std::str::FromStr;
use std::time::Duration;

use crate::Error;
use crate::stats::{Direction, Fallback};

/// What is wanted of the accelerator. It can be changed at any time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offload {
    /// Use it where there is one and while it works.
    #[default]
    Auto,
    /// Software alone.
    Off,
    /// Like `Auto`, but to build a compressor without an accelerator is an error. An accelerator
    /// that fails later costs speed, never an error.
    Require,
}

impl Offload {
    pub(super) fn from_bits(bits: u8) -> Self {
        [Self::Auto, Self::Off, Self::Require]
            .into_iter()
            .find(|&offload| offload as u8 == bits)
            .unwrap_or_default()
    }

    /// As in the environment variable.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Off => "off",
            Self::Require => "require",
        }
    }
}

impl Display for Offload {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Offload {
    type Err = Error;

    /// Parses `auto`, `off` and `require`.
    fn from_str(s: &str) -> Result<Self, Error> {
        [Self::Auto, Self::Off, Self::Require]
            .into_iter()
            .find(|offload| offload.name() == s)
            .ok_or_else(|| {
                Error::Unsupported(
                    format!("offload {s:?}: it is one of auto, off and require").into(),
                )
            })
    }
}

/// The rules by which blocks go to the accelerator or to software.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether blocks to compress go to the accelerator.
    pub compress: bool,
    /// Whether blocks to decompress go to the accelerator.
    pub decompress: bool,
    /// Blocks with fewer uncompressed bytes go to software: the trip to a device costs more than
    /// they do.
    pub min_block: usize,
    /// Blocks with more bytes of input go to software. UADK takes 8 MiB at most.
    pub max_block: usize,
    /// How often a block is offered to a busy accelerator before software does it; once at least.
    pub busy_tries: u32,
    /// How long blocks stay away after a fault. The time doubles with each failed trial, ...
    pub first_hold_off: Duration,
    /// ... up to this.
    pub longest_hold_off: Duration,
    /// While the moving average of the accelerator's delay per block is above this, blocks go to
    /// software.
    pub max_delay: Duration,
    /// Decompress in software what the accelerator compressed, and compare. A difference counts as
    /// a fault, and software compresses the block again. Costs about a fifth of compressing in
    /// software.
    pub verify: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            compress: true,
            decompress: true,
            min_block: 1024,
            max_block: 8 << 20,
            busy_tries: 3,
            first_hold_off: Duration::from_millis(100),
            longest_hold_off: Duration::from_secs(30),
            max_delay: Duration::from_millis(2),
            verify: false,
        }
    }
}

impl Policy {
    /// Why such a block is not for the accelerator.
    pub(super) fn check(
        &self,
        direction: Direction,
        src: &[u8],
        dst: &[u8],
    ) -> Result<(), Fallback> {
        let (offloaded, uncompressed) = match direction {
            Direction::Compress => (self.compress, src.len()),
            Direction::Decompress => (self.decompress, dst.len()),
        };
        if !offloaded {
            Err(Fallback::SwitchedOff)
        } else if uncompressed < self.min_block {
            Err(Fallback::TooSmall)
        } else if src.len() > self.max_block {
            Err(Fallback::TooLarge)
        } else {
            Ok(())
        }
    }
}
