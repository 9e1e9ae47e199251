//! The sequences section of a block (RFC 8878, 3.1.1.3.2).

use alloc::boxed::Box;

use crate::bits::{BitWriter, Output};
use crate::chooser::{Chooser, LITERAL_LENGTH, MATCH_LENGTH, OFFSET};
use crate::fse::{MAX_PENDING, State, Transitions};
use crate::planes::{self, Plane};
use crate::records::{Long, Record, Records};
use crate::scaled::{MAX_LOG, Scaled};
use crate::symbols::{
    LITERAL_SYMBOLS, Lengths, MATCH_SYMBOLS, MAX_OFFSET_EXTRA, MAX_SHORT_EXTRA, Offset,
    SHORT_LITERALS_EXTRA, SHORT_MATCHES_EXTRA, SYMBOLS,
};

/// Writes sequences.
pub(crate) struct Sequences {
    scaled: Scaled,
    planes: Box<Planes>,
}

/// Of each kind the transitions and the states, and the extra bits of short lengths.
type Planes = [Plane; 8];

impl Sequences {
    pub(crate) fn new() -> Self {
        let mut planes: Box<Planes> = planes::new();
        let [.., literals_extra, matches_extra] = &mut *planes;
        literals_extra[..SHORT_LITERALS_EXTRA.len()].copy_from_slice(&SHORT_LITERALS_EXTRA);
        matches_extra[..SHORT_MATCHES_EXTRA.len()].copy_from_slice(&SHORT_MATCHES_EXTRA);
        Self { scaled: Scaled::new(), planes }
    }

    /// Writes the section at `at` and returns the position after it. Returns `None` if it doesn't
    /// fit.
    pub(crate) fn write(&mut self, records: &Records, out: &mut Output, at: u32) -> Option<u32> {
        let total = records.list().len() as u32;
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

        let histograms = records.histograms();
        let Self { scaled, planes } = self;
        let [literals, literal_states, matches, match_states, offsets, offset_states, ..] =
            &mut **planes;
        let mut chooser = Chooser { total, scaled, out, at: modes_at as u32 + 1, modes: 0 };
        let (transitions, literal_log) =
            chooser.choose(&LITERAL_LENGTH, &histograms.literal_lengths(), literal_states)?;
        spread(&transitions, &LITERAL_SYMBOLS, literals);
        let (transitions, offset_log) =
            chooser.choose(&OFFSET, &histograms.offsets(), offset_states)?;
        offsets[..SYMBOLS].copy_from_slice(&transitions);
        let (transitions, match_log) =
            chooser.choose(&MATCH_LENGTH, &histograms.match_lengths(), match_states)?;
        spread(&transitions, &MATCH_SYMBOLS, matches);
        let Chooser { out, at, modes, .. } = chooser;
        *out.get_mut(modes_at)? = modes << 2;
        encode(planes, [literal_log, match_log, offset_log], records, out, at)
    }
}

/// Sets the transition of each index to that of its symbol.
fn spread(transitions: &Transitions, symbols: &[u8], to: &mut Plane) {
    for (to, &symbol) in to.iter_mut().zip(symbols) {
        *to = transitions[usize::from(symbol) % SYMBOLS];
    }
}

// The bits of three symbols, and the extra bits of short lengths, fit after a flush.
const _: () = assert!(7 + 3 * MAX_LOG <= MAX_PENDING);
const _: () = assert!(7 + 3 * MAX_LOG + MAX_SHORT_EXTRA + MAX_OFFSET_EXTRA <= 64);

/// Writes the stream of sequences at `at`, the last one first, and returns the position after it.
/// `logs` are those of the numbers of states of literal lengths, match lengths and offsets.
fn encode(
    planes: &Planes,
    logs: [u32; 3],
    records: &Records,
    out: &mut Output,
    at: u32,
) -> Option<u32> {
    let (records, long) = (records.list(), records.long());
    let last = records.first()?;
    let [
        literals,
        literal_states,
        matches,
        match_states,
        offsets,
        offset_states,
        literals_extra,
        matches_extra,
    ] = planes;
    let (Lengths { literals: i, match_len: j }, extra, long) = match long.split_last() {
        Some((last, before)) if last.at == 0 => (last.lengths, last.extra, before),
        _ => {
            let lengths = last.lengths();
            (lengths, short_extra([literals_extra, matches_extra], lengths), long)
        }
    };
    let mut writer = BitWriter::new(at);
    let mut states = States {
        literals: State::start(literals[usize::from(i)], literal_states),
        match_len: State::start(matches[usize::from(j)], match_states),
        offset: State::start(offsets[usize::from(last.symbol())], offset_states),
    };
    put_extra(extra, last.offset, last.symbol(), &mut writer);
    writer.flush(out)?;
    let mut next = 1;
    for &Long { at, lengths, extra } in long.iter().rev() {
        (states, writer) = encode_short(planes, records.get(next..at)?, states, writer, out)?;
        let (offset, symbol) = (records[at].offset, records[at].symbol());
        states.encode(planes, lengths, symbol, &mut writer);
        writer.flush(out)?;
        put_extra(extra, offset, symbol, &mut writer);
        writer.flush(out)?;
        next = at + 1;
    }
    (states, writer) = encode_short(planes, &records[next..], states, writer, out)?;
    let [literal_log, match_log, offset_log] = logs;
    states.match_len.finish(match_log, &mut writer);
    states.offset.finish(offset_log, &mut writer);
    states.literals.finish(literal_log, &mut writer);
    writer.finish_backward(out)
}

/// Writes sequences with short lengths, the last one first.
#[inline(never)]
fn encode_short(
    planes: &Planes,
    records: &[Record],
    states: States,
    writer: BitWriter,
    out: &mut Output,
) -> Option<(States, BitWriter)> {
    let [.., literals_extra, matches_extra] = planes;
    let (mut states, mut writer) = (states, writer);
    for &record in records {
        let (offset, symbol, lengths) = (record.offset, record.symbol(), record.lengths());
        states.encode(planes, lengths, symbol, &mut writer);
        let extra = short_extra([literals_extra, matches_extra], lengths);
        put_extra(extra, offset, symbol, &mut writer);
        writer.flush(out)?;
    }
    Some((states, writer))
}

/// The states of the three kinds of symbols.
struct States {
    literals: State,
    match_len: State,
    offset: State,
}

impl States {
    #[inline(always)]
    fn encode(
        &mut self,
        planes: &Planes,
        Lengths { literals: i, match_len: j }: Lengths,
        offset: u8,
        out: &mut BitWriter,
    ) {
        let [literals, literal_states, matches, match_states, offsets, offset_states, ..] = planes;
        self.offset.encode(offsets[usize::from(offset)], offset_states, out);
        self.match_len.encode(matches[usize::from(j)], match_states, out);
        self.literals.encode(literals[usize::from(i)], literal_states, out);
    }
}

/// Returns the extra bits of short lengths.
#[inline(always)]
fn short_extra([literals, matches]: [&Plane; 2], lengths: Lengths) -> [u64; 2] {
    let Lengths { literals: i, match_len: j } = lengths;
    [literals[usize::from(i)], matches[usize::from(j)]]
}

#[inline(always)]
fn put_extra([literals, match_len]: [u64; 2], offset: Offset, symbol: u8, out: &mut BitWriter) {
    let symbol = u64::from(symbol);
    out.put(literals);
    // Joined first, for a shorter chain of operations that wait for each other.
    out.put_top(match_len >> (symbol & 63) | offset.extra(), match_len.wrapping_add(symbol));
}
