//! Random numbers that depend only on the seed and on what they are for.

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

/// What random numbers are for. Each use has its own sequence in each round, so that a new choice
/// in one does not change the others.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Round,
    Settings,
    Faults,
    Operations { thread: u32 },
}

/// Returns the sequence for one purpose in one round.
pub(crate) fn sequence(seed: u64, round: u32, purpose: Purpose) -> Pcg64Mcg {
    let purpose = match purpose {
        Purpose::Round => 0,
        Purpose::Settings => 1,
        Purpose::Faults => 2,
        Purpose::Operations { thread } => 3 + u64::from(thread),
    };
    Pcg64Mcg::seed_from_u64(mix(&[seed, u64::from(round), purpose]))
}

/// Combines numbers to one that depends on all of them.
pub(crate) fn mix(numbers: &[u64]) -> u64 {
    // The constants are those of SplitMix64 (Steele, Lea and Flood, 2014).
    numbers.iter().fold(0, |state: u64, number| {
        let mut z = (state ^ number).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}
