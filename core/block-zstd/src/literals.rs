//! The literals section of a block (RFC 8878, 3.1.1.3.1).

use alloc::boxed::Box;

use crate::bits::{BitWriter, Output};
use crate::histograms::{Histograms, LITERALS};
use crate::lengths::{Lengths, MAX_CODE};
use crate::tree::Tree;

/// Fewer literals gain nothing from codes: their description is too long.
const MIN_CODED: usize = 64;
/// From here on literals are written in four streams, which decode faster.
const MIN_FOUR_STREAMS: usize = 256;
/// Length of the header that states the lengths of streams.
const STREAM_LENS: u32 = 6;

/// Writes literals.
pub(crate) struct Literals {
    counts: Box<[u32; LITERALS]>,
    lengths: Lengths,
    /// An entry for each literal: see [`entry`](crate::bits::entry).
    codes: Box<[u64; LITERALS]>,
    tree: Tree,
}

/// How literals are written.
#[derive(Clone, Copy)]
enum Kind {
    Raw = 0,
    Rle = 1,
    Compressed = 2,
}

impl Literals {
    pub(crate) fn new() -> Self {
        Self {
            counts: Box::new([0; LITERALS]),
            lengths: Lengths::new(),
            codes: Box::new([0; LITERALS]),
            tree: Tree::new(),
        }
    }

    /// Writes the section at the start of the output and returns its length. Returns `None` if they
    /// don't fit.
    pub(crate) fn write(
        &mut self,
        literals: &[u8],
        histograms: &Histograms,
        out: &mut Output,
    ) -> Option<u32> {
        if let Some(len) = self.write_compressed(literals, histograms, out) {
            return Some(len);
        }
        let (kind, contents) = match literals {
            [first, rest @ ..] if rest.len() > 2 && rest.iter().all(|byte| byte == first) => {
                (Kind::Rle, &literals[..1])
            }
            _ => (Kind::Raw, literals),
        };
        let len = literals.len();
        let (format, header) = match len {
            0..32 => (len << 3, 1),
            32..4096 => (1 << 2 | len << 4, 2),
            _ => (3 << 2 | len << 4, 3),
        };
        let bits = kind as u32 | format as u32;
        out[..4].copy_from_slice(&bits.to_le_bytes());
        out.get_mut(header..)?.get_mut(..contents.len())?.copy_from_slice(contents);
        Some((header + contents.len()) as u32)
    }

    /// Writes the section compressed, unless that gains too little.
    fn write_compressed(
        &mut self,
        literals: &[u8],
        histograms: &Histograms,
        out: &mut Output,
    ) -> Option<u32> {
        if literals.len() < MIN_CODED {
            return None;
        }
        let counts = &mut *self.counts;
        histograms.literals(counts);
        let most = counts.iter().max().map_or(0, |&n| n as usize);
        // One literal alone can't be coded; almost evenly distributed ones gain nothing.
        if most == literals.len() || most <= (literals.len() >> 7) + 4 {
            return None;
        }
        self.lengths.make(counts, literals.len() as u32);
        let mut bits = 0;
        self.lengths.codes(|symbol, code, len| {
            self.codes[symbol] = code | u64::from(len);
            bits += counts[symbol] * len;
        });
        let (header, streams, format) = match literals.len() {
            0..MIN_FOUR_STREAMS => (3, 1, 0),
            MIN_FOUR_STREAMS..1024 => (3, 4, 1),
            1024..16384 => (4, 4, 2),
            _ => (5, 4, 3),
        };
        let tree = self.tree.write(&self.lengths, out, header)?;
        let least = (tree + bits / 8) as usize;
        // Decoding takes time too, which a small gain doesn't pay for.
        if least + (literals.len() >> 6) + 2 > literals.len() {
            return None;
        }
        let end = if streams == 1 {
            encode(&self.codes, literals, out, tree)?
        } else {
            self.write_four(literals, out, tree)?
        };
        let compressed = end - header;
        if compressed as usize >= literals.len() {
            return None;
        }
        let size_bits = [10, 10, 14, 18][format];
        let sizes = literals.len() as u64 | u64::from(compressed) << size_bits;
        let bits = Kind::Compressed as u64 | (format as u64) << 2 | sizes << 4;
        let header = header as usize;
        out[..header].copy_from_slice(&bits.to_le_bytes()[..header]);
        Some(end)
    }

    /// Writes four streams and their lengths.
    fn write_four(&self, literals: &[u8], out: &mut Output, at: u32) -> Option<u32> {
        let quarter = literals.len().div_ceil(4);
        let (first, rest) = literals.split_at(quarter);
        let (second, rest) = rest.split_at(quarter);
        let (third, fourth) = rest.split_at(quarter);
        let start = at + STREAM_LENS;
        let [first, half] = encode_two(&self.codes, [first, second], out, start)?;
        let [third, end] = encode_two(&self.codes, [third, fourth], out, half)?;
        let to = out.get_mut(at as usize..)?.get_mut(..STREAM_LENS as usize)?;
        for (to, len) in to.chunks_exact_mut(2).zip([first - start, half - first, third - half]) {
            to.copy_from_slice(&(len as u16).to_le_bytes());
        }
        Some(end)
    }
}

/// Literals between two flushes.
const GROUP: usize = 4;
const _: () = assert!(GROUP as u32 * MAX_CODE <= BitWriter::CAPACITY);

/// Writes a stream at `at`, the last literal first, and returns the position after it.
fn encode(codes: &[u64; LITERALS], literals: &[u8], out: &mut Output, at: u32) -> Option<u32> {
    let mut writer = BitWriter::new(at);
    for &literal in literals.iter().rev() {
        writer.put(codes[usize::from(literal)]);
        writer.flush(out)?;
    }
    writer.finish_backward(out)
}

/// Writes two streams, one after the other, and returns the positions after them.
///
/// They are written at the same time, since in each every literal waits for the one before. Then
/// the second is moved to the end of the first.
#[inline(never)]
fn encode_two(
    codes: &[u64; LITERALS],
    [a, b]: [&[u8]; 2],
    out: &mut Output,
    at: u32,
) -> Option<[u32; 2]> {
    let apart = at + (a.len() as u32 * MAX_CODE).div_ceil(8) + 16;
    let mut writers = [BitWriter::new(at), BitWriter::new(apart)];
    let common = a.len().min(b.len()) / GROUP * GROUP;
    let (a, a_rest) = a.split_at(common);
    let (b, b_rest) = b.split_at(common);
    for (writer, rest) in writers.iter_mut().zip([a_rest, b_rest]) {
        for &literal in rest.iter().rev() {
            writer.put(codes[usize::from(literal)]);
            writer.flush(out)?;
        }
    }
    let [mut first, mut second] = writers;
    let groups = a.as_chunks::<GROUP>().0.iter().zip(b.as_chunks::<GROUP>().0);
    for (a, b) in groups.rev() {
        for &literal in a.iter().rev() {
            first.put(codes[usize::from(literal)]);
        }
        first.flush(out)?;
        for &literal in b.iter().rev() {
            second.put(codes[usize::from(literal)]);
        }
        second.flush(out)?;
    }
    let first = first.finish_backward(out)?;
    let second = second.finish_backward(out)?;
    out.copy_within(apart as usize..second as usize, first as usize);
    Some([first, first + (second - apart)])
}
