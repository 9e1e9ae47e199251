//! Two engines under one policy: the accelerator where it helps, software for everything else.

mod batch;
mod breaker;
mod delay;
mod policy;
pub(crate) mod verify;

pub use policy::{Offload, Policy};

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use self::breaker::{Breaker, Permit};
use self::delay::MovingAverage;
use crate::stats::{
    BreakerStats, Counters, DelayStats, Direction, Fallback, Outcome, SampledTime, Stats, Work,
};
use crate::{Block, BlockCompressor, Clock, Error, Format, Level, SystemClock, Window};

/// A [`BlockCompressor`] that gives blocks to an accelerator `A` under a [`Policy`], and to the
/// software engine `S` whenever `A` can't, won't or shouldn't do them.
///
/// No trouble that `A` has with a block reaches the caller: a busy queue, a fault, a panic, a wrong
/// length, and with [`Policy::verify`] wrong compressed data, each cost the time of one block in
/// software. Clones share engines, counters and breaker.
///
/// ```
/// use uadk_compress::{BlockCompressor, Format, Level, OffloadCompressor, Policy, SoftwareCompressor};
///
/// // Any two engines of one format will do.
/// let fast = SoftwareCompressor::new(Format::Zlib, Level::FASTEST)?;
/// let safe = SoftwareCompressor::new(Format::Zlib, Level::DEFAULT)?;
/// let both = OffloadCompressor::new(fast, safe, Policy::default())?;
///
/// let mut compressed = [0; 8192];
/// both.compress(&[7; 4096], &mut compressed)?;
/// assert_eq!(both.stats().accelerator.compress.blocks, 1);
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Debug)]
pub struct OffloadCompressor<A, S> {
    accelerator: Option<Arc<A>>,
    software: Arc<S>,
    shared: Arc<Shared>,
}

/// What all clones, levels and windows of one `OffloadCompressor` have in common.
#[derive(Debug)]
struct Shared {
    policy: Policy,
    offload: AtomicU8,
    /// Why there is no accelerator; empty if there is one.
    unavailable: Option<Cow<'static, str>>,
    breaker: Breaker,
    /// By [`Direction`].
    delays: [MovingAverage; 2],
    counters: Counters,
    clock: Box<dyn Clock>,
}

impl<A: BlockCompressor, S: BlockCompressor> OffloadCompressor<A, S> {
    /// Joins two engines of one format.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if their formats differ.
    pub fn new(accelerator: A, software: S, policy: Policy) -> Result<Self, Error> {
        Self::with_clock(accelerator, software, policy, SystemClock::default())
    }

    /// Like [`new`](Self::new), with a clock of the caller's. Tests move it by hand.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the formats differ.
    pub fn with_clock(
        accelerator: A,
        software: S,
        policy: Policy,
        clock: impl Clock + 'static,
    ) -> Result<Self, Error> {
        if accelerator.format() != software.format() {
            return Err(Error::Unsupported(
                format!(
                    "the accelerator makes {} and the software engine {}; both must be of one \
                     format",
                    accelerator.format(),
                    software.format(),
                )
                .into(),
            ));
        }
        let shared = Shared::new(policy, None, Box::new(clock));
        Ok(Self {
            accelerator: Some(Arc::new(accelerator)),
            software: Arc::new(software),
            shared: Arc::new(shared),
        })
    }

    /// The software engine alone; `why` says what became of the accelerator, for
    /// [`Stats::unavailable`].
    pub fn software_only(software: S, why: impl Into<Cow<'static, str>>, policy: Policy) -> Self {
        let shared = Shared::new(policy, Some(why.into()), Box::new(SystemClock::default()));
        Self { accelerator: None, software: Arc::new(software), shared: Arc::new(shared) }
    }

    /// What is wanted at present.
    #[must_use]
    pub fn offload(&self) -> Offload {
        Offload::from_bits(self.shared.offload.load(Ordering::Relaxed))
    }

    /// Switches the accelerator on or off, for all clones, from the next block on.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] for [`Offload::Require`] without an accelerator; nothing changes
    /// then.
    pub fn set_offload(&self, offload: Offload) -> Result<(), Error> {
        if let (Offload::Require, Some(why)) = (offload, &self.shared.unavailable) {
            return Err(Error::Unavailable(why.clone()));
        }
        let before = self.shared.offload.swap(offload as u8, Ordering::Relaxed);
        if before != offload as u8 {
            tracing::info!(%offload, "offload switched");
        }
        Ok(())
    }

