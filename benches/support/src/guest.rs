//! An image of guest memory, made from this machine's files.

use std::path::{Path, PathBuf};

use rand::{Rng, RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;
use walkdir::WalkDir;

use crate::corpus;

/// Bytes per page.
pub const PAGE: usize = 4096;
/// The percentage of zero pages, as in a Debian guest after some hours.
const ZERO: usize = 55;

/// Returns `len` bytes of memory that resembles a Linux guest's. The same machine always yields the
/// same image.
///
/// 55 % of the pages are zero, in runs of 1 to 64. Of the others, 45 % are pages of programs and
/// libraries (the guest's page cache and text), 30 % of source code and documentation, 15 % look
/// like heaps (pointers, small numbers and short strings), and 10 % are noise (compressed or
/// encrypted data).
///
/// # Errors
///
/// Fails if the machine has no files to make it from.
pub fn image(len: usize) -> std::io::Result<Vec<u8>> {
    let mut numbers = Pcg64Mcg::seed_from_u64(1);
    let programs = programs((len / 5).max(1 << 20));
    let text: Vec<u8> = corpus::records(&corpus::default_roots(), (len / 7).max(1 << 20))?
        .into_iter()
        .flat_map(|record| record.value)
        .collect();
    let mut sources = [pages(&programs), pages(&text)];
    let mut image = vec![0; len / PAGE * PAGE];
    let mut rest = image.chunks_exact_mut(PAGE);
    loop {
        // Alternates runs of zero pages and of others, in the right proportion.
        let run = 1 + numbers.random_range(0..64);
        let others = (run * (100 - ZERO)).div_ceil(ZERO);
        if rest.by_ref().take(run).count() < run {
            return Ok(image);
        }
        for page in rest.by_ref().take(others) {
            match numbers.random_range(0..100) {
                0..45 => copy(page, &mut sources[0]),
                45..75 => copy(page, &mut sources[1]),
                75..90 => heap(page, &mut numbers),
                _ => numbers.fill_bytes(page),
            }
        }
    }
}

/// Iterates over all whole pages, repeating forever.
fn pages(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.chunks_exact(PAGE).cycle()
}

fn copy<'p>(page: &mut [u8], source: &mut (impl Iterator<Item = &'p [u8]> + ?Sized)) {
    if let Some(bytes) = source.next() {
        page.copy_from_slice(bytes);
    }
}

/// Fills a page like a heap: objects of a few words, with holes between them.
fn heap(page: &mut [u8], numbers: &mut impl Rng) {
    let base = 0x5555_0000_0000_u64 + numbers.random_range(0..1 << 20) * 4096;
    for object in page.chunks_exact_mut(64) {
        if numbers.random_range(0..4) == 0 {
            continue;
        }
        for word in object.chunks_exact_mut(8).take(2 + numbers.random_range(0..6)) {
            let value = match numbers.random_range(0..4) {
                0 => base + numbers.random_range(0..1 << 16) * 16,
                1 => numbers.random_range(0..256),
                2 => u64::from_le_bytes(*b"name=val"),
                _ => 0,
            };
            word.copy_from_slice(&value.to_le_bytes());
        }
    }
}

/// Reads programs and libraries, in order of their names.
fn programs(limit: usize) -> Vec<u8> {
    let roots =
        ["/usr/bin", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64"];
    let mut bytes = Vec::new();
    for root in roots.into_iter().map(Path::new).filter(|root| root.is_dir()) {
        let files = WalkDir::new(root).max_depth(1).sort_by_file_name();
        for entry in files.into_iter().filter_map(Result::ok) {
            let path: PathBuf = entry.into_path();
            if bytes.len() >= limit {
                return bytes;
            }
            // Skips large files, so that no single file dominates the data.
            if path.metadata().is_ok_and(|file| file.is_file() && file.len() < 4 << 20) {
                bytes.extend(std::fs::read(&path).unwrap_or_default());
            }
        }
    }
    bytes
}
