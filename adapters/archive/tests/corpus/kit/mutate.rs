//! Mutated archives: those of the corpus, changed where it matters.

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::cases::Case;
use super::odd;
use super::tarball::{BLOCK, FIELDS, Header, MAGIC, Tarball, record, seal};

/// Longer archives find nothing more.
const LONGEST: usize = 64 << 10;

/// Returns archive number `n` of a seed.
pub(crate) fn archive(cases: &[Case], seed: u64, n: u64) -> Vec<u8> {
    let numbers = &mut Pcg64Mcg::seed_from_u64(seed << 40 | n);
    let seed = |numbers: &mut _| cases.choose(numbers).expect("not empty").tar.clone();
    let mut tar = seed(numbers);
    for _ in 0..numbers.random_range(1..=4) {
        match numbers.random_range(0..12) {
            0..4 => change_field(&mut tar, numbers),
            4 => change_bytes(&mut tar, numbers),
            5 => change_digit(&mut tar, numbers),
            6 => change_blocks(&mut tar, numbers),
            7 => splice(&mut tar, &seed(numbers), numbers),
            8 => insert(&mut tar, &extension(numbers), numbers),
            9 => insert(&mut tar, &long_name(numbers), numbers),
            10 => insert(&mut tar, &link(numbers), numbers),
            _ => cut(&mut tar, numbers),
        }
    }
    tar.truncate(LONGEST);
    // Otherwise most changes would only be seen as a wrong checksum.
    let keep_wrong = numbers.random_bool(0.05);
    if !keep_wrong {
        mend(&mut tar);
    }
    tar
}

/// Corrects the checksums of headers.
pub(crate) fn mend(tar: &mut [u8]) {
    headers(tar).for_each(seal);
}

/// Returns the blocks that have the magic of a header.
fn headers(tar: &mut [u8]) -> impl Iterator<Item = &mut [u8]> {
    let is_header = |block: &&mut [u8]| block[MAGIC.start..].starts_with(b"ustar");
    tar.chunks_exact_mut(BLOCK).filter(is_header)
}

fn change_field(tar: &mut [u8], numbers: &mut impl Rng) {
    let mut blocks: Vec<_> = headers(tar).collect();
    if blocks.is_empty() {
        return;
    }
    let block = numbers.random_range(0..blocks.len());
    let field = FIELDS.choose(numbers).expect("not empty");
    let value = &mut blocks[block][field.start..field.start + field.len];
    if field.len == 1 {
        value[0] = *b"0123456789DKLMNSVXgx".choose(numbers).expect("not empty");
    } else if numbers.random_bool(0.7) {
        let values = odd::values(*field);
        value.copy_from_slice(&values.choose(numbers).expect("not empty").1);
    } else {
        let at = numbers.random_range(0..value.len());
        value[at] = numbers.random();
    }
}

fn change_bytes(tar: &mut [u8], numbers: &mut impl Rng) {
    for _ in 0..numbers.random_range(1..4) {
        if !tar.is_empty() {
            let at = numbers.random_range(0..tar.len());
            tar[at] ^= 1 << numbers.random_range(0..8);
        }
    }
}

/// Changes a digit. Most digits are those of sizes, offsets and lengths.
fn change_digit(tar: &mut [u8], numbers: &mut impl Rng) {
    let digits: Vec<_> = (0..tar.len()).filter(|at| tar[*at].is_ascii_digit()).collect();
    if let Some(at) = digits.choose(numbers) {
        tar[*at] = *b"0123456789 -.x\n\0".choose(numbers).expect("not empty");
    }
}

