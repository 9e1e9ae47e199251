//! Inputs of many kinds.

use std::fmt::Write;

use block_zstd::Sequence;
use rand::Rng;
use rand_pcg::Pcg64Mcg;

/// A kind of input: makes `len` bytes.
pub type Maker = fn(&mut Pcg64Mcg, usize) -> Vec<u8>;

/// Inputs as in practice, and their names.
pub const KINDS: [(&str, Maker); 5] =
    [("text", text), ("json", json), ("table", table), ("code", code), ("pages", pages)];

/// Returns prose: words of a vocabulary, frequent ones more often.
pub fn text(rng: &mut Pcg64Mcg, len: usize) -> Vec<u8> {
    let vocabulary: Vec<String> = (0..3000)
        .map(|_| {
            let letters = rng.random_range(1..10);
            (0..letters)
                .map(|_| char::from(b"etaoinshrdlucmfwypvbgkjqxz"[skewed(rng, 26)]))
                .collect()
        })
        .collect();
    let mut out = Vec::with_capacity(len + 20);
    while out.len() < len {
        out.extend_from_slice(vocabulary[skewed(rng, vocabulary.len())].as_bytes());
        out.extend_from_slice(match rng.random_range(0..15) {
            0 => b", ",
            1 => b". ",
            2 => b"\n",
            _ => b" ",
        });
    }
    out.truncate(len);
    out
}

/// Returns records with the same fields and different values.
pub fn json(rng: &mut Pcg64Mcg, len: usize) -> Vec<u8> {
    let mut out = String::new();
    let mut id = 1000;
    while out.len() < len {
        id += rng.random_range(1..5);
        let level = ["info", "warning", "error"][skewed(rng, 3)];
        let (user, value): (u32, f32) = (rng.random_range(0..500), rng.random());
        let _ = writeln!(
            out,
            "{{\"id\":{id},\"level\":\"{level}\",\"user\":\"user-{user}\",\"value\":{value},\
             \"time\":\"2026-01-{:02}T{:02}:{:02}:07Z\",\"tags\":[]}}",
            id % 28 + 1,
            id % 24,
            user % 60
        );
    }
    out.truncate(len);
    out.into_bytes()
}

/// Returns rows of numbers as text.
pub fn table(rng: &mut Pcg64Mcg, len: usize) -> Vec<u8> {
    let mut out = String::new();
    let mut sum = 0_u32;
    while out.len() < len {
        sum += rng.random_range(0..1000);
        let _ = writeln!(out, "{sum},{},{}", rng.random_range(0..100), skewed(rng, 7));
    }
    out.truncate(len);
    out.into_bytes()
}

/// Returns words of 32 bits in which fields repeat, as in programs.
pub fn code(rng: &mut Pcg64Mcg, len: usize) -> Vec<u8> {
    let operations: Vec<u16> = (0..200).map(|_| rng.random()).collect();
    let mut out = Vec::with_capacity(len + 4);
    while out.len() < len {
        out.extend_from_slice(&operations[skewed(rng, 200)].to_le_bytes());
        out.push(skewed(rng, 16) as u8 * 8);
        out.push(if rng.random_ratio(1, 4) { rng.random() } else { 0x40 });
    }
    out.truncate(len);
    out
}

/// Returns structures with pointers, small numbers and zeros, as in memory.
pub fn pages(rng: &mut Pcg64Mcg, len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(len + 200);
    while out.len() < len {
        match rng.random_range(0..4) {
            0 => out.resize(out.len() + 8 * rng.random_range(1..20), 0),
            1 => {
                let pointer = 0x7f32_a400_0000_u64 + 16 * rng.random_range(0..100_000_u64);
                out.extend_from_slice(&pointer.to_le_bytes());
            }
            2 => out.extend_from_slice(&(skewed(rng, 1000) as u64).to_le_bytes()),
            _ => out.extend_from_slice(b"name\0\0\0\0"),
        }
    }
    out.truncate(len);
    out
}

