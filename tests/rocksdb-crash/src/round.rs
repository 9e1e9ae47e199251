//! Everything that is chosen for a round.

use std::fmt;
use std::time::Duration;

use rand::Rng;
use rand_pcg::Pcg64Mcg;

use crate::operations::Operations;
use crate::random::{Purpose, sequence};
use crate::settings::Settings;

/// If the writer has not been killed otherwise, this many acknowledgements end the round.
pub(crate) const MAX_ACKNOWLEDGED: u32 = 4000;

/// The choices for a round, which depend on its seed and number alone.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    pub(crate) seed: u64,
    pub(crate) number: u32,
    /// Threads that write.
    pub(crate) threads: u32,
    pub(crate) settings: Settings,
    pub(crate) kill: Kill,
    /// Whether RocksDB without us reads the database first.
    pub(crate) with_oracle: bool,
}

/// When the writer is killed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kill {
    /// After so many acknowledgements, and then a delay.
    Acknowledged { count: u32, delay: Duration },
    /// While a thread, which may be RocksDB's own, compresses this block.
    Block { number: u32 },
    /// Soon after its start, so perhaps during recovery.
    Started { delay: Duration },
}

impl Round {
    pub(crate) fn new(seed: u64, number: u32) -> Self {
        let mut random = sequence(seed, number, Purpose::Round);
        let threads = random.random_range(1..=4);
        let kill = match random.random_range(0..10) {
            0..5 => Kill::Acknowledged {
                count: up_to_two_to(13, &mut random),
                delay: Duration::from_micros(up_to_two_to(15, &mut random).into()),
            },
            5..9 => Kill::Block { number: up_to_two_to(13, &mut random) },
            _ => {
                Kill::Started { delay: Duration::from_millis(up_to_two_to(7, &mut random).into()) }
            }
        };
        Self {
            seed,
            number,
            threads,
            settings: Settings::random(&mut sequence(seed, number, Purpose::Settings)),
            kill,
            with_oracle: random.random_ratio(1, 3),
        }
    }

    pub(crate) fn operations(&self, thread: u32) -> Operations {
        Operations::new(self.seed, self.number, thread, self.threads)
    }

    /// Returns the simulator's script for this round.
    pub(crate) fn faults(&self, script: &str) -> String {
        crate::faults::vary(script, &mut sequence(self.seed, self.number, Purpose::Faults))
    }
}

/// Returns a number of any order of magnitude.
fn up_to_two_to(exponent: u32, random: &mut Pcg64Mcg) -> u32 {
    let most = 1 << random.random_range(0..=exponent);
    random.random_range(1..=most)
}

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acknowledged { count, delay } => {
                write!(f, "killed {delay:?} after acknowledgement {count}")
            }
            Self::Block { number } => write!(f, "killed while compressing block {number}"),
            Self::Started { delay } => write!(f, "killed {delay:?} after its start"),
        }
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, threads, settings, kill, .. } = self;
        write!(f, "round {number}: {threads} threads, {kill}\n{settings}")
    }
}