fn change_blocks(tar: &mut Vec<u8>, numbers: &mut impl Rng) {
    let blocks = tar.len() / BLOCK;
    if blocks == 0 {
        return;
    }
    let at = numbers.random_range(0..blocks) * BLOCK;
    let block = tar[at..at + BLOCK].to_vec();
    match numbers.random_range(0..5) {
        0 => drop(tar.drain(at..at + BLOCK)),
        1 => drop(tar.splice(at..at, block)),
        2 => drop(tar.splice(at..at, [0; BLOCK])),
        3 => {
            let to = numbers.random_range(0..blocks) * BLOCK;
            tar.copy_within(at..at + BLOCK, to);
        }
        _ => {
            let garbage = (0..BLOCK).map(|_| numbers.random()).collect::<Vec<u8>>();
            tar.splice(at..at, garbage);
        }
    }
}

/// Inserts blocks of another archive at a random position.
fn splice(tar: &mut Vec<u8>, other: &[u8], numbers: &mut impl Rng) {
    let blocks = other.len() / BLOCK;
    if blocks > 0 {
        let from = numbers.random_range(0..blocks);
        let to = numbers.random_range(from..blocks) + 1;
        insert(tar, &other[from * BLOCK..to * BLOCK], numbers);
    }
}

fn insert(tar: &mut Vec<u8>, bytes: &[u8], numbers: &mut impl Rng) {
    let at = numbers.random_range(0..=tar.len() / BLOCK) * BLOCK;
    tar.splice(at..at, bytes.iter().copied());
}

fn cut(tar: &mut Vec<u8>, numbers: &mut impl Rng) {
    let mut len = numbers.random_range(0..=tar.len());
    if numbers.random_bool(0.5) {
        len -= len % BLOCK;
    }
    tar.truncate(len);
}

const KEYS: [&[u8]; 14] = [
    b"path",
    b"linkpath",
    b"size",
    b"mtime",
    b"uid",
    b"hdrcharset",
    b"GNU.sparse.major",
    b"GNU.sparse.minor",
    b"GNU.sparse.name",
    b"GNU.sparse.realsize",
    b"GNU.sparse.size",
    b"GNU.sparse.map",
    b"GNU.sparse.offset",
    b"GNU.sparse.numbytes",
];

const VALUES: [&[u8]; 20] = [
    b"",
    b"0",
    b"1",
    b"5",
    b"512",
    b"600",
    b"1000",
    b"4096",
    b"-1",
    b"0,512",
    b"512,512,2048,0",
    b"odd",
    b"new/",
    b"folder/new",
    b"/odd",
    b"../odd",
    b"before.txt",
    b"x",
    b"1.5",
    b"\xff\0z",
];

fn extension(numbers: &mut impl Rng) -> Vec<u8> {
    let mut records = Vec::new();
    for _ in 0..numbers.random_range(1..5) {
        let key = KEYS.choose(numbers).expect("not empty");
        records.extend(record(key, VALUES.choose(numbers).expect("not empty")));
    }
    let kind = if numbers.random_bool(0.8) { b'x' } else { b'g' };
    Tarball::default().pax(kind, &records).open_end()
}

fn long_name(numbers: &mut impl Rng) -> Vec<u8> {
    let kind = if numbers.random_bool(0.5) { b'L' } else { b'K' };
    let name = VALUES.choose(numbers).expect("not empty");
    Tarball::default().long(kind, name).open_end()
}

const NAMES: [&[u8]; 10] = [
    b"odd",
    b"odd/in",
    b"folder",
    b"folder/in",
    b"before.txt",
    b"after.txt",
    b"s",
    b"s/in",
    b"..",
    b"/odd",
];

/// Returns an entry that may be in the way of another one, or a link to another one.
fn link(numbers: &mut impl Rng) -> Vec<u8> {
    let mut name = || NAMES.choose(numbers).expect("not empty");
    let (name, target) = (name(), name());
    let kind = *b"0125556".choose(numbers).expect("not empty");
    let mut tarball = Tarball::default();
    if kind == b'0' {
        tarball.entry(&Header::ustar(name, kind, 5), b"entry");
    } else {
        tarball.link(kind, name, if matches!(kind, b'1' | b'2') { target } else { b"" });
    }
    tarball.open_end()
}
