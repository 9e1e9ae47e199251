//! When a block goes to the accelerator.

use std::time::Duration;

use crate::direction::Direction;
use crate::stats::Fallback;

/// Which of an accelerator's results are verified in software.
///
/// Plausibility (lengths, and checksums if the format has one) is always checked. A difference
/// counts as a fault, and software processes the block again.
///
/// ```
/// use uadk_compress::offload::Verify;
/// use uadk_compress::{
///     BlockCompressor, Format, Level, OffloadCompressor, Policy, SoftwareCompressor,
/// };
///
/// let engine = SoftwareCompressor::new(Format::Zlib, Level::FAST)?;
/// let policy = Policy::default().with_verify(Verify::Both);
/// let verified = OffloadCompressor::new(engine.clone(), engine, policy)?;
/// verified.compress(&[7; 4096], &mut [0; 8192])?;
/// assert_eq!(verified.stats().fallbacks.faults(), 0);
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Verify {
    /// None.
    #[default]
    Off,
    /// Compressed blocks are decompressed in software and compared. Costs about a fifth of
    /// compressing in software.
    Compressed,
    /// Decompressed blocks, too, are decompressed in software and compared. Without this, wrong
    /// bytes can go unnoticed in raw deflate, which has no checksum. With it, the device saves no
    /// CPU when decompressing.
    Both,
}

/// The rules that decide whether blocks go to the accelerator or to software.
///
/// ```
/// use uadk_compress::Policy;
/// use uadk_compress::offload::Verify;
///
/// let policy = Policy::default().with_min_block(4096).with_verify(Verify::Compressed);
/// assert_eq!(policy.min_block, 4096);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Whether blocks to compress go to the accelerator.
    pub compress: bool,
    /// Whether blocks to decompress go to the accelerator.
    pub decompress: bool,
    /// Blocks with fewer uncompressed bytes go to software: the trip to a device costs more than
    /// it saves. 1 KiB by default.
    pub min_block: usize,
    /// Blocks with more bytes of input go to software. 8 MiB by default, UADK's maximum.
    pub max_block: usize,
    /// How many times a block is offered to a busy accelerator before software processes it; at
    /// least once. 3 by default.
    pub busy_tries: u32,
    /// The hold-off after the first fault, during which no blocks go to the accelerator. It doubles
    /// with each failed trial. 100 ms by default.
    pub first_hold_off: Duration,
    /// The upper limit of the hold-off. 30 s by default.
    pub longest_hold_off: Duration,
    /// While the moving average of the accelerator's delay per block is above this, blocks go to
    /// software. 2 ms by default.
    pub max_delay: Duration,
    /// What is verified in software.
    pub verify: Verify,
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
            verify: Verify::Off,
        }
    }
}

impl Policy {
    /// Sets which directions are offloaded: [`compress`](Self::compress) and
    /// [`decompress`](Self::decompress).
    #[must_use]
    pub const fn with_directions(mut self, compress: bool, decompress: bool) -> Self {
        (self.compress, self.decompress) = (compress, decompress);
        self
    }

    /// Sets [`min_block`](Self::min_block), in bytes.
    #[must_use]
    pub const fn with_min_block(mut self, bytes: usize) -> Self {
        self.min_block = bytes;
        self
    }

    /// Sets [`max_block`](Self::max_block), in bytes.
    #[must_use]
    pub const fn with_max_block(mut self, bytes: usize) -> Self {
        self.max_block = bytes;
        self
    }

    /// Sets [`busy_tries`](Self::busy_tries).
    #[must_use]
    pub const fn with_busy_tries(mut self, tries: u32) -> Self {
        self.busy_tries = tries;
        self
    }

    /// Sets [`first_hold_off`](Self::first_hold_off) and
    /// [`longest_hold_off`](Self::longest_hold_off).
    #[must_use]
    pub const fn with_hold_off(mut self, first: Duration, longest: Duration) -> Self {
        (self.first_hold_off, self.longest_hold_off) = (first, longest);
        self
    }

    /// Sets [`max_delay`](Self::max_delay).
    #[must_use]
    pub const fn with_max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// Sets [`verify`](Self::verify).
    #[must_use]
    pub const fn with_verify(mut self, verify: Verify) -> Self {
        self.verify = verify;
        self
    }

    /// Checks whether the policy sends a block of this size to the accelerator. Returns the reason
    /// if not.
    pub(super) fn check(
        &self,
        direction: Direction,
        src: usize,
        dst: usize,
    ) -> Result<(), Fallback> {
        let (offloaded, uncompressed) = match direction {
            Direction::Compress => (self.compress, src),
            Direction::Decompress => (self.decompress, dst),
        };
        if !offloaded {
            Err(Fallback::SwitchedOff)
        } else if uncompressed < self.min_block {
            Err(Fallback::TooSmall)
        } else if src > self.max_block {
            Err(Fallback::TooLarge)
        } else {
            Ok(())
        }
    }
}
