//! Faults of the simulated device: a script for the simulator, varied.

use rand::Rng;
use rand_pcg::Pcg64Mcg;

/// Varies a script for the simulator (see tests/uadk-sim/src/lib.rs): another seed, and every fault
/// up to four times as often or as rare, or not at all.
pub(crate) fn vary(script: &str, random: &mut Pcg64Mcg) -> String {
    let words = script.split(';').map(str::trim).filter(|word| !word.is_empty());
    let varied = words.filter_map(|word| match word.split_once('=') {
        Some(("seed", _)) => Some(format!("seed={}", random.random::<u32>())),
        Some((fault, rate)) if rate.starts_with("1/") => vary_rate(fault, &rate[2..], random),
        _ => Some(word.to_owned()),
    });
    varied.collect::<Vec<_>>().join("; ")
}

/// Varies a fault that hits one request in so many, which are the first number of `rate`.
fn vary_rate(fault: &str, rate: &str, random: &mut Pcg64Mcg) -> Option<String> {
    let (requests, parameter) = rate.split_at(rate.find(':').unwrap_or(rate.len()));
    let Ok(requests) = requests.parse::<u32>() else {
        // The simulator names the wrong word.
        return Some(format!("{fault}=1/{rate}"));
    };
    let requests = match random.random_range(0..6) {
        0 => return None,
        shift => (requests << (shift - 1)) >> 2,
    };
    Some(format!("{fault}=1/{}{parameter}", requests.max(2)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::random::{Purpose, sequence};

    #[test]
    fn rates_and_the_seed_vary_and_parameters_stay() {
        let scripts: BTreeSet<_> = (0..100)
            .map(|round| {
                let mut random = sequence(1, round, Purpose::Faults);
                vary("machine=lz77; seed=7; status=1/200:67", &mut random)
            })
            .collect();
        assert!(scripts.len() > 90);
        let mut rates = BTreeSet::new();
        for script in &scripts {
            let words: Vec<_> = script.split("; ").collect();
            assert_eq!(words[0], "machine=lz77");
            assert!(words[1].starts_with("seed="), "{script}");
            rates.extend(words.get(2).copied());
        }
        let expected = [50, 100, 200, 400, 800].map(|n| format!("status=1/{n}:67"));
        assert_eq!(rates, expected.iter().map(String::as_str).collect());
    }

    #[test]
    fn words_that_are_not_understood_stay() {
        let mut random = sequence(1, 0, Purpose::Faults);
        assert_eq!(vary("memoise;busy=1/x; ", &mut random), "memoise; busy=1/x");
    }
}
