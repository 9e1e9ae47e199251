//! Two engines under one policy: the accelerator where it helps, software for everything else.

mod batch;
mod breaker;
mod delay;
mod policy;
mod verify;

pub use policy::{Offload, Policy};

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use self::breaker::{Breaker, Permit};
use self::delay::MovingAverage;
use crate::stats::{
    BreakerStats, Counters, DelayStats, Direction, Engine, Fallback, Outcome, SampledTime, Stats,
};
use crate::{Block, BlockCompressor, Clock, Error, Format, Level, SystemClock};

/// A [`BlockCompressor`] that gives blocks to an accelerator `A` under a [`Policy`], and to the
/// software engine `S` whenever `A` can't, won't or shouldn't do them.
///
/// Nothing that `A` does reaches the caller: a busy queue, a fault, a wrong result, a panic each
/// cost the time of one block in software. Clones share engines, counters and breaker.
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

/// What all clones and levels of one `OffloadCompressor` have in common.
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
        Stats {
            offload: self.offload(),
            unavailable: shared.unavailable.clone(),
            accelerator: shared.counters.engine(Engine::Accelerator),
            software: shared.counters.engine(Engine::Software),
            fallbacks: shared.counters.fallbacks(),
            breaker: BreakerStats {
                state: shared.breaker.state(),
                opened: shared.breaker.opened(),
                hold_off: shared.breaker.hold_off(),
            },
            delay: DelayStats {
                compress: shared.delay(Direction::Compress).at(now),
                decompress: shared.delay(Direction::Decompress).at(now),
            },
        }
    }

    /// One block, by whichever engine the policy says.
    fn run(&self, direction: Direction, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        let why = match self.admit(direction, src, dst) {
            Ok((accelerator, permit)) => {
                let tries = self.shared.policy.busy_tries;
                match self.try_accelerator(accelerator, permit, direction, src, dst, tries) {
                    Verdict::Answer(answer) => return answer,
                    Verdict::Fallback(why) => why,
                    Verdict::Refused(permit) => return self.second_opinion(permit, src, dst),
                }
            }
            Err(why) => why,
        };
        self.run_software(why, direction, src, dst)
    }

    /// Whether the accelerator may be given this block, and if not, why.
    fn admit(
        &self,
        direction: Direction,
        src: &[u8],
        dst: &[u8],
    ) -> Result<(&A, Permit), Fallback> {
        let shared = &*self.shared;
        let Some(accelerator) = self.accelerator.as_deref() else {
            return Err(Fallback::NoAccelerator);
        };
        if self.offload() == Offload::Off {
            return Err(Fallback::SwitchedOff);
        }
        shared.policy.check_size(direction, src, dst)?;
        let now = || shared.clock.now();
        if shared.delay(direction).exceeds(shared.policy.max_delay, now) {
            return Err(Fallback::Delayed);
        }
        match shared.breaker.admit(now) {
            Some(permit) => Ok((accelerator, permit)),
            None => Err(Fallback::HeldOff),
        }
    }

    /// Up to `tries` tries on the accelerator.
    fn try_accelerator(
        &self,
        accelerator: &A,
        permit: Permit,
        direction: Direction,
        src: &[u8],
        dst: &mut [u8],
        tries: u32,
    ) -> Verdict {
        for _ in 0..tries {
            let started = self.shared.clock.now();
            let outcome = catch_unwind(AssertUnwindSafe(|| match direction {
                Direction::Compress => accelerator.compress(src, dst),
                Direction::Decompress => accelerator.decompress(src, dst),
            }));
            let time = self.shared.clock.now().saturating_sub(started);
            let Ok(result) = outcome else {
                return self.fault(permit, Fallback::Panicked);
            };
            if result != Err(Error::Busy) {
                return self.judge(permit, direction, Done { src, dst, result, time });
            }
        }
        self.shared.breaker.no_verdict(permit, self.shared.clock.now());
        Verdict::Fallback(Fallback::Busy)
    }

    /// What an accelerator's answer means, for the block and for the breaker.
    fn judge(&self, permit: Permit, direction: Direction, done: Done<'_>) -> Verdict {
        let Done { src, dst, result, time } = done;
        match (direction, &result) {
            (_, Ok(written)) => {
                let Some(output) = dst.get(..*written) else {
                    return self.fault(permit, Fallback::WrongOutput);
                };
                if direction == Direction::Compress
                    && self.shared.policy.verify
                    && !verify::decompresses_to(&*self.software, output, src)
                {
                    return self.fault(permit, Fallback::WrongOutput);
                }
            }
            (Direction::Compress, Err(Error::OutputFull)) => {}
            (Direction::Decompress, Err(Error::OutputFull | Error::Corrupt)) => {
                return Verdict::Refused(permit);
            }
            (_, Err(Error::Unsupported(_))) => {
                self.shared.breaker.no_verdict(permit, self.shared.clock.now());
                return Verdict::Fallback(Fallback::Unsupported);
            }
            (_, Err(Error::Busy)) => {
                self.shared.breaker.no_verdict(permit, self.shared.clock.now());
                return Verdict::Fallback(Fallback::Busy);
            }
            (_, Err(Error::Unavailable(_))) => return self.fault(permit, Fallback::Unavailable),
            (_, Err(Error::Device { .. } | Error::Corrupt)) => {
                return self.fault(permit, Fallback::DeviceError);
            }
        }
        let shared = &*self.shared;
        shared.delay(direction).record(time, shared.clock.now());
        shared.breaker.success(permit);
        let outcome = Outcome { bytes_in: src.len(), result: &result, time };
        shared.counters.accelerated(direction, outcome);
        Verdict::Answer(result)
    }

    fn fault(&self, permit: Permit, why: Fallback) -> Verdict {
        self.shared.breaker.fault(permit, self.shared.clock.now());
        Verdict::Fallback(why)
    }

    /// The accelerator refused a block: software decides whether it is corrupt. If it is not, the
    /// accelerator was wrong.
    fn second_opinion(&self, permit: Permit, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        let result = self.run_software(Fallback::Refused, Direction::Decompress, src, dst);
        if result.is_ok() {
            self.shared.breaker.fault(permit, self.shared.clock.now());
        } else {
            self.shared.breaker.success(permit);
        }
        result
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
}

/// A block that the accelerator has answered.
struct Done<'a> {
    src: &'a [u8],
    dst: &'a [u8],
    result: Result<usize, Error>,
    time: Duration,
}

/// What is to be done after the accelerator had its chance.
enum Verdict {
    /// Its answer stands.
    Answer(Result<usize, Error>),
    /// Software does the block.
    Fallback(Fallback),
    /// Software decides whether the block is corrupt, and with it whether the accelerator works.
    Refused(Permit),
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

impl<A, S> BlockCompressor for OffloadCompressor<A, S>
where
    A: BlockCompressor + 'static,
    S: BlockCompressor + 'static,
{
    fn format(&self) -> Format {
        self.software.format()
    }

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

    fn with_level(&self, level: Level) -> Option<Arc<dyn BlockCompressor>> {
        let software = Arc::new(self.software.with_level(level)?);
        let accelerator = self.accelerator.as_ref().map(|accelerator| {
            // A device without levels serves them all.
            let same: Arc<dyn BlockCompressor> = Arc::clone(accelerator) as _;
            Arc::new(accelerator.with_level(level).unwrap_or(same))
        });
        let shared = Arc::clone(&self.shared);
        Some(Arc::new(OffloadCompressor { accelerator, software, shared }))
    }
}
