//! Helpers shared by several tests.

use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rand::{Rng, RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;
use uadk_compress::{Format, Level, SoftwareCompressor};
use uadk_compress_archive::{ArchiveOptions, ArchiveReader, ArchiveWriter, GzOptions, Layout};

/// Returns a random number generator with a fixed seed.
pub(crate) fn seeded(seed: u64) -> Pcg64Mcg {
    Pcg64Mcg::seed_from_u64(seed)
}

/// Returns the error and its sources as a program prints them.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Returns text that compresses about as well as natural text.
pub(crate) fn text(len: usize, seed: u64) -> Vec<u8> {
    let mut numbers = seeded(seed);
    let mut text = Vec::with_capacity(len + 20);
    while text.len() < len {
        text.extend(format!("word{} ", numbers.random_range(0..2000)).bytes());
        if numbers.random_range(0..12) == 0 {
            text.push(b'\n');
        }
    }
    text.truncate(len);
    text
}

/// Returns incompressible bytes.
pub(crate) fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut noise = vec![0; len];
    seeded(seed).fill_bytes(&mut noise);
    noise
}

/// Returns a software-only compressor, whose output is reproducible.
pub(crate) fn software() -> Arc<SoftwareCompressor> {
    Arc::new(
        SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED)
            .expect("software supports deflate"),
    )
}

pub(crate) fn gzip(threads: usize) -> GzOptions {
    GzOptions::new().threads(threads).compressor(software())
}

pub(crate) fn options(threads: usize) -> ArchiveOptions {
    ArchiveOptions::new().threads(threads).compressor(software())
}

/// Like [`gzip`], in blocks.
pub(crate) fn bgzf(threads: usize) -> GzOptions {
    gzip(threads).layout(Layout::Bgzf)
}

/// Like [`options`], in blocks.
pub(crate) fn bgzf_options(threads: usize) -> ArchiveOptions {
    options(threads).layout(Layout::Bgzf)
}

/// Returns names and contents: small and large, some crossing or ending at a block boundary.
pub(crate) fn sample_files() -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("empty".to_owned(), Vec::new()),
        ("dir/one".to_owned(), b"1".to_vec()),
        ("dir/block".to_owned(), text(65_280 - 2048, 1)),
        ("dir/noise".to_owned(), noise(200_000, 2)),
        ("large".to_owned(), text(3_000_000, 3)),
        (format!("{}end", "long/".repeat(60)), text(1000, 4)),
    ];
    files.extend((0..40).map(|i| (format!("many/{i:03}"), text(i * 97, i as u64 + 9))));
    files
}

pub(crate) fn write_sample(options: &ArchiveOptions) -> Vec<u8> {
    let mut archive = options.writer(Vec::new()).expect("an archive");
    append_sample(&mut archive);
    archive.finish().expect("writes to memory")
}

pub(crate) fn append_sample<W: std::io::Write>(archive: &mut ArchiveWriter<W>) {
    for (name, contents) in sample_files() {
        archive.append_bytes(&name, &contents).expect("writes to memory");
    }
}

/// Reads all entries with their contents, in order.
pub(crate) fn read_all(file: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ArchiveReader::new(file).expect("a reader");
    let mut files = Vec::new();
    while let Some(mut entry) = archive.next_entry().expect("a complete archive") {
        let name = entry.entry().path().display().to_string();
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).expect("complete contents");
        files.push((name, contents));
    }
    files
}

pub(crate) fn verify(
    file: &[u8],
) -> uadk_compress_archive::Result<uadk_compress_archive::Verified> {
    ArchiveReader::new(Cursor::new(file))?.verify()
}

/// Runs a program from Debian's `package` and returns its output.
pub(crate) fn run(package: &str, program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; `make setup` installs {package}"));
    let mut stdin = child.stdin.take().expect("piped");
    let output = std::thread::scope(|scope| {
        // The program may exit before it has read everything.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().expect("it runs")
    });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    assert!(errors.is_empty(), "{program} {arguments:?}: {errors}");
    output.stdout
}

