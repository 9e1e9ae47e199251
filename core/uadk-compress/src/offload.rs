//! Two engines under one policy: the accelerator where it helps, software for everything else.

mod accelerator;
mod batch;
mod breaker;
mod delay;
mod policy;

pub use policy::{Policy, Verify};

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use self::accelerator::{Accelerator, accelerator};
use self::breaker::{Breaker, Permit};
use self::delay::MovingAverage;
use crate::block::check;
use crate::checksum::ends_with_checksum;
use crate::clock::{Clock, SystemClock};
use crate::direction::Direction;
use crate::stats::{
    BreakerStats, Counters, DelayStats, Fallback, Outcome, SampledTime, Stats, Work,
};
use crate::{Block, BlockCompressor, Error, Format, Offload, Settings, verify};

/// A [`BlockCompressor`] that sends blocks to an accelerator under a [`Policy`], and to a software
/// engine whenever the accelerator can't, won't or shouldn't process them.
///
/// The caller never sees a failure of the accelerator: a full queue, a fault, a panic, an
/// impossible length and, with [`Policy::verify`], wrong data each cost the time of one block in
/// software. Clones share engines, counters and breaker.
///
/// ```
/// use uadk_compress::{
///     BlockCompressor, Format, Level, OffloadCompressor, Policy, SoftwareCompressor,
/// };
///
/// // Any two engines for the same format work.
/// let fast = SoftwareCompressor::new(Format::Zlib, Level::FASTEST)?;
/// let safe = SoftwareCompressor::new(Format::Zlib, Level::BALANCED)?;
/// let both = OffloadCompressor::new(fast, safe, Policy::default())?;
///
/// let mut compressed = [0; 8192];
/// both.compress(&[7; 4096], &mut compressed)?;
/// assert_eq!(both.stats().accelerator.compress.blocks, 1);
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct OffloadCompressor {
    accelerator: Option<Arc<dyn Accelerator>>,
    software: Arc<dyn BlockCompressor>,
    shared: Arc<Shared>,
}

/// The state shared by all clones and reconfigured versions of one `OffloadCompressor`.
#[derive(Debug)]
struct Shared {
    policy: Policy,
    offload: AtomicU8,
    /// Why there is no accelerator, if there is none.
    unavailable: Option<Cow<'static, str>>,
    breaker: Breaker,
    /// Indexed by [`Direction`].
    delays: [MovingAverage; 2],
    counters: Counters,
    clock: Box<dyn Clock>,
}

/// What to do with an accelerator's result.
enum Judgement {
    /// The result is accepted.
    Sound,
    /// Software processes the block; the accelerator is not at fault.
    Fallback(Fallback),
    /// Software processes the block, and the breaker counts a fault.
    Fault(Fallback),
    /// The accelerator refused to decompress the block, or returned less than the destination
    /// holds. Software processes it; if its result differs, the accelerator was wrong.
    Doubted,
}

impl OffloadCompressor {
    /// Combines two engines for the same format.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if their formats differ.
    pub fn new(
        accelerator: impl BlockCompressor + 'static,
        software: impl BlockCompressor + 'static,
        policy: Policy,
    ) -> Result<Self, Error> {
        Self::with_clock(accelerator, software, policy, SystemClock::default())
    }

    /// Like [`new`](Self::new), on a caller-provided clock, such as a
    /// [`ManualClock`](crate::clock::ManualClock) in a test.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the formats differ.
    pub fn with_clock(
        accelerator: impl BlockCompressor + 'static,
        software: impl BlockCompressor + 'static,
        policy: Policy,
        clock: impl Clock + 'static,
    ) -> Result<Self, Error> {
        if accelerator.format() != software.format() {
            return Err(Error::Unsupported(
                format!(
                    "an accelerator for {} with a software engine for {}",
                    accelerator.format(),
                    software.format(),
                )
                .into(),
            ));
        }
        Ok(Self {
            accelerator: Some(self::accelerator(accelerator)),
            software: Arc::new(software),
            shared: Arc::new(Shared::new(policy, None, Box::new(clock))),
        })
    }

