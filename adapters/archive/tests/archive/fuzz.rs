//! The bodies of the fuzz targets, run on random bytes and on mutated real files.

use rand::Rng;
use uadk_compress_archive::fuzzing;

use crate::common::{noise, options, seeded, write_sample};

/// Changes, cuts, repeats and inserts some bytes.
pub(crate) fn mutate(bytes: &[u8], numbers: &mut impl Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=numbers.random_range(0..6) {
        let at = numbers.random_range(0..bytes.len().max(1));
        match numbers.random_range(0..5) {
            0 if !bytes.is_empty() => bytes[at] = numbers.random(),
            1 if !bytes.is_empty() => bytes[at] ^= 1 << numbers.random_range(0..8),
            2 => bytes.truncate(at),
            3 => {
                let piece: Vec<u8> =
                    bytes[at..].iter().copied().take(numbers.random_range(0..300)).collect();
                bytes.splice(at..at, piece);
            }
            _ => drop(bytes.splice(at..at, noise(numbers.random_range(0..40), numbers.random()))),
        }
        if bytes.is_empty() {
            bytes.push(0x1f);
        }
    }
    bytes
}

fn small() -> Vec<u8> {
    let mut archive = options(1).writer(Vec::new()).expect("an archive");
    for i in 0..30 {
        archive
            .append_bytes(format!("some/dir/{i}"), &vec![i; 40 * usize::from(i)])
            .expect("writes to memory");
    }
    archive.finish().expect("writes to memory")
}

#[test]
fn reading_anything_as_block_gzip_does_not_panic() {
    let mut numbers = seeded(1);
    let seeds = [
        small(),
        include_bytes!("../fixtures/crabz-mgzip.tar.gz").to_vec(),
        include_bytes!("../fixtures/crabz-gzip.tar.gz").to_vec(),
    ];
    for round in 0..1500 {
        fuzzing::gzip(&mutate(&seeds[round % seeds.len()], &mut numbers));
        fuzzing::gzip(&noise(numbers.random_range(0..200), numbers.random()));
    }
}

#[test]
fn reading_anything_as_an_index_does_not_panic() {
    let mut numbers = seeded(2);
    let file = small();
    let tail = &file[file.len() - 700..];
    for _ in 0..4000 {
        fuzzing::index(&mutate(tail, &mut numbers));
        fuzzing::index(&noise(numbers.random_range(0..300), numbers.random()));
    }
}

#[test]
fn reading_anything_as_an_archive_does_not_panic() {
    let mut numbers = seeded(3);
    let file = small();
    // A tar mutated inside intact gzip gets further than one with wrong checksums.
    let mut tar = Vec::new();
    std::io::Read::read_to_end(&mut options_reader(&file), &mut tar).expect("intact");
    for _ in 0..600 {
        fuzzing::archive(&mutate(&file, &mut numbers));
        let mut tar = mutate(&tar, &mut numbers);
        mend_checksums(&mut tar);
        let gz = crate::common::gzip(1).compress(&tar[..], Vec::new()).expect("writes to memory");
        fuzzing::archive(&gz);
    }
    fuzzing::archive(&write_sample(&options(1)));
}

fn options_reader(file: &[u8]) -> uadk_compress_archive::GzReader<&[u8]> {
    crate::common::gzip(1).reader(file).expect("a reader")
}

/// Corrects the checksums of headers, so that changed headers are parsed.
pub(crate) fn mend_checksums(tar: &mut [u8]) {
    for block in tar.chunks_exact_mut(512).filter(|block| block[257..262] == *b"ustar") {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes().copy_from_slice(block);
        header.set_cksum();
        block.copy_from_slice(header.as_bytes());
    }
}
