//! What parsing gives: records of up to four literals and a match, and how often each symbol occurs.
//!
//! The records are laid out for emission, which then works without branches: four symbols of which
//! any may be absent, a length symbol and a distance symbol that may be "no match", and their extra
//! bits. To prepare this while parsing costs next to nothing, since parsing waits for memory and for
//! mispredicted branches most of the time; emission does not.

use alloc::boxed::Box;

use crate::input::POSITIONS;
use crate::symbols::{
    DISTANCE_BASE, DISTANCES, FIRST_LENGTH, LENGTH_SYMBOL, LITERALS, NEAREST, NO_MATCH,
    distance_symbol,
};

/// Each record covers at least four bytes, the last one and the first excepted.
const RECORDS: usize = POSITIONS / 4 + 16;

/// For each number of literals: 256, which is no literal, in the places that are left.
static ABSENT: [u64; 8] = [
    0x0100_0100_0100_0100,
    0x0100_0100_0100_0000,
    0x0100_0100_0000_0000,
    0x0100_0000_0000_0000,
    0,
    0,
    0,
    0,
];

/// The records of a block.
pub(crate) struct Tokens {
    arrays: Box<Arrays>,
    literals: usize,
    len: usize,
    length_counts: [u32; DISTANCES],
    distance_counts: [u32; DISTANCES],
}

/// An array for each part: parts are written as they become known.
struct Arrays {
    /// All literals, one behind the other, for counting.
    literals: [u8; POSITIONS + 16],
    /// The literals of each record as four 16-bit numbers.
    quads: [[u16; 4]; RECORDS],
    /// Length symbol, counted from the first one, or [`NO_MATCH`]; above eight bits the extra bits.
    lengths: [u16; RECORDS],
    /// Distance symbol, or [`NO_MATCH`].
    distances: [u8; RECORDS],
    /// The value of its extra bits.
    distance_extras: [u16; RECORDS],
}

impl Tokens {
    /// 290 KiB, made on the stack once.
    #[allow(clippy::large_stack_arrays)]
    pub(crate) fn new() -> Self {
        Self {
            arrays: Box::new(Arrays {
                literals: [0; POSITIONS + 16],
                quads: [[0; 4]; RECORDS],
                lengths: [0; RECORDS],
                distances: [0; RECORDS],
                distance_extras: [0; RECORDS],
            }),
            literals: 0,
            len: 0,
            length_counts: [0; DISTANCES],
            distance_counts: [0; DISTANCES],
        }
    }

    /// Starts anew.
    pub(crate) fn start(&mut self) -> Recorder<'_> {
        self.length_counts = [0; DISTANCES];
        self.distance_counts = [0; DISTANCES];
        Recorder {
            arrays: &mut self.arrays,
            literals: 0,
            len: 0,
            length_counts: &mut self.length_counts,
            distance_counts: &mut self.distance_counts,
            lens: (&mut self.literals, &mut self.len),
        }
    }

    /// The records: literals, length with extra bits, distance, its extra bits.
    pub(crate) fn records(&self) -> impl Iterator<Item = ([u16; 4], u16, u8, u16)> {
        let Arrays { quads, lengths, distances, distance_extras, .. } = &*self.arrays;
        let quads = quads[..self.len].iter();
        let matches = lengths.iter().zip(distances).zip(distance_extras);
        quads
            .zip(matches)
            .map(|(&quad, ((&length, &distance), &extra))| (quad, length, distance, extra))
    }

    /// Whether next to nothing of a block of `len` bytes is in matches.
    pub(crate) const fn matches_are_rare(&self, len: usize) -> bool {
        self.len > 64 && len - self.literals <= len / 64
    }

    /// How often each distance symbol occurs.
    pub(crate) const fn distance_counts(&self) -> &[u32; DISTANCES] {
        &self.distance_counts
    }

    /// How often each symbol of the literal and length alphabet occurs, the end of the block
    /// included.
    ///
    /// Four tables in turn: bytes of a kind follow each other, and an increment would have to wait
    /// for the one before it.
    pub(crate) fn literal_counts(&self) -> [u32; LITERALS] {
        let mut tables = [[0_u32; 256]; 4];
        let mut eights = self.arrays.literals[..self.literals].chunks_exact(8);
        for eight in &mut eights {
            for (i, &byte) in eight.iter().enumerate() {
                tables[i % 4][usize::from(byte)] += 1;
            }
        }
        for &byte in eights.remainder() {
            tables[0][usize::from(byte)] += 1;
        }
        let mut counts = [0; LITERALS];
        let [a, b, c, d] = &tables;
        for (i, count) in counts[..256].iter_mut().enumerate() {
            *count = a[i] + b[i] + c[i] + d[i];
        }
        counts[256] = 1;
        counts[FIRST_LENGTH..LITERALS]
            .copy_from_slice(&self.length_counts[..LITERALS - FIRST_LENGTH]);
        counts
    }
}

/// Takes down records. A value of its own, so that the compiler keeps the ends of the arrays in
/// registers.
pub(crate) struct Recorder<'a> {
    arrays: &'a mut Arrays,
    literals: usize,
    len: usize,
    length_counts: &'a mut [u32; DISTANCES],
    distance_counts: &'a mut [u32; DISTANCES],
    /// Where the lengths go in the end.
    lens: (&'a mut usize, &'a mut usize),
}

impl Recorder<'_> {
    /// A record of `literals` (at most four) of the four bytes, and no match.
    #[inline(always)]
    pub(crate) fn push_literals(&mut self, four: u32, literals: usize) {
        self.push(four, literals, u16::from(NO_MATCH), NO_MATCH, 0);
    }

    /// A record of `literals` (at most four) of the four bytes, and a match.
    #[inline(always)]
    pub(crate) fn push_match(&mut self, four: u32, literals: usize, len: usize, distance: u16) {
        debug_assert!((3..=258).contains(&len), "length {len}");
        let length = LENGTH_SYMBOL[len & 511];
        let less_one = distance.wrapping_sub(1);
        let symbol = distance_symbol(distance);
        self.length_counts[usize::from(length) & (DISTANCES - 1)] += 1;
        self.distance_counts[usize::from(symbol)] += 1;
        let extra = less_one.wrapping_sub(DISTANCE_BASE[usize::from(symbol)]);
        self.push(four, literals, length, symbol, extra);
    }

    #[inline(always)]
    fn push(&mut self, four: u32, literals: usize, length: u16, distance: u8, extra: u16) {
        let Arrays { literals: all, quads, lengths, distances, distance_extras } =
            &mut *self.arrays;
        all[self.literals..self.literals + 4].copy_from_slice(&four.to_le_bytes());
        self.literals += literals;
        let at = self.len;
        let quad = spread(four) | ABSENT[literals & 7];
        quads[at] = [quad as u16, (quad >> 16) as u16, (quad >> 32) as u16, (quad >> 48) as u16];
        lengths[at] = length;
        distances[at] = distance;
        distance_extras[at] = extra;
        self.len = at + 1;
    }

    /// Ends the block.
    pub(crate) const fn finish(self) {
        self.distance_counts[0] = self.distance_counts[NEAREST as usize];
        self.distance_counts[NEAREST as usize] = 0;
        *self.lens.0 = self.literals;
        *self.lens.1 = self.len;
    }
}

/// Each byte in 16 bits.
#[inline(always)]
fn spread(four: u32) -> u64 {
    let x = u64::from(four);
    let x = (x | x << 16) & 0x0000_ffff_0000_ffff;
    (x | x << 8) & 0x00ff_00ff_00ff_00ff
}
