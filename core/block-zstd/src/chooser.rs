//! Chooses how the symbols of sequences are coded: as predefined, as a single one, or as described
//! (RFC 8878, 3.1.1.3.2.1).

use crate::bits::Output;
use crate::fse::{self, Predefined, Transitions};
use crate::histograms::Counts;
use crate::log2::FRACTION_BITS;
use crate::planes::Plane;
use crate::scaled::{MAX_LOG, Scaled};
use crate::symbols::SYMBOLS;

/// With fewer sequences, a description of codes is longer than what they save.
const MIN_DESCRIBED: u32 = 24;

/// How symbols of a kind are coded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Predefined = 0,
    Rle = 1,
    Described = 2,
}

/// One of literal lengths, match lengths and offsets.
pub(crate) struct Kind {
    predefined: Predefined,
    /// Bits that each symbol takes with that, as a fraction of `1 << FRACTION_BITS`.
    costs: [u16; SYMBOLS],
}

impl Kind {
    const fn new<const N: usize>(counts: [i8; N], log: u32) -> Self {
        let mut costs = [0; SYMBOLS];
        let mut symbol = 0;
        while symbol < N {
            // None is above 4.
            let log2 = [0, 0, 1 << FRACTION_BITS, 1623, 2 << FRACTION_BITS];
            let count = counts[symbol].unsigned_abs() as usize;
            costs[symbol] = ((log as u16) << FRACTION_BITS) - log2[count];
            symbol += 1;
        }
        Self { predefined: Predefined::new(counts, log), costs }
    }
}

/// The format's predefined counts.
pub(crate) static LITERAL_LENGTH: Kind = Kind::new(
    [
        4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1,
        1, 1, -1, -1, -1, -1,
    ],
    6,
);
pub(crate) static MATCH_LENGTH: Kind = Kind::new(
    [
        1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
    ],
    6,
);
pub(crate) static OFFSET: Kind = Kind::new(
    [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
    5,
);

/// Chooses how symbols are coded, and writes descriptions.
pub(crate) struct Chooser<'a> {
    /// Number of sequences.
    pub(crate) total: u32,
    pub(crate) scaled: &'a mut Scaled,
    pub(crate) out: &'a mut Output,
    /// Position in the output.
    pub(crate) at: u32,
    /// The modes so far, two bits each.
    pub(crate) modes: u8,
}

impl Chooser<'_> {
    /// Chooses the mode for symbols of a kind that occur this often, and writes the description.
    /// Returns the transitions, and the binary logarithm of the number of states.
    pub(crate) fn choose(
        &mut self,
        kind: &Kind,
        counts: &Counts,
        states: &mut Plane,
    ) -> Option<(Transitions, u32)> {
        let cost = |bytes: u32| (bytes * 8) << FRACTION_BITS;
        let pairs = counts.iter().zip(&kind.costs);
        let predefined: u32 = pairs.map(|(&n, &bits)| n * u32::from(bits)).sum();
        let total = self.total;
        self.modes <<= 2;
        if let Some(symbol) = counts.iter().position(|&n| n == total) {
            if cost(1) < predefined {
                self.modes |= Mode::Rle as u8;
                *self.out.get_mut(self.at as usize)? = symbol as u8;
                self.at += 1;
                // It takes no bits: there is one state, 0.
                states[0] = 0;
                return Some(([0; SYMBOLS], 0));
            }
        } else if total >= MIN_DESCRIBED {
            self.scaled.make(counts, total, MAX_LOG);
            let described = self.scaled.cost(counts);
            if described < predefined {
                let end = self.scaled.describe(self.out, self.at)?;
                if described + cost(end - self.at) < predefined {
                    self.modes |= Mode::Described as u8;
                    self.at = end;
                    let mut transitions = [0; SYMBOLS];
                    fse::build(self.scaled, &mut transitions, states);
                    return Some((transitions, self.scaled.log()));
                }
            }
        }
        self.modes |= Mode::Predefined as u8;
        let Predefined { transitions, states: from, log } = &kind.predefined;
        states[..from.len()].copy_from_slice(from);
        Some((*transitions, *log))
    }
}
