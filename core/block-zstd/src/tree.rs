//! The description of a Huffman code: the lengths as weights, compressed with FSE or in four bits
//! each (RFC 8878, 4.2.1).

use alloc::boxed::Box;

use crate::bits::{BitWriter, Output};
use crate::fse::{self, State};
use crate::histograms::LITERALS;
use crate::lengths::Lengths;
use crate::planes::{self, Plane};
use crate::scaled::Scaled;
use crate::symbols::SYMBOLS;

/// The largest table for weights.
const MAX_LOG: u32 = 6;
/// Weights that can be written directly. Compressed ones must take fewer bytes than that.
const MAX_DIRECT: usize = 128;

/// Describes Huffman codes.
pub(crate) struct Tree {
    /// For each symbol 0, or one more than the difference between its length and the longest.
    weights: [u8; LITERALS],
    scaled: Scaled,
    /// Transitions and states.
    planes: Box<[Plane; 2]>,
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self { weights: [0; LITERALS], scaled: Scaled::new(), planes: planes::new() }
    }

    /// Writes the description at `at` and returns the position after it. Returns `None` for the few
    /// codes that can't be described, which gain nothing.
    #[inline(never)]
    pub(crate) fn write(&mut self, lengths: &Lengths, out: &mut Output, at: u32) -> Option<u32> {
        // The last weight is left out: it completes the code.
        let len = usize::from(lengths.last());
        let weights = &mut self.weights[..=len];
        weights.fill(0);
        let mut counts = [0_u32; SYMBOLS];
        let longest = lengths.longest();
        let mut present = 0;
        for (symbol, length) in lengths.iter() {
            let weight = longest + 1 - length;
            weights[symbol] = weight as u8;
            counts[weight as usize % SYMBOLS] += 1;
            present += 1;
        }
        counts[usize::from(weights[len]) % SYMBOLS] -= 1;
        counts[0] = len as u32 + 1 - present;

        let compressed = self.write_compressed(len, &counts, out, at + 1).map(|end| end - at - 1);
        let direct = len.div_ceil(2);
        match compressed {
            Some(bytes) if (bytes as usize) < direct.min(MAX_DIRECT) || direct > MAX_DIRECT / 2 => {
                *out.get_mut(at as usize)? = bytes as u8;
                ((bytes as usize) < MAX_DIRECT).then_some(at + 1 + bytes)
            }
            _ if len <= MAX_DIRECT => {
                let to = out.get_mut(at as usize..)?.get_mut(..=direct)?;
                to[0] = (MAX_DIRECT - 1 + len) as u8;
                for (pair, to) in self.weights[..len].chunks(2).zip(&mut to[1..]) {
                    *to = pair[0] << 4 | pair.get(1).unwrap_or(&0);
                }
                Some(at + 1 + direct as u32)
            }
            _ => None,
        }
    }

    /// Writes the first `len` weights, which occur this often, compressed. Two states take turns.
    #[inline(never)]
    fn write_compressed(
        &mut self,
        len: usize,
        counts: &[u32; SYMBOLS],
        out: &mut Output,
        at: u32,
    ) -> Option<u32> {
        if len < 3 || counts.iter().any(|&n| n as usize == len) {
            return None;
        }
        self.scaled.make(counts, len as u32, MAX_LOG);
        let [transitions, to] = &mut *self.planes;
        fse::build(&self.scaled, transitions, to);
        let log = self.scaled.log();
        let [transitions, next] = &*self.planes;
        let at = self.scaled.describe(out, at)?;
        let mut writer = BitWriter::new(at);
        let weights = &self.weights[..len];
        let transition = |i: usize| transitions[usize::from(weights[i])];
        let start = |i| State::start(transition(i), next);
        // The weights at even and at odd positions have a state each.
        let (mut even, mut odd, left) = if len.is_multiple_of(2) {
            (start(len - 2), start(len - 1), len - 2)
        } else {
            let (mut even, odd) = (start(len - 1), start(len - 2));
            even.encode(transition(len - 3), next, &mut writer);
            (even, odd, len - 3)
        };
        for i in (0..left).step_by(2).rev() {
            odd.encode(transition(i + 1), next, &mut writer);
            even.encode(transition(i), next, &mut writer);
            writer.flush(out)?;
        }
        // The state of the first weight is read first.
        odd.finish(log, &mut writer);
        even.finish(log, &mut writer);
        writer.finish_backward(out)
    }
}

// Three weights, or both states, fit between flushes.
const _: () = assert!(7 + 3 * MAX_LOG <= fse::MAX_PENDING);
