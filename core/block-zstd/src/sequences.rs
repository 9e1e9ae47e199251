//! The sequences section of a block (RFC 8878, 3.1.1.3.2).

use alloc::boxed::Box;

use crate::bits::{BitWriter, Output};
use crate::fse::{self, Scaled, Table};
use crate::log2::FRACTION_BITS;
use crate::records::Counts;
use crate::symbols::{LITERAL_LENGTHS, MATCH_LENGTHS, OFFSETS, SYMBOLS, Symbol};

/// With fewer sequences, a description of codes is longer than what they save.
const MIN_DESCRIBED: u32 = 24;
/// The largest table. Larger ones, up to the format's 9, gain next to nothing.
const MAX_LOG: u32 = 8;

/// How symbols of a kind are coded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Predefined = 0,
    Rle = 1,
    Described = 2,
}

/// One of literal lengths, match lengths and offsets.
struct Kind {
    predefined: Table,
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
        Self { predefined: Table::predefined(counts, log), costs }
    }
}

/// The format's predefined counts.
static LITERAL_LENGTH: Kind = Kind::new::<LITERAL_LENGTHS>(
    [
        4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1,
        1, 1, -1, -1, -1, -1,
    ],
    6,
);
static MATCH_LENGTH: Kind = Kind::new::<MATCH_LENGTHS>(
    [
        1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
    ],
    6,
);
static OFFSET: Kind = Kind::new::<29>(
    [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
    5,
);
const _: () = assert!(OFFSETS <= 29);

/// Writes sequences.
pub(crate) struct Sequences {
    scaled: Scaled,
    literal_length: Box<Table>,
    match_length: Box<Table>,
    offset: Box<Table>,
}

impl Sequences {
    pub(crate) fn new() -> Self {
        let table = || Box::new(Table::new());
        Self {
            scaled: Scaled::new(),
            literal_length: table(),
            match_length: table(),
            offset: table(),
        }
    }

    /// Writes the section at `at` and returns the position after it. Returns `None` if it doesn't
    /// fit.
    pub(crate) fn write(
        &mut self,
        records: &[Symbol],
        [literal_lengths, match_lengths, offsets]: &[Counts; 3],
        out: &mut Output,
        at: u32,
    ) -> Option<u32> {
        let total = records.len() as u32;
        let rest = total.wrapping_sub(0x7f00);
        let (number, len) = match total {
            0..128 => ([total as u8, 0, 0], 1),
            128..0x7f00 => ([(total >> 8) as u8 + 128, total as u8, 0], 2),
            _ => ([255, rest as u8, (rest >> 8) as u8], 3),
        };
        let modes_at = at as usize + len;
        out.get_mut(at as usize..modes_at)?.copy_from_slice(&number[..len]);
        if total == 0 {
            return Some(modes_at as u32);
        }
        let at = modes_at as u32 + 1;
        let Self { scaled, literal_length, match_length, offset } = self;
        let (ll_mode, literal_length, at) =
            choose(&LITERAL_LENGTH, literal_lengths, total, scaled, literal_length, out, at)?;
        let (of_mode, offset, at) = choose(&OFFSET, offsets, total, scaled, offset, out, at)?;
        let (ml_mode, match_length, at) =
            choose(&MATCH_LENGTH, match_lengths, total, scaled, match_length, out, at)?;
        let modes = (ll_mode as u8) << 6 | (of_mode as u8) << 4 | (ml_mode as u8) << 2;
        *out.get_mut(modes_at)? = modes;
        encode(records, literal_length, match_length, offset, out, at)
    }
}

/// Chooses how symbols are coded that occur this often, and writes the description at `at`. Returns
/// the table, and the position after the description.
fn choose<'a>(
    kind: &'static Kind,
    counts: &Counts,
    total: u32,
    scaled: &mut Scaled,
    table: &'a mut Table,
    out: &mut Output,
    at: u32,
) -> Option<(Mode, &'a Table, u32)> {
    let cost = |bytes: u32| (bytes * 8) << FRACTION_BITS;
    let pairs = counts.iter().zip(&kind.costs);
    let predefined: u32 = pairs.map(|(&n, &bits)| n * u32::from(bits)).sum();
    if let Some(symbol) = counts.iter().position(|&n| n == total) {
        if cost(1) < predefined {
            table.set_single(symbol);
            *out.get_mut(at as usize)? = symbol as u8;
            return Some((Mode::Rle, table, at + 1));
        }
    } else if total >= MIN_DESCRIBED {
        scaled.make(counts, total, MAX_LOG);
        let described = scaled.cost(counts);
        if described < predefined {
            let mut writer = BitWriter::new(out, at);
            scaled.describe(&mut writer)?;
            let end = writer.finish()?;
            if described + cost(end - at) < predefined {
                table.build(scaled);
                return Some((Mode::Described, table, end));
            }
        }
    }
    Some((Mode::Predefined, &kind.predefined, at))
}

/// More extra bits than this don't fit after a flush and the bits of three states.
const MAX_EXTRA: u32 = 64 - 7 - 3 * fse::MAX_LOG;

/// Writes the stream of sequences at `at`, the last one first, and returns the position after it.
#[inline(never)]
fn encode(
    records: &[Symbol],
    literal_length: &Table,
    match_length: &Table,
    offset: &Table,
    out: &mut Output,
    at: u32,
) -> Option<u32> {
    let (last, records) = records.split_last()?;
    let mut out = BitWriter::new(out, at);
    let mut literal_state = literal_length.start(last.literal_length());
    let mut match_state = match_length.start(last.match_length());
    let mut offset_state = offset.start(last.offset());
    out.put_top(last.bits, last.extra_bits());
    out.flush()?;
    for &record in records.iter().rev() {
        offset_state.encode(offset, record.offset(), &mut out);
        match_state.encode(match_length, record.match_length(), &mut out);
        literal_state.encode(literal_length, record.literal_length(), &mut out);
        if record.extra_bits() > MAX_EXTRA {
            out.flush()?;
        }
        out.put_top(record.bits, record.extra_bits());
        out.flush()?;
    }
    match_state.finish(match_length, &mut out);
    offset_state.finish(offset, &mut out);
    literal_state.finish(literal_length, &mut out);
    out.finish_backward()
}
