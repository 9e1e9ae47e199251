//! The counters behind a snapshot, sharded so that threads don't contend for them.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::engine::{EngineStats, OpStats};
use super::fallbacks::{Fallback, Fallbacks};
use crate::Error;
use crate::clock::nanos;
use crate::direction::Direction;

/// Threads whose numbers are equal modulo this use the same shard.
const SHARDS: usize = 16;

/// Which engine processed a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Accelerator,
    Software,
}

/// The counted part of a block's outcome.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome<'a> {
    pub(crate) bytes_in: usize,
    pub(crate) result: &'a Result<usize, Error>,
    pub(crate) time: Duration,
}

/// Counters of one engine's work in one direction. The number of blocks is counted elsewhere.
#[derive(Debug, Default)]
struct Op {
    output_full: AtomicU64,
    errors: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    nanos: AtomicU64,
}

/// The counters of one group of threads. Aligned to two cache lines, since processors fetch lines
/// in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard {
    /// Indexed by [`Engine`], then [`Direction`].
    ops: [[Op; 2]; 2],
    /// Blocks of the accelerator, indexed by [`Direction`].
    accelerated: [AtomicU64; 2],
    /// Blocks of the software engine, indexed by [`Direction`], then [`Fallback`].
    fallbacks: [[AtomicU64; Fallback::COUNT]; 2],
}

/// The work of both engines so far.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) accelerator: EngineStats,
    pub(crate) software: EngineStats,
    pub(crate) fallbacks: Fallbacks,
}

#[derive(Debug)]
pub(crate) struct Counters {
    /// Has [`SHARDS`] elements.
    shards: Box<[Shard]>,
}

/// An accelerator's work on a batch. Added to the shared counters when dropped.
#[derive(Debug)]
pub(crate) struct Tally<'a> {
    counters: &'a Counters,
    direction: Direction,
    blocks: u64,
    output_full: u64,
    bytes_in: u64,
    bytes_out: u64,
    time: Duration,
}

impl Default for Counters {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard::default()).collect() }
    }
}

impl Tally<'_> {
    /// Counts a block that the accelerator processed.
    pub(crate) fn add(&mut self, outcome: Outcome<'_>) {
        self.blocks += 1;
        self.bytes_in += outcome.bytes_in as u64;
        self.time += outcome.time;
        match outcome.result {
            Ok(written) => self.bytes_out += *written as u64,
            Err(_) => self.output_full += 1,
        }
    }
}

impl Drop for Tally<'_> {
    fn drop(&mut self) {
        if self.blocks == 0 {
            return;
        }
        let (shard, direction) = (self.counters.shard(), self.direction as usize);
        add(&shard.accelerated[direction], self.blocks);
        let op = &shard.ops[Engine::Accelerator as usize][direction];
        add(&op.output_full, self.output_full);
        add(&op.bytes_in, self.bytes_in);
        add(&op.bytes_out, self.bytes_out);
        add(&op.nanos, nanos(self.time));
    }
}

impl Counters {
    /// Starts counting the blocks of a batch that the accelerator processes.
    pub(crate) const fn tally(&self, direction: Direction) -> Tally<'_> {
        Tally {
            counters: self,
            direction,
            blocks: 0,
            output_full: 0,
            bytes_in: 0,
            bytes_out: 0,
            time: Duration::ZERO,
        }
    }

    /// Counts a block that the accelerator processed.
    pub(crate) fn accelerated(&self, direction: Direction, outcome: Outcome<'_>) {
        let shard = self.shard();
        add(&shard.accelerated[direction as usize], 1);
        shard.ops[Engine::Accelerator as usize][direction as usize].count(outcome);
    }

    /// Counts a block that software processed, and the reason.
    pub(crate) fn fell_back(&self, direction: Direction, reason: Fallback, outcome: Outcome<'_>) {
        let shard = self.shard();
        add(&shard.fallbacks[direction as usize][reason as usize], 1);
        shard.ops[Engine::Software as usize][direction as usize].count(outcome);
    }

    /// Returns all sums, each taken once, so that they agree with each other.
    pub(crate) fn work(&self) -> Work {
        let mut fallbacks = Fallbacks::default();
        let mut software_blocks = [0; 2];
        for direction in [Direction::Compress, Direction::Decompress] {
            for &reason in Fallback::ALL {
                let n = self.sum(|s| &s.fallbacks[direction as usize][reason as usize]);
                *fallbacks.count_mut(reason) += n;
                software_blocks[direction as usize] += n;
            }
        }
        let accelerated = [0, 1].map(|direction| self.sum(|s| &s.accelerated[direction]));
        Work {
            accelerator: self.engine(Engine::Accelerator, accelerated),
            software: self.engine(Engine::Software, software_blocks),
            fallbacks,
        }
    }

    fn engine(&self, engine: Engine, [compress, decompress]: [u64; 2]) -> EngineStats {
        EngineStats {
            compress: self.op(engine, Direction::Compress, compress),
            decompress: self.op(engine, Direction::Decompress, decompress),
        }
    }

    fn op(&self, engine: Engine, direction: Direction, blocks: u64) -> OpStats {
        let sum = |cell: fn(&Op) -> &AtomicU64| {
            self.sum(|shard| cell(&shard.ops[engine as usize][direction as usize]))
        };
        OpStats {
            blocks,
            output_full: sum(|op| &op.output_full),
            errors: sum(|op| &op.errors),
            bytes_in: sum(|op| &op.bytes_in),
            bytes_out: sum(|op| &op.bytes_out),
            time: Duration::from_nanos(sum(|op| &op.nanos)),
        }
    }

    fn sum<'a>(&'a self, cell: impl Fn(&'a Shard) -> &'a AtomicU64) -> u64 {
        self.shards.iter().map(|shard| cell(shard).load(Ordering::Relaxed)).sum()
    }

    fn shard(&self) -> &Shard {
        &self.shards[thread_number() % SHARDS]
    }
}