    /// Wraps the software engine alone. `reason` says why there is no accelerator, for
    /// [`Stats::unavailable`].
    pub fn software_only(
        software: impl BlockCompressor + 'static,
        reason: impl Into<Cow<'static, str>>,
        policy: Policy,
    ) -> Self {
        let shared = Shared::new(policy, Some(reason.into()), Box::new(SystemClock::default()));
        Self { accelerator: None, software: Arc::new(software), shared: Arc::new(shared) }
    }

    /// Returns the current offload mode.
    #[must_use]
    pub fn offload(&self) -> Offload {
        Offload::from_bits(self.shared.offload.load(Ordering::Relaxed))
    }

    /// Switches the accelerator on or off, for all clones, from the next block on.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] for [`Offload::Require`] without an accelerator; the mode then stays
    /// unchanged.
    pub fn set_offload(&self, offload: Offload) -> Result<(), Error> {
        if let (Offload::Require, Some(reason)) = (offload, &self.shared.unavailable) {
            return Err(Error::Unavailable(reason.clone()));
        }
        let before = self.shared.offload.swap(offload as u8, Ordering::Relaxed);
        if before != offload as u8 {
            tracing::info!(%offload, "offload switched");
        }
        Ok(())
    }

    /// Returns what each engine has processed since this compressor was created.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let shared = &*self.shared;
        let now = shared.clock.now();
        let Work { accelerator, software, fallbacks } = shared.counters.work();
        Stats {
            offload: self.offload(),
            unavailable: shared.unavailable.clone(),
            software_engine: None,
            accelerator,
            software,
            fallbacks,
            breaker: BreakerStats {
                state: shared.breaker.state(),
                opened: shared.breaker.opened(),
                hold_off: shared.breaker.hold_off(),
                cause: shared.breaker.cause(),
            },
            delay: DelayStats {
                compress: shared.delay(Direction::Compress).at(now),
                decompress: shared.delay(Direction::Decompress).at(now),
            },
            uadk: None,
        }
    }

    /// Processes one block on the engine that the policy chooses.
    fn run(&self, direction: Direction, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        match self.admit(direction, src.len(), dst.len()) {
            Ok((accelerator, permit)) => {
                self.run_admitted(accelerator, permit, direction, src, dst, self.tries())
            }
            Err(reason) => self.run_software(reason, direction, src, dst),
        }
    }

    /// Returns how many times a block is offered to a busy accelerator.
    fn tries(&self) -> u32 {
        self.shared.policy.busy_tries.max(1)
    }

    /// Decides whether a block of this size may go to the accelerator. Returns the reason if not.
    fn admit(
        &self,
        direction: Direction,
        src: usize,
        dst: usize,
    ) -> Result<(&dyn Accelerator, Permit<'_>), Fallback> {
        let shared = &*self.shared;
        let Some(accelerator) = self.accelerator.as_deref() else {
            // There may be one that does not support a setting, such as a dictionary.
            let absent = shared.unavailable.is_some();
            return Err(if absent { Fallback::NoAccelerator } else { Fallback::Unsupported });
        };
        if self.offload() == Offload::Off {
            return Err(Fallback::SwitchedOff);
        }
        shared.policy.check(direction, src, dst)?;
        let now = || shared.clock.now();
        if shared.delay(direction).exceeds(shared.policy.max_delay, now) {
            return Err(Fallback::Delayed);
        }
        match shared.breaker.admit(now) {
            Some(permit) => Ok((accelerator, permit)),
            None => Err(Fallback::HeldOff),
        }
    }

    /// Tries an admitted block on the accelerator, up to `tries` times.
    fn run_admitted(
        &self,
        accelerator: &dyn Accelerator,
        permit: Permit<'_>,
        direction: Direction,
        src: &[u8],
        dst: &mut [u8],
        tries: u32,
    ) -> Result<usize, Error> {
        let clock = &*self.shared.clock;
        let started = clock.now();
        let outcome =
            catch_unwind(AssertUnwindSafe(|| accelerator.run_block(direction, src, dst, tries)));
        let now = clock.now();
        let time = now.saturating_sub(started);
        self.shared.delay(direction).record(time, now);
        if let Ok(result) = outcome {
            let result = check(result, dst.len(), false);
            return self.settle(permit, direction, src, dst, result, time);
        }
        permit.fault(now, None);
        self.run_software(Fallback::Panicked, direction, src, dst)
    }

    /// Acts on the accelerator's result: accepts it, or lets software process the block.
    fn settle(
        &self,
        permit: Permit<'_>,
        direction: Direction,
        src: &[u8],
        dst: &mut [u8],
        result: Result<usize, Error>,
        time: Duration,
    ) -> Result<usize, Error> {
        let clock = &*self.shared.clock;
        match self.judge(direction, src, dst, &result, permit.is_trial()) {
            Judgement::Sound => {
                permit.success();
                let outcome = Outcome { bytes_in: src.len(), result: &result, time };
                self.shared.counters.accelerated(direction, outcome);
                result
            }
            Judgement::Fallback(reason) => self.run_software(reason, direction, src, dst),
            Judgement::Fault(reason) => {
                let cause = result.err().filter(Error::is_engine_failure);
                permit.fault(clock.now(), cause);
                self.run_software(reason, direction, src, dst)
            }
            Judgement::Doubted => {
                let claimed = match result {
                    Ok(len) | Err(Error::WrongLength { reported: len, .. }) => Some(len),
                    Err(_) => None,
                };
                let result = self.run_software(Fallback::Refused, direction, src, dst);
                // Devices need not detect damage, so their result for a damaged block is not a
                // fault.
                if result == Err(Error::Corrupt) || result.as_ref().ok() == claimed.as_ref() {
                    permit.success();
                } else {
                    permit.fault(clock.now(), None);
                }
                result
            }
        }
    }

    /// Judges an accelerator's result whose length has been checked.
    fn judge(
        &self,
        direction: Direction,
        src: &[u8],
        dst: &[u8],
        result: &Result<usize, Error>,
        trial: bool,
    ) -> Judgement {
        use Direction::{Compress, Decompress};
        let verify = self.shared.policy.verify;
        let software = &*self.software;
        let format = software.format();
        match (direction, result) {
            (Compress, Ok(written)) => {
                let sound = *written >= format.min_compressed_len(src.len())
                    && (verify == Verify::Off
                        || verify::compresses(software, &dst[..*written], src));
                if sound { Judgement::Sound } else { Judgement::Fault(Fallback::WrongOutput) }
            }
            (Decompress, Ok(written)) => {
                let output = &dst[..*written];
                if verify == Verify::Both && !verify::decompresses(software, src, output) {
                    return Judgement::Fault(Fallback::WrongOutput);
                }
                // A shorter result is correct if the caller passed a larger destination.
                let whole = output.len() == dst.len()
                    || ends_with_checksum(format, src, output) == Some(true);
                if whole { Judgement::Sound } else { Judgement::Doubted }
            }
            // Every result fits into a destination of the maximum size.
            (Compress, Err(Error::OutputFull))
                if dst.len() >= self.max_compressed_len(src.len()) =>
            {
                Judgement::Fallback(Fallback::Refused)
            }
            (Compress, Err(Error::OutputFull)) => Judgement::Sound,
            (Decompress, Err(Error::OutputFull | Error::Corrupt)) => Judgement::Doubted,
            (_, Err(Error::Unsupported(_))) => Judgement::Fallback(Fallback::Unsupported),
            (_, Err(Error::Busy | Error::NotDone)) => Judgement::Fallback(Fallback::Busy),
            (_, Err(Error::Starting)) => Judgement::Fallback(Fallback::Starting),
            // One lost completion is not a fault of the accelerator, except in a trial.
            (_, Err(Error::TimedOut)) if !trial => Judgement::Fallback(Fallback::TimedOut),
            (_, Err(Error::TimedOut)) => Judgement::Fault(Fallback::TimedOut),
            (_, Err(Error::Unavailable(_))) => Judgement::Fault(Fallback::Unavailable),
            // The block may hold less than the caller expects.
            (Decompress, Err(Error::WrongLength { reported, capacity })) if reported < capacity => {
                Judgement::Doubted
            }
            // An exact length makes no sense when compressing; the caller gets the error.
            (Compress, Err(Error::WrongLength { reported, capacity })) if reported < capacity => {
                Judgement::Sound
            }
            (_, Err(Error::WrongLength { .. })) => Judgement::Fault(Fallback::WrongOutput),
            (_, Err(Error::Device { .. } | Error::Corrupt)) => {
                Judgement::Fault(Fallback::DeviceError)
            }
        }
    }

    fn run_software(
        &self,
        reason: Fallback,
        direction: Direction,
        src: &[u8],
        dst: &mut [u8],
    ) -> Result<usize, Error> {
        let shared = &*self.shared;
        let time = SampledTime::start(|| shared.clock.now());
        let result = direction.run(&*self.software, src, dst);
        let time = time.stop(|| shared.clock.now());
        let result = check(result, dst.len(), false);
        let outcome = Outcome { bytes_in: src.len(), result: &result, time };
        shared.counters.fell_back(direction, reason, outcome);
        result
    }
}

