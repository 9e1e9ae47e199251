//! Makes an archive as small as it can be with the finding still there.

use crate::kit::mutate::mend;
use crate::kit::tarball::BLOCK;

/// So often the archive is tried.
const TRIES: usize = 600;

/// `still` says whether a smaller archive shows the same.
pub(crate) fn minimised(tar: &[u8], mut still: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut tries = TRIES;
    let mut check = |candidate: &[u8]| {
        tries = tries.saturating_sub(1);
        tries > 0 && still(candidate)
    };
    let mut best = tar.to_vec();
    // Entries first, then blocks: pieces of ever fewer blocks.
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
    // Then bytes, which become zeros.
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