/// Creates a directory with all kinds of files. Nothing in it is newer than 2023.
pub(crate) fn make_tree(root: &Path) {
    fs::create_dir_all(root.join("sub/deep")).expect("a directory");
    fs::write(root.join("a.txt"), text(100_000, 5)).expect("a file");
    fs::write(root.join("empty"), b"").expect("a file");
    fs::write(root.join("sub/noise.bin"), noise(150_000, 6)).expect("a file");
    fs::write(root.join("sub/deep/script.sh"), b"#!/bin/sh\n").expect("a file");
    fs::write(root.join("grün und\nseltsam"), b"x").expect("a file");
    let long = root.join("n".repeat(120)).join("m".repeat(120));
    fs::create_dir_all(&long).expect("a directory");
    fs::write(long.join("file"), b"far down").expect("a file");
    symlink("../a.txt", root.join("sub/link")).expect("a link");
    symlink("x".repeat(150), root.join("dangling")).expect("a link");
    fs::hard_link(root.join("a.txt"), root.join("sub/same")).expect("a link");
    let fifo = root.join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o640),
        0,
    )
    .expect("a pipe");
    for (name, mode) in [("a.txt", 0o600), ("sub/deep/script.sh", 0o755), ("sub/deep", 0o750)] {
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode)).expect("a mode");
    }
    make_sparse(&root.join("sparse"));
    set_times(root, &mut 1_600_000_000);
}

/// Creates a file with holes at its start, inside and at its end, in more pieces than one header
/// can hold.
pub(crate) fn make_sparse(path: &Path) {
    use std::os::unix::fs::FileExt;
    let file = fs::File::create(path).expect("a file");
    for i in 1..30_u64 {
        file.write_all_at(&[i as u8; 4096], i * 131_072).expect("enough space");
    }
    file.set_len(5 << 20).expect("enough space");
}

fn set_times(path: &Path, seconds: &mut i64) {
    if path.is_dir() && !path.is_symlink() {
        for child in children(path) {
            set_times(&path.join(child), seconds);
        }
    }
    *seconds += 1;
    let time = rustix::fs::Timespec { tv_sec: *seconds, tv_nsec: 0 };
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, flags).expect("a time");
}

pub(crate) fn children(folder: &Path) -> Vec<std::ffi::OsString> {
    let entries = fs::read_dir(folder).expect("a directory");
    let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
    names.sort();
    names
}

/// Lists what two trees must have in common: names, kinds, modes, owners, times, contents, link
/// targets, and which names are hard links to one file.
pub(crate) fn snapshot(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut first_names = std::collections::HashMap::new();
    walk(root, Path::new(""), &mut lines, &mut first_names);
    lines
}

fn walk(
    root: &Path,
    name: &Path,
    lines: &mut Vec<String>,
    first_names: &mut std::collections::HashMap<u64, String>,
) {
    let path = root.join(name);
    let metadata = fs::symlink_metadata(&path).expect("it exists");
    let shown = format!("\"{}\"", name.display());
    let contents = if metadata.is_file() {
        let contents = fs::read(&path).expect("a file");
        format!("{} bytes {:08x}", contents.len(), crc(&contents))
    } else if metadata.is_symlink() {
        format!("-> {}", fs::read_link(&path).expect("a link").display())
    } else {
        String::new()
    };
    let first = if metadata.nlink() > 1 && !metadata.is_dir() {
        first_names.entry(metadata.ino()).or_insert_with(|| shown.clone()).clone()
    } else {
        shown.clone()
    };
    let mode = if metadata.is_symlink() { 0 } else { metadata.mode() };
    lines.push(format!(
        "{shown} {mode:o} {}:{} {} {contents} as {first}",
        metadata.uid(),
        metadata.gid(),
        metadata.mtime(),
    ));
    if metadata.is_dir() {
        for child in children(&path) {
            walk(root, &name.join(child), lines, first_names);
        }
    }
}

pub(crate) fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Returns the disk space that a file takes, in bytes.
pub(crate) fn allocated(path: &Path) -> u64 {
    fs::metadata(path).expect("a file").blocks() * 512
}
