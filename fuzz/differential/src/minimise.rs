//! Shrinks an archive as far as possible while it still shows the finding.

use crate::kit::mutate::mend;
use crate::kit::tarball::BLOCK;

/// Maximum number of candidates tried.
const TRIES: usize = 600;

/// Returns a smaller archive. `shows_finding` returns whether a candidate still shows the finding.
pub(crate) fn minimised(tar: &[u8], mut shows_finding: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut tries = TRIES;
    let mut check = |candidate: &[u8]| {
        tries = tries.saturating_sub(1);
        tries > 0 && shows_finding(candidate)
    };
    let mut best = tar.to_vec();
    // Removes chunks, halving their size: entries first, then single blocks.
    let mut len = (best.len() / BLOCK).next_power_of_two() * BLOCK;
    while len >= BLOCK {
        let mut at = 0;
        while at < best.len() {
            let mut candidate = best.clone();
            candidate.drain(at..(at + len).min(best.len()));
            if check(&candidate) {
                best = candidate;
            } else {
                at += len;
            }
        }
        len /= 2;
    }
    // Then replaces bytes with zeros.
    let mut len = BLOCK / 4;
    while len >= 4 {
        for at in (0..best.len()).step_by(len) {
            let mut candidate = best.clone();
            let end = (at + len).min(best.len());
            if candidate[at..end].iter().all(|byte| *byte == 0) {
                continue;
            }
            candidate[at..end].fill(0);
            mend(&mut candidate);
            if check(&candidate) {
                best = candidate;
            }
        }
        len /= 2;
    }
    best
}