/// Returns this thread's number, assigned at its first call.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<Option<usize>> = const { Cell::new(None) };
    }
    NUMBER.get().unwrap_or_else(|| {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        NUMBER.set(Some(number));
        number
    })
}

impl Op {
    fn count(&self, outcome: Outcome<'_>) {
        add(&self.bytes_in, outcome.bytes_in as u64);
        if !outcome.time.is_zero() {
            add(&self.nanos, nanos(outcome.time));
        }
        match outcome.result {
            Ok(written) => add(&self.bytes_out, *written as u64),
            Err(Error::OutputFull) => add(&self.output_full, 1),
            Err(_) => add(&self.errors, 1),
        }
    }
}

/// Measures about one block in [`SAMPLE`] and extrapolates: reading the clock twice costs as much
/// as all counters together.
#[derive(Debug)]
pub(crate) struct SampledTime(Option<Duration>);

/// One in this many blocks is measured. A power of two.
const SAMPLE: u32 = 16;

impl SampledTime {
    pub(crate) fn start(now: impl FnOnce() -> Duration) -> Self {
        Self(is_sampled().then(now))
    }

    /// Returns the time since the start times [`SAMPLE`] for a measured block, zero for the others.
    pub(crate) fn stop(self, now: impl FnOnce() -> Duration) -> Duration {
        self.0.map_or(Duration::ZERO, |started| now().saturating_sub(started) * SAMPLE)
    }
}

/// Decides whether to measure a block: at random, since threads process blocks in patterns, such as
/// compressing and decompressing in turn. A linear congruential generator (constants from Numerical
/// Recipes) is cheap enough per block.
fn is_sampled() -> bool {
    thread_local! {
        static STATE: Cell<Option<u32>> = const { Cell::new(None) };
    }
    let state = STATE.get().unwrap_or_else(|| (thread_number() as u32).wrapping_mul(0x9e37_79b9));
    let state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    STATE.set(Some(state));
    state >> (u32::BITS - SAMPLE.ilog2()) == 0
}

fn add(cell: &AtomicU64, n: u64) {
    cell.fetch_add(n, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, ManualClock};

    #[test]
    fn every_fallback_has_its_own_field_and_is_part_of_the_total() {
        let counters = Counters::default();
        for (i, &fallback) in Fallback::ALL.iter().enumerate() {
            for _ in 0..=i {
                let outcome = Outcome { bytes_in: 0, result: &Ok(0), time: Duration::ZERO };
                counters.fell_back(Direction::Compress, fallback, outcome);
            }
        }
        let fallbacks = counters.work().fallbacks;
        let counts: Vec<_> = fallbacks.by_reason().map(|(_, count)| count).collect();
        assert_eq!(counts, (1..=Fallback::COUNT as u64).collect::<Vec<_>>());
        assert_eq!(fallbacks.total(), counts.iter().sum::<u64>());
    }

    #[test]
    fn counts_of_all_threads_add_up() {
        let counters = Counters::default();
        let outcome = Outcome { bytes_in: 3, result: &Ok(2), time: Duration::from_nanos(5) };
        std::thread::scope(|scope| {
            for _ in 0..2 * SHARDS {
                scope.spawn(|| counters.accelerated(Direction::Compress, outcome));
            }
        });
        let threads = 2 * SHARDS as u64;
        let expected = OpStats {
            blocks: threads,
            bytes_in: 3 * threads,
            bytes_out: 2 * threads,
            time: Duration::from_nanos(5 * threads),
            ..OpStats::default()
        };
        assert_eq!(counters.work().accelerator.compress, expected);
        assert_eq!(counters.work().software, EngineStats::default());
    }

    #[test]
    fn a_tally_counts_the_same_as_single_blocks() {
        let (one_by_one, at_once) = (Counters::default(), Counters::default());
        let mut tally = at_once.tally(Direction::Decompress);
        for result in [Ok(2), Err(Error::OutputFull), Ok(5)] {
            let outcome = Outcome { bytes_in: 9, result: &result, time: Duration::from_nanos(7) };
            one_by_one.accelerated(Direction::Decompress, outcome);
            tally.add(outcome);
        }
        drop(tally);
        assert_eq!(one_by_one.work().accelerator, at_once.work().accelerator);
    }

    #[test]
    fn sampled_time_is_close_to_the_true_time_whatever_the_pattern() {
        let clock = ManualClock::default();
        let mut sampled = [Duration::ZERO; 2];
        for block in 0..64_000 {
            let direction = block % 2;
            let time = SampledTime::start(|| clock.now());
            clock.advance(Duration::from_micros([30, 10][direction]));
            sampled[direction] += time.stop(|| clock.now());
        }
        for (sampled, truth) in sampled.iter().zip([960_f64, 320.0]) {
            let millis = sampled.as_secs_f64() * 1e3;
            assert!((millis / truth - 1.0).abs() < 0.1, "{millis} for {truth}");
        }
    }
}