/// Returns a number below `n`; small ones are more frequent.
fn skewed(rng: &mut Pcg64Mcg, n: usize) -> usize {
    (0..3).fold(n, |n, _| if n > 1 { rng.random_range(0..n) + 1 } else { n }) - 1
}

/// Returns a number up to a random power of two, whose exponent is at most `bits`.
fn up_to_power(rng: &mut Pcg64Mcg, bits: u32) -> usize {
    let bits = rng.random_range(0..=bits);
    rng.random_range(0..=1 << bits)
}

/// Returns `len` bytes of a random kind, extreme ones too.
pub fn any(rng: &mut Pcg64Mcg, len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len + 300);
    match rng.random_range(0..13) {
        // Random, of a large or a small alphabet.
        0 => bytes.extend((0..len).map(|_| rng.random::<u8>())),
        1 => {
            let alphabet = rng.random_range(1..=255_u8);
            bytes.extend((0..len).map(|_| rng.random_range(0..alphabet)));
        }
        2 => bytes.extend((0..len).map(|_| 200 + rng.random_range(0..2_u8))),
        // Skewed.
        3 => bytes
            .extend((0..len).map(|_| rng.random::<u8>() & rng.random::<u8>() & rng.random::<u8>())),
        // Runs.
        4 => {
            while bytes.len() < len {
                let longest = 2 << rng.random_range(0..9);
                let run = rng.random_range(1..=longest);
                bytes.extend(std::iter::repeat_n(rng.random::<u8>(), run));
            }
        }
        // Constant, or nearly.
        5 => {
            bytes.resize(len, rng.random::<u8>());
            if len > 0 && rng.random_bool(0.5) {
                let at = rng.random_range(0..len);
                bytes[at] ^= 1;
            }
        }
        // Pieces of several kinds.
        6 => {
            let longest = rng.random_range(1..=30_000);
            while bytes.len() < len {
                let piece = rng.random_range(1..=longest);
                bytes.extend(any(rng, piece));
            }
        }
        7 => return from_sequences(rng, len).0,
        kind => return KINDS[kind - 8].1(rng, len),
    }
    bytes.truncate(len);
    bytes
}

/// Returns about `len` bytes made from random sequences, and these: all kinds of lengths and
/// offsets, without literals, and with repeated offsets.
pub fn from_sequences(rng: &mut Pcg64Mcg, len: usize) -> (Vec<u8>, Vec<Sequence>) {
    let mut bytes = Vec::with_capacity(len);
    let mut sequences: Vec<Sequence> = Vec::new();
    let alphabet = rng.random_range(1..=255_u8);
    let longest = (rng.random_range(0..10), rng.random_range(0..14));
    let repeats = rng.random_range(1..10);
    loop {
        let literals = up_to_power(rng, longest.0);
        let match_len = 3 + up_to_power(rng, longest.1);
        if bytes.len() + literals + match_len > len || bytes.len() + literals == 0 {
            break;
        }
        bytes.extend((0..literals).map(|_| rng.random_range(0..=alphabet)));
        let near = (1 + up_to_power(rng, 17)).min(bytes.len());
        let repeated = sequences.len().saturating_sub(rng.random_range(1..4));
        let offset = match sequences.get(repeated) {
            Some(last) if rng.random_ratio(repeats, 10) => {
                // One less for a special case of the format.
                (last.offset as usize - rng.random_range(0..2)).max(1)
            }
            _ => near,
        };
        for _ in 0..match_len {
            bytes.push(bytes[bytes.len() - offset]);
        }
        sequences.push(Sequence {
            literals: literals as u32,
            match_len: match_len as u32,
            offset: offset as u32,
        });
    }
    let rest = if bytes.is_empty() { 0 } else { rng.random_range(0..=len - bytes.len()) };
    bytes.extend((0..rest).map(|_| rng.random_range(0..=alphabet)));
    (bytes, sequences)
}
