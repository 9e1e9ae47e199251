//! Reads results of LZ77 as documented, and data to compress.

use rand::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;
use uadk_sys::abi::{
    LITERALS_RESERVE, MIN_MATCH, SEQUENCE_LEN, WD_DIR_COMPRESS, WD_LZ77_ZSTD, handle_t,
    lz77_capacity,
};

use super::{HERE, Job};

/// Literals, and a match after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sequence {
    pub(crate) literals: usize,
    pub(crate) length: usize,
    /// As the device wrote it: zstd's code, or the offset.
    pub(crate) code: u32,
    pub(crate) offset: usize,
}

/// A result of LZ77.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    pub(crate) literals: Vec<u8>,
    pub(crate) sequences: Vec<Sequence>,
}

/// Reads the result of a completed job. Trusts nothing.
pub(crate) fn parsed(alg_type: u32, job: &Job) -> Result<Parsed, &'static str> {
    let literals_capacity = job.src.len() + LITERALS_RESERVE;
    let literals = job.dst[..literals_capacity].get(..job.data.lit_num as usize);
    let literals = literals.ok_or("too many literals")?.to_vec();
    let len = (job.data.seq_num as usize).checked_mul(SEQUENCE_LEN).ok_or("too many sequences")?;
    let bytes = job.dst[literals_capacity..].get(..len).ok_or("too many sequences")?;
    let raw: Vec<_> = bytes
        .chunks_exact(SEQUENCE_LEN)
        .map(|raw| {
            let word = |at: usize| u32::from_le_bytes(raw[at..at + 4].try_into().unwrap());
            let half = |at: usize| u16::from_le_bytes(raw[at..at + 2].try_into().unwrap());
            (word(0), half(4), half(6))
        })
        .collect();
    let sequences = if alg_type == WD_LZ77_ZSTD { zstd(job, &raw)? } else { plain(&raw) };
    Ok(Parsed { literals, sequences })
}

fn plain(raw: &[(u32, u16, u16)]) -> Vec<Sequence> {
    let sequence = |&(literals, offset, length): &(u32, u16, u16)| Sequence {
        literals: literals as usize,
        length: usize::from(length) + MIN_MATCH,
        code: u32::from(offset) + 1,
        offset: usize::from(offset) + 1,
    };
    raw.iter().map(sequence).collect()
}

/// Resolves repeat codes by the rules of RFC 8878, 3.1.1.5.
fn zstd(job: &Job, raw: &[(u32, u16, u16)]) -> Result<Vec<Sequence>, &'static str> {
    let long = match job.data.lit_length_overflow_cnt {
        0 => None,
        1 => Some(job.data.lit_length_overflow_pos as usize),
        _ => return Err("more than one overflow"),
    };
    if long.is_some_and(|long| long >= raw.len()) {
        return Err("overflow of no sequence");
    }
    let mut repeats = [1, 4, 8];
    let resolve = |(index, &(code, literals, length)): (usize, &(u32, u16, u16))| {
        let overflow = if long == Some(index) { 65536 } else { 0 };
        let literals = usize::from(literals) + overflow;
        let which = code as usize + usize::from(literals == 0);
        let offset = match (code, which) {
            (0, _) => return Err("code 0"),
            (1..=3, 4) => repeats[0] - 1,
            (1..=3, which) => repeats[which - 1],
            _ => code as usize - 3,
        };
        if offset == 0 {
            return Err("offset 0");
        }
        match (code, which) {
            (1..=3, 1) => {}
            (1..=3, 2) => repeats = [offset, repeats[0], repeats[2]],
            _ => repeats = [offset, repeats[0], repeats[1]],
        }
        Ok(Sequence { literals, length: usize::from(length) + MIN_MATCH, code, offset })
    };
    raw.iter().enumerate().map(resolve).collect()
}

impl Parsed {
    /// Rebuilds the input.
    pub(crate) fn rebuilt(&self, len: usize, window: usize) -> Result<Vec<u8>, &'static str> {
        let mut rest = &self.literals[..];
        let mut out = Vec::new();
        for sequence in &self.sequences {
            let (literals, after) =
                rest.split_at_checked(sequence.literals).ok_or("not enough literals")?;
            rest = after;
            out.extend_from_slice(literals);
            if sequence.offset > out.len() {
                return Err("before the start");
            }
            if sequence.offset > window {
                return Err("beyond the window");
            }
            for _ in 0..sequence.length {
                out.push(out[out.len() - sequence.offset]);
            }
            if out.len() > len {
                return Err("too long");
            }
        }
        out.extend_from_slice(rest);
        if out.len() == len { Ok(out) } else { Err("wrong length") }
    }
}

/// Returns a window in bytes.
pub(crate) fn window(win_sz: u32) -> usize {
    [4, 8, 16, 24, 32][win_sz as usize] << 10
}

/// Returns a job with enough capacity for any result.
pub(crate) fn job(src: &[u8]) -> Box<Job> {
    Job::new(src, lz77_capacity(src.len()))
}

/// Submits a job and completes it.
pub(crate) fn run(session: handle_t, context: u32, job: &mut Job) {
    assert_eq!(HERE.submit(session, job, WD_DIR_COMPRESS), 0);
    assert_eq!(HERE.poll(context, 1), (0, 1));
}

/// Returns bytes without order.
pub(crate) fn random(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    Pcg64Mcg::seed_from_u64(len as u64).fill_bytes(&mut bytes);
    bytes
}

/// Returns bytes in which no three repeat: a counter of two bytes.
pub(crate) fn unique(len: usize) -> Vec<u8> {
    (0..u16::MAX).flat_map(u16::to_be_bytes).take(len).collect()
}

/// Returns lines of text with numbers.
pub(crate) fn lines(len: usize) -> Vec<u8> {
    let line = |number: u64| {
        let hash = number * number * 7919;
        format!("{{\"id\": {number}, \"hash\": {hash}}}\n")
    };
    let numbers = (7..).step_by(13);
    numbers.flat_map(|number| line(number).into_bytes()).take(len).collect()
}

/// Returns data of many kinds, each at most 128 KiB.
pub(crate) fn kinds() -> Vec<(&'static str, Vec<u8>)> {
    let source = include_str!("../../src/message.rs").repeat(2).into_bytes();
    let numbers = (0..20_000u32).flat_map(|i| (i / 7 % 1009).to_le_bytes()).collect();
    let mut mixed = random(20_000);
    mixed.extend(lines(30_000));
    mixed.extend(vec![0; 40_000]);
    mixed.extend(lines(31_000));
    let mut far = random(40_000);
    far.extend_from_within(..);
    let mut overflow = unique(70_000);
    overflow.extend_from_within(69_000..);
    overflow.extend_from_within(..100);
    let mut changed = random(500).repeat(200);
    changed.iter_mut().step_by(97).for_each(|byte| *byte ^= 1);
    vec![
        ("source", source),
        ("numbers", numbers),
        ("lines", lines(128 << 10)),
        ("mixed", mixed),
        ("far", far),
        ("overflow", overflow),
        ("changed", changed),
        ("random", random(128 << 10)),
        ("unique", unique(100_000)),
        ("zeros", vec![0; 128 << 10]),
        ("two bytes", [1, 2].repeat(60_000)),
        ("one byte", vec![9]),
        ("short", b"abcabcabcabc".to_vec()),
    ]
}