    /// What has been done since this compressor was made.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let shared = &*self.shared;
        let now = shared.clock.now();
        let Work { accelerator, software, fallbacks } = shared.counters.work();
        Stats {
            offload: self.offload(),
            unavailable: shared.unavailable.clone(),
            software_engine: self.software.engine(),
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

    /// One block, by whichever engine the policy says.
    fn run(&self, direction: Direction, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        let verdict = self.try_accelerator(direction, src, dst, self.tries());
        self.settle(verdict, direction, src, dst)
    }

    /// How often a block is offered to a busy accelerator.
    fn tries(&self) -> u32 {
        self.shared.policy.busy_tries.max(1)
    }

    /// Whether the accelerator may be given this block, and if not, why.
    fn admit(
        &self,
        direction: Direction,
        src: &[u8],
        dst: &[u8],
    ) -> Result<(&A, Permit<'_>), Fallback> {
        let shared = &*self.shared;
        let Some(accelerator) = self.accelerator.as_deref() else {
            return Err(Fallback::NoAccelerator);
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

    /// Up to `tries` tries on the accelerator, if the policy lets the block go there.
    fn try_accelerator(
        &self,
        direction: Direction,
        src: &[u8],
        dst: &mut [u8],
        tries: u32,
    ) -> Verdict<'_> {
        match self.admit(direction, src, dst) {
            Ok((accelerator, permit)) => {
                self.try_admitted(accelerator, permit, direction, src, dst, tries)
            }
            Err(why) => Verdict::Fallback(why),
        }
    }

    /// Up to `tries` tries on the accelerator, which the policy has let the block go to.
    fn try_admitted<'a>(
        &'a self,
        accelerator: &A,
        permit: Permit<'a>,
        direction: Direction,
        src: &[u8],
        dst: &mut [u8],
        tries: u32,
    ) -> Verdict<'a> {
        for _ in 0..tries {
            let started = self.shared.clock.now();
            let outcome = catch_unwind(AssertUnwindSafe(|| match direction {
                Direction::Compress => accelerator.compress(src, dst),
                Direction::Decompress => accelerator.decompress(src, dst),
            }));
            let now = self.shared.clock.now();
            let time = now.saturating_sub(started);
            self.shared.delay(direction).record(time, now);
            match outcome {
                Err(_) => return self.fault(permit, Fallback::Panicked, None),
                Ok(Err(Error::Busy)) => {}
                Ok(result) => {
                    return self.judge(permit, direction, Done { src, dst, result, time });
                }
            }
        }
        Verdict::Fallback(Fallback::Busy)
    }

    /// What an accelerator's answer means, for the block and for the breaker.
    fn judge<'a>(
        &'a self,
        permit: Permit<'a>,
        direction: Direction,
        done: Done<'_>,
    ) -> Verdict<'a> {
        use Direction::{Compress, Decompress};
        let Done { src, dst, result, time } = done;
        match (direction, &result) {
            (Compress, Ok(written)) => {
                let sound = dst.get(..*written).is_some_and(|output| {
                    !self.shared.policy.verify
                        || verify::decompresses_to(&*self.software, output, src)
                });
                if !sound {
                    return self.fault(permit, Fallback::WrongOutput, None);
                }
            }
            (Decompress, Ok(written)) if *written > dst.len() => {
                return self.fault(permit, Fallback::WrongOutput, None);
            }
            // Less than there was room for is right if the caller was generous.
            (Decompress, Ok(written)) => {
                let whole = *written == dst.len()
                    || verify::ends_with_checksum(self.software.format(), src, &dst[..*written])
                        == Some(true);
                if !whole {
                    return Verdict::Doubted(permit, Some(*written));
                }
            }
            // Nothing is too long for the room that fits everything, in software.
            (Compress, Err(Error::OutputFull)) if dst.len() >= self.room_for(src.len()) => {
                return Verdict::Fallback(Fallback::Refused);
            }
            (Compress, Err(Error::OutputFull)) => {}
            (Decompress, Err(Error::OutputFull | Error::Corrupt)) => {
                return Verdict::Doubted(permit, None);
            }
            (_, Err(Error::Unsupported(_))) => return Verdict::Fallback(Fallback::Unsupported),
            (_, Err(Error::Busy)) => return Verdict::Fallback(Fallback::Busy),
            // One block's lost completion is no verdict on the accelerator, except in a trial.
            (_, Err(Error::TimedOut)) if !permit.is_trial() => {
                return Verdict::Fallback(Fallback::TimedOut);
            }
            (_, Err(Error::TimedOut)) => {
                return self.fault(permit, Fallback::TimedOut, result.err());
            }
            (_, Err(Error::Unavailable(_))) => {
                return self.fault(permit, Fallback::Unavailable, result.err());
            }
            (_, Err(Error::Device { .. } | Error::Corrupt)) => {
                return self.fault(permit, Fallback::DeviceError, result.err());
            }
        }
        permit.success();
        let outcome = Outcome { bytes_in: src.len(), result: &result, time };
        self.shared.counters.accelerated(direction, outcome);
        Verdict::Answer(result)
    }

    fn fault<'a>(&'a self, permit: Permit<'a>, why: Fallback, cause: Option<Error>) -> Verdict<'a> {
        permit.fault(self.shared.clock.now(), cause);
        Verdict::Fallback(why)
    }

    /// Does in software what a verdict leaves to be done.
    fn settle(
        &self,
        verdict: Verdict<'_>,
        direction: Direction,
        src: &[u8],
        dst: &mut [u8],
    ) -> Result<usize, Error> {
        match verdict {
            Verdict::Answer(answer) => answer,
            Verdict::Fallback(why) => self.run_software(why, direction, src, dst),
            Verdict::Doubted(permit, claimed) => {
                let result = self.run_software(Fallback::Refused, direction, src, dst);
                // Devices need not notice damage, so one is not blamed for what it makes of it.
                let right =
                    result == Err(Error::Corrupt) || result.as_ref().ok() == claimed.as_ref();
                if right {
                    permit.success();
                } else {
                    permit.fault(self.shared.clock.now(), None);
                }
                result
            }
        }
    }

    fn run_software(
        &self,
        why: Fallback,
        direction: Direction,
        src: &[u8],
        dst: &mut [u8],
    ) -> Result<usize, Error> {
        let shared = &*self.shared;
        let time = SampledTime::start(|| shared.clock.now());
        let result = match direction {
            Direction::Compress => self.software.compress(src, dst),
            Direction::Decompress => self.software.decompress(src, dst),
        };
        let time = time.stop(|| shared.clock.now());
        let outcome = Outcome { bytes_in: src.len(), result: &result, time };
        shared.counters.fell_back(direction, why, outcome);
        result
    }

    /// Room that both engines' results fit into.
    fn room_for(&self, len: usize) -> usize {
        let software = self.software.max_compressed_len(len);
        self.accelerator.as_ref().map_or(software, |a| a.max_compressed_len(len).max(software))
    }
}