impl Shared {
    fn new(policy: Policy, unavailable: Option<Cow<'static, str>>, clock: Box<dyn Clock>) -> Self {
        Self {
            breaker: Breaker::new(policy.first_hold_off, policy.longest_hold_off),
            policy,
            offload: AtomicU8::new(Offload::Auto as u8),
            unavailable,
            delays: Default::default(),
            counters: Counters::default(),
            clock,
        }
    }

    fn delay(&self, direction: Direction) -> &MovingAverage {
        &self.delays[direction as usize]
    }
}

impl BlockCompressor for OffloadCompressor {
    fn format(&self) -> Format {
        self.software.format()
    }

    /// Returns a bound for the results of both engines.
    fn max_compressed_len(&self, len: usize) -> usize {
        let software = self.software.max_compressed_len(len);
        self.accelerator.as_ref().map_or(software, |a| a.max_compressed_len(len).max(software))
    }

    fn max_decompressed_len(&self, len: usize) -> Option<usize> {
        self.software.max_decompressed_len(len)
    }

    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.run(Direction::Compress, src, dst)
    }

    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.run(Direction::Decompress, src, dst)
    }

    fn compress_batch(&self, blocks: &mut [Block<'_>]) {
        self.run_batch(Direction::Compress, blocks);
    }

    fn decompress_batch(&self, blocks: &mut [Block<'_>]) {
        self.run_batch(Direction::Decompress, blocks);
    }

    fn reconfigured(&self, settings: &Settings) -> Option<Arc<dyn BlockCompressor>> {
        let software = self.software.reconfigured(settings);
        let accelerator =
            self.accelerator.as_ref().and_then(|accelerator| accelerator.reconfigured(settings));
        if settings.dictionary.is_some() || settings.checksum == Some(true) {
            // No engine without the dictionary may be used, least of all the software engine. A
            // checksum that was asked for must not be missing either.
            let software = software?;
            return Some(Arc::new(Self {
                accelerator,
                software,
                shared: Arc::clone(&self.shared),
            }));
        }
        if software.is_none() && accelerator.is_none() {
            return None;
        }
        Some(Arc::new(Self {
            accelerator: accelerator.or_else(|| self.accelerator.clone()),
            software: software.unwrap_or_else(|| Arc::clone(&self.software)),
            shared: Arc::clone(&self.shared),
        }))
    }
}
