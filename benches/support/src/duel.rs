//! Two codecs on the same blocks, measured in turns.

use crate::cpu::measure_thread;

const ROUNDS: usize = 21;
/// Blocks per turn: a millisecond or so.
const CHUNK: usize = 64;

/// Returns the CPU microseconds per block of both sides, with an output buffer of `capacity` bytes.
///
/// The sides alternate on each chunk of blocks, and the cheapest time of all rounds counts for each
/// chunk: other load on the machine affects single chunks, and both sides alike.
pub fn duel(
    blocks: &[&[u8]],
    capacity: usize,
    mut ours: impl FnMut(&[u8], &mut [u8]) -> usize,
    mut theirs: impl FnMut(&[u8], &mut [u8]) -> usize,
) -> (f64, f64) {
    let mut dst = vec![0; capacity];
    let mut cheapest = vec![[f64::INFINITY; 2]; blocks.len().div_ceil(CHUNK)];
    for round in 0..ROUNDS {
        for (chunk, best) in blocks.chunks(CHUNK).zip(&mut cheapest) {
            // The second side finds the chunk in the cache, so the order alternates.
            for side in [round % 2, 1 - round % 2] {
                let ((), cost) = measure_thread(|| {
                    for block in chunk {
                        let _ =
                            if side == 0 { ours(block, &mut dst) } else { theirs(block, &mut dst) };
                    }
                });
                best[side] = best[side].min(cost.cpu.as_secs_f64());
            }
        }
    }
    let micros = |side: usize| {
        cheapest.iter().map(|best| best[side]).sum::<f64>() * 1e6 / blocks.len() as f64
    };
    (micros(0), micros(1))
}

/// Compresses blocks and returns the results, to be decompressed in a [`duel`]. `capacity` bytes
/// suffice for each.
///
/// # Errors
///
/// Fails if `compress` does.
pub fn compress_all<E>(
    blocks: &[&[u8]],
    capacity: usize,
    compress: impl Fn(&[u8], &mut [u8]) -> Result<usize, E>,
) -> Result<Vec<Vec<u8>>, E> {
    let mut dst = vec![0; capacity];
    let one = |block: &&[u8]| {
        let len = compress(block, &mut dst)?;
        Ok(dst[..len].to_vec())
    };
    blocks.iter().map(one).collect()
}