/// A block that the accelerator has answered.
struct Done<'a> {
    src: &'a [u8],
    dst: &'a [u8],
    result: Result<usize, Error>,
    time: Duration,
}

/// What is to be done after the accelerator had its chance.
enum Verdict<'a> {
    /// Its answer stands.
    Answer(Result<usize, Error>),
    /// Software does the block.
    Fallback(Fallback),
    /// The accelerator refused to decompress the block, or gave less than there was room for.
    /// Software does it, and if its answer is another, the accelerator was wrong.
    Doubted(Permit<'a>, Option<usize>),
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

impl<A, S> Clone for OffloadCompressor<A, S> {
    fn clone(&self) -> Self {
        Self {
            accelerator: self.accelerator.clone(),
            software: Arc::clone(&self.software),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<A, S> OffloadCompressor<A, S>
where
    A: BlockCompressor + 'static,
    S: BlockCompressor + 'static,
{
    /// The same policy, breaker and counters for other engines; `None` keeps the present one.
    fn with_engines(
        &self,
        accelerator: Option<Arc<dyn BlockCompressor>>,
        software: Option<Arc<dyn BlockCompressor>>,
    ) -> Arc<dyn BlockCompressor> {
        let accelerator = self.accelerator.as_ref().map(|present| {
            let accelerator = accelerator.unwrap_or_else(|| Arc::clone(present) as _);
            Arc::new(accelerator)
        });
        let software = software.unwrap_or_else(|| Arc::clone(&self.software) as _);
        let (software, shared) = (Arc::new(software), Arc::clone(&self.shared));
        Arc::new(OffloadCompressor { accelerator, software, shared })
    }
}

impl<A, S> BlockCompressor for OffloadCompressor<A, S>
where
    A: BlockCompressor + 'static,
    S: BlockCompressor + 'static,
{
    fn format(&self) -> Format {
        self.software.format()
    }

    fn engine(&self) -> Cow<'static, str> {
        match &self.accelerator {
            Some(accelerator) => {
                format!("{}, else {}", accelerator.engine(), self.software.engine()).into()
            }
            None => self.software.engine(),
        }
    }

    fn max_compressed_len(&self, len: usize) -> usize {
        self.room_for(len)
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

    fn with_level(&self, level: Level) -> Option<Arc<dyn BlockCompressor>> {
        let software = self.software.with_level(level)?;
        // A device without levels serves them all.
        let accelerator = self.accelerator.as_ref().and_then(|engine| engine.with_level(level));
        Some(self.with_engines(accelerator, Some(software)))
    }

    fn with_window(&self, window: Window) -> Option<Arc<dyn BlockCompressor>> {
        let software = self.software.with_window(window);
        let accelerator = self.accelerator.as_ref().and_then(|engine| engine.with_window(window));
        if software.is_none() && accelerator.is_none() {
            return None;
        }
        Some(self.with_engines(accelerator, software))
    }
}
