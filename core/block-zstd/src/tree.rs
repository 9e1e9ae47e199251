//! The description of a Huffman code: the lengths as weights, compressed with FSE or in four bits
//! each (RFC 8878, 4.2.1).

use alloc::boxed::Box;

use crate::bits::{BitWriter, Output};
use crate::fse::{Scaled, Table};
use crate::lengths::{LITERALS, Lengths};
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
    table: Box<Table>,
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self { weights: [0; LITERALS], scaled: Scaled::new(), table: Box::new(Table::new()) }
    }

    /// Writes the description at `at` and returns the position after it. Returns `None` for the few
    /// codes that can't be described, which gain nothing.
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
        self.table.build(&self.scaled);
        let table = &self.table;
        let mut out = {
            let mut writer = BitWriter::new(out, at);
            self.scaled.describe(&mut writer)?;
            let at = writer.finish()?;
            BitWriter::new(out, at)
        };
        let weights = &self.weights[..len];
        let weight = |i: usize| usize::from(weights[i]);
        let mut states = [table.start(weight(len - 1)), table.start(weight(len - 2))];
        for i in (0..len - 2).rev() {
            states[(len - 1 - i) % 2].encode(table, weight(i), &mut out);
            if i % 4 == 0 {
                out.flush()?;
            }
        }
        // The state of the first weight is read first.
        let [even, odd] = if len % 2 == 1 { states } else { [states[1], states[0]] };
        odd.finish(table, &mut out);
        even.finish(table, &mut out);
        out.finish_backward()
    }
}

// Four weights, or both states, fit between flushes.
const _: () = assert!(4 * MAX_LOG < BitWriter::CAPACITY);
