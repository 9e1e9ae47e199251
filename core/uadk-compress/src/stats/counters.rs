//! The counters behind a snapshot: sharded, so that threads don't contend for them.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::{EngineStats, Fallbacks, OpStats};
use crate::Error;
use crate::clock::nanos;

/// Threads with the same number modulo this share a shard.
const SHARDS: usize = 16;

/// Who did a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Accelerator,
    Software,
}

/// What was done with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Compress,
    Decompress,
}

/// What came of a block, as far as it is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome<'a> {
    pub(crate) bytes_in: usize,
    pub(crate) result: &'a Result<usize, Error>,
    pub(crate) time: Duration,
}

/// Counters of one kind of work.
#[derive(Debug, Default)]
struct Op {
    blocks: AtomicU64,
    output_full: AtomicU64,
    errors: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    nanos: AtomicU64,
}

/// What one group of threads has counted. Two cache lines apart from the next, because processors
/// fetch lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard {
    /// By [`Engine`], then by [`Direction`].
    ops: [[Op; 2]; 2],
    fallbacks: [AtomicU64; Fallback::COUNT],
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    shards: Box<[Shard; SHARDS]>,
}

macro_rules! fallbacks {
    ($($variant:ident => $field:ident),* $(,)?) => {
        /// Why a block went to software; one variant per field of [`Fallbacks`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fallback { $($variant),* }

        impl Fallback {
            const ALL: &[Self] = &[$(Self::$variant),*];
            const COUNT: usize = Self::ALL.len();
        }

        impl Fallbacks {
            fn field(&mut self, fallback: Fallback) -> &mut u64 {
                match fallback { $(Fallback::$variant => &mut self.$field),* }
            }
        }
    };
}

fallbacks! {
    NoAccelerator => no_accelerator,
    SwitchedOff => switched_off,
    TooSmall => too_small,
    TooLarge => too_large,
    Busy => busy,
    Delayed => delayed,
    HeldOff => held_off,
    DeviceError => device_error,
    Unavailable => unavailable,
    WrongOutput => wrong_output,
    Panicked => panicked,
    Unsupported => unsupported,
    Refused => refused,
}

impl Counters {
    /// Counts a block that `engine` has answered.
    pub(crate) fn answered(&self, engine: Engine, direction: Direction, outcome: Outcome<'_>) {
        let op = &self.shard().ops[engine as usize][direction as usize];
        add(&op.blocks, 1);
        add(&op.bytes_in, outcome.bytes_in as u64);
        add(&op.nanos, nanos(outcome.time));
        match outcome.result {
            Ok(written) => add(&op.bytes_out, *written as u64),
            Err(Error::OutputFull) => add(&op.output_full, 1),
            Err(_) => add(&op.errors, 1),
        }
    }

    /// Counts a block that went to software, and why.
    pub(crate) fn fell_back(&self, why: Fallback) {
        add(&self.shard().fallbacks[why as usize], 1);
    }

    pub(crate) fn engine(&self, engine: Engine) -> EngineStats {
        EngineStats {
            compress: self.op(engine, Direction::Compress),
            decompress: self.op(engine, Direction::Decompress),
        }
    }

    pub(crate) fn fallbacks(&self) -> Fallbacks {
        let mut sums = Fallbacks::default();
        for &fallback in Fallback::ALL {
            *sums.field(fallback) = self.sum(|shard| &shard.fallbacks[fallback as usize]);
        }
        sums
    }

    fn op(&self, engine: Engine, direction: Direction) -> OpStats {
        let sum = |cell: fn(&Op) -> &AtomicU64| {
            self.sum(|shard| cell(&shard.ops[engine as usize][direction as usize]))
        };
        OpStats {
            blocks: sum(|op| &op.blocks),
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
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static INDEX: Cell<usize> = const { Cell::new(usize::MAX) };
        }
        let index = INDEX.get();
        if index < SHARDS {
            return &self.shards[index];
        }
        let index = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
        INDEX.set(index);
        &self.shards[index]
    }
}

fn add(cell: &AtomicU64, n: u64) {
    cell.fetch_add(n, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fallback_has_its_own_field_and_is_part_of_the_total() {
        let counters = Counters::default();
        for (i, &fallback) in Fallback::ALL.iter().enumerate() {
            for _ in 0..=i {
                counters.fell_back(fallback);
            }
        }
        let fallbacks = counters.fallbacks();
        let counts = fallbacks.by_reason().map(|(_, count)| count);
        assert_eq!(counts.as_slice(), (1..=Fallback::COUNT as u64).collect::<Vec<_>>());
        assert_eq!(fallbacks.total(), counts.iter().sum::<u64>());
    }

    #[test]
    fn counts_of_all_threads_add_up() {
        let counters = Counters::default();
        let outcome = Outcome { bytes_in: 3, result: &Ok(2), time: Duration::from_nanos(5) };
        std::thread::scope(|scope| {
            for _ in 0..2 * SHARDS {
                scope.spawn(|| counters.answered(Engine::Software, Direction::Compress, outcome));
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
        assert_eq!(counters.engine(Engine::Software).compress, expected);
        assert_eq!(counters.engine(Engine::Accelerator), EngineStats::default());
    }
}
