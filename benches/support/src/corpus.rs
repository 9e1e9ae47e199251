//! Records made from this machine's files.

use std::io;
use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;
use walkdir::WalkDir;

/// One key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The number of the file, then the number of the chunk, both big-endian, so that keys sort in
    /// the order of the files.
    pub key: [u8; 8],
    /// A chunk of the file.
    pub value: Vec<u8>,
}

/// Bytes per value; the last one of a file may be shorter.
pub const VALUE_LEN: usize = 400;

/// Returns directories with source code and documentation that exist on this machine.
#[must_use]
pub fn default_roots() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    [
        PathBuf::from("/usr/share/doc"),
        PathBuf::from("/usr/include"),
        PathBuf::from("/usr/share/perl"),
        PathBuf::from("/usr/lib/python3"),
        home.join(".cargo/registry/src"),
    ]
    .into_iter()
    .filter(|root| root.is_dir())
    .collect()
}

/// Reads files below `roots`, in order of their names and an equal share from each root, until
/// there are `limit` bytes, and cuts them into records.
///
/// Skips files larger than 1 MiB, so that no single file dominates the data, and files that are
/// already compressed.
///
/// # Errors
///
/// Fails if there is nothing to read.
pub fn records(roots: &[PathBuf], limit: usize) -> io::Result<Vec<Record>> {
    let mut records = Vec::new();
    let mut file_number = 0;
    for (i, root) in roots.iter().enumerate() {
        let bytes = records.iter().map(|r: &Record| r.value.len()).sum::<usize>();
        let share = limit.saturating_sub(bytes) / (roots.len() - i);
        read_root(root, share, &mut file_number, &mut records);
    }
    if records.is_empty() {
        let roots: Vec<_> = roots.iter().map(|root| root.display().to_string()).collect();
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("no readable files below {} (choose another path)", roots.join(", ")),
        ));
    }
    Ok(records)
}

fn read_root(root: &Path, share: usize, file_number: &mut u32, records: &mut Vec<Record>) {
    let mut bytes = 0;
    let files = WalkDir::new(root).sort_by_file_name().into_iter().filter_map(Result::ok);
    for entry in files.filter(|entry| entry.file_type().is_file()) {
        if bytes >= share {
            return;
        }
        let compressed = entry
            .path()
            .extension()
            .is_some_and(|e| ["gz", "xz", "zst", "bz2", "png", "crate"].iter().any(|c| e == *c));
        if compressed || entry.metadata().is_ok_and(|metadata| metadata.len() > 1 << 20) {
            continue;
        }
        let Ok(contents) = std::fs::read(entry.path()) else { continue };
        for (piece, value) in (0_u32..).zip(contents.chunks(VALUE_LEN)) {
            let mut key = [0; 8];
            key[..4].copy_from_slice(&file_number.to_be_bytes());
            key[4..].copy_from_slice(&piece.to_be_bytes());
            records.push(Record { key, value: value.to_vec() });
        }
        bytes += contents.len();
        *file_number += 1;
    }
}

/// Shuffles the records into a random order determined by `seed`, as they arrive at a database.
pub fn shuffle(records: &mut [Record], seed: u64) {
    records.shuffle(&mut Pcg64Mcg::seed_from_u64(seed));
}
