//! Plain archives and archives compressed with zstd or xz, made by the usual programs.

use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use uadk_compress_archive::{
    ArchiveOptions, ArchiveReader, Error, ExtractOptions, Extractor, GzWarning, Result, Warning,
};

use crate::common::{make_tree, noise, options, run, snapshot, text};

/// Makes a small tar with GNU tar: an empty file, a long name, and contents of several blocks.
fn small() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a directory");
    fs::create_dir(folder.path().join("d")).expect("a directory");
    fs::write(folder.path().join("d/a"), text(3000, 1)).expect("a file");
    fs::write(folder.path().join("d/empty"), b"").expect("a file");
    fs::write(folder.path().join("d").join("n".repeat(150)), noise(700, 2)).expect("a file");
    gnu_tar(folder.path(), "d")
}

/// Archives a file in a directory with GNU tar.
fn gnu_tar(folder: &Path, name: &str) -> Vec<u8> {
    let folder = folder.to_str().expect("UTF-8");
    run("tar", "tar", &["-c", "--format=pax", "--sort=name", "-C", folder, name], b"")
}

fn xz(arguments: &[&str], data: &[u8]) -> Vec<u8> {
    run("xz-utils", "xz", &[&["-c"], arguments].concat(), data)
}

fn zstd(arguments: &[&str], data: &[u8]) -> Vec<u8> {
    run("zstd", "zstd", &[&["-c", "-q"], arguments].concat(), data)
}

/// Compresses a tar into two frames, with a skippable frame before each and at the end.
fn zstd_frames(tar: &[u8]) -> Vec<u8> {
    let skipped = [&[0x5A, 0x2A, 0x4D, 0x18, 5, 0, 0, 0][..], b"12345"].concat();
    let (first, second) = tar.split_at(tar.len() / 3);
    let frames = [zstd(&["--check"], first), zstd(&["--no-check"], second)];
    [&skipped[..], &frames[0], &skipped, &frames[1], &skipped].concat()
}

/// Compresses a tar into two streams, with padding before the second and at the end.
fn xz_streams(tar: &[u8]) -> Vec<u8> {
    let (first, second) = tar.split_at(tar.len() / 3);
    let streams = [xz(&["--check=sha256"], first), xz(&["--check=crc32"], second)];
    [&streams[0][..], &[0; 8], &streams[1], &[0; 4]].concat()
}

/// Returns the tar in every form.
fn forms(tar: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("plain", tar.to_vec()),
        ("zstd", zstd(&["-3"], tar)),
        ("zstd of several frames", zstd_frames(tar)),
        ("zstd without checksums", zstd(&["--no-check"], tar)),
        ("xz", xz(&["-6"], tar)),
        ("xz of several streams", xz_streams(tar)),
        ("xz of several blocks", xz(&["--block-size=2000", "--check=crc64"], tar)),
        ("xz with a filter", xz(&["--x86", "--lzma2=preset=1"], tar)),
    ]
}

/// Reads names and contents in order, without seeking.
fn in_order(file: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut archive = options(1).reader(file)?;
    let mut files = Vec::new();
    while let Some(mut entry) = archive.next_entry()? {
        let name = entry.entry().path().display().to_string();
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents)?;
        files.push((name, contents));
    }
    Ok(files)
}

#[test]
fn archives_of_every_form_are_listed_opened_and_verified() {
    let tar = small();
    let expected = in_order(&tar).expect("a tar");
    assert_eq!(expected.len(), 4);
    for (form, file) in forms(&tar) {
        assert_eq!(in_order(&file).expect(form), expected, "{form}");
        let mut archive = options(2).reader(Cursor::new(&file)).expect(form);
        let verified = archive.verify().expect(form);
        assert_eq!(
            (verified.entries, verified.ended, verified.indexed),
            (4, true, false),
            "{form}"
        );
        assert_eq!(verified.tar_len, tar.len() as u64, "{form}");
        assert!(archive.gz_warnings().is_empty() && archive.take_warnings().is_empty(), "{form}");
        let index = archive.index().expect(form);
        assert_eq!(index.tar_len(), tar.len() as u64, "{form}");
        // In any order.
        for at in [3, 1, 2, 1] {
            let mut contents = Vec::new();
            archive.open(&expected[at].0).expect(form).read_to_end(&mut contents).expect(form);
            assert_eq!(contents, expected[at].1, "{form}");
        }
        let mut streamed = options(1).reader(&file[..]).expect(form);
        assert_eq!(streamed.verify_stream().expect(form).entries, 4, "{form}");
    }
}

#[test]
fn trees_by_gnu_tar_and_bsdtar_are_extracted_from_every_form() {
    let folder = tempfile::tempdir().expect("a directory");
    let tree = folder.path().join("tree");
    make_tree(&tree);
    let expected = snapshot(&tree);
    let at = folder.path().to_str().expect("UTF-8");
    let mut files = forms(&gnu_tar(folder.path(), "tree"));
    files.push(("GNU tar --zstd", run("tar", "tar", &["-c", "--zstd", "-C", at, "tree"], b"")));
    files.push(("GNU tar -J", run("tar", "tar", &["-cJ", "-C", at, "tree"], b"")));
    let bsdtar = |arguments: &[&str]| {
        let all = [arguments, &["-C", at, "tree"]].concat();
        run("libarchive-tools", "bsdtar", &all, b"")
    };
    files.push(("bsdtar", bsdtar(&["-c", "-f", "-"])));
    files.push(("bsdtar --zstd", bsdtar(&["-c", "--zstd", "-f", "-"])));
    files.push(("bsdtar -J", bsdtar(&["-cJ", "-f", "-"])));
    for (n, (form, file)) in files.iter().enumerate() {
        let to = folder.path().join(format!("to{n}"));
        fs::create_dir(&to).expect("a directory");
        let extract = ExtractOptions::new().permissions(true);
        let mut extractor = Extractor::new(&to, extract).expect("a directory");
        let mut archive = options(1).reader(&file[..]).expect(form);
        while let Some(mut entry) = archive.next_entry().expect(form) {
            extractor.extract(&mut entry).expect(form);
        }
        extractor.finish().expect(form);
        assert_eq!(snapshot(&to.join("tree")), expected, "{form}");
        assert!(archive.take_warnings().is_empty(), "{form}");
    }
}

#[test]
fn every_truncation_is_an_error() {
    let tar = small();
    let whole = in_order(&tar).expect("a tar");
    for (form, file) in forms(&tar) {
        let frame_ends = match form {
            "zstd of several frames" => zstd_frame_ends(&tar),
            // Missing padding is not an error.
            "xz of several streams" => (0..4).map(|n| file.len() - 4 + n).collect(),
            _ => Vec::new(),
        };
        for len in 0..file.len() {
            let read = in_order(&file[..len]);
            let verified = options(1).reader(Cursor::new(&file[..len])).and_then(|mut archive| {
                archive.verify()?;
                Ok(archive.take_warnings())
            });
            let Ok(read) = read else {
                assert!(verified.is_err(), "{form} cut at {len}");
                continue;
            };
            let read_all = read == whole;
            let is_at_end = form == "plain" && !verified.expect(form).is_empty();
            let is_padding = form == "plain" && read_all;
            assert!(
                is_at_end || is_padding || read_all && frame_ends.contains(&len),
                "{form} cut at {len} is not reported: {} entries",
                read.len()
            );
        }
    }
}

/// Returns the lengths at which a cut cannot be detected: behind the last frame with data.
fn zstd_frame_ends(tar: &[u8]) -> Vec<usize> {
    let last = zstd_frames(tar).len() - 13;
    vec![last]
}

#[test]
fn plain_tar_that_is_cut_between_entries_is_reported() {
    let tar = small();
    let starts: Vec<usize> = {
        let mut archive = options(1).reader(Cursor::new(&tar)).expect("a tar");
        let entries = archive.index().expect("a tar").entries();
        entries.iter().map(|entry| entry.tar_offset() as usize).collect()
    };
    for len in &starts[1..] {
        let mut archive = options(1).reader(&tar[..*len]).expect("a tar");
        while archive.next_entry().expect("complete entries").is_some() {}
        let warnings = archive.take_warnings();
        assert!(warnings[0].is_notice() && warnings[0].to_string().contains("cut off"));
        let mut archive = options(1).reader(Cursor::new(&tar[..*len])).expect("a tar");
        assert!(!archive.verify().expect("complete entries").ended);
        assert!(archive.take_warnings().iter().any(|warning| !warning.is_notice()));
    }
}

#[test]
fn a_file_that_lacks_only_its_padding_is_complete() {
    let folder = tempfile::tempdir().expect("a directory");
    fs::write(folder.path().join("file"), "contents").expect("a file");
    let at = folder.path().to_str().expect("UTF-8");
    let tar = run("tar", "tar", &["-cf", "-", "-C", at, "file"], b"");
    for len in [512 + 8, 512 + 100] {
        let cut = &tar[..len];
        let expected = [("file".to_owned(), b"contents".to_vec())];
        assert_eq!(in_order(cut).expect("intact"), expected);
        let mut archive = options(1).reader(Cursor::new(cut)).expect("a tar");
        let mut contents = Vec::new();
        archive.open("file").expect("it exists").read_to_end(&mut contents).expect("intact");
        assert_eq!(contents, b"contents");
        let is_reported =
            |warnings: Vec<Warning>| warnings.iter().any(|warning| !warning.is_notice());
        assert!(is_reported(archive.take_warnings()));
        assert!(!archive.verify().expect("complete entries").ended);
        assert!(is_reported(archive.take_warnings()));
        assert!(options(1).append(Cursor::new(cut.to_vec())).is_err());
    }
    assert!(in_order(&tar[..512 + 7]).is_err());
}

#[test]
fn every_flipped_byte_of_zstd_and_xz_is_detected_or_harmless() {
    let tar = small();
    let expected = in_order(&tar).expect("a tar");
    let files = [
        ("zstd", zstd(&["--check"], &tar)),
        ("zstd frames", zstd_frames(&tar)),
        ("xz", xz(&[], &tar)),
        ("xz streams", xz_streams(&tar)),
    ];
    for (form, file) in files {
        // In zstd without a checksum, a flipped byte may change the data.
        let has_checksums = form != "zstd frames";
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1 << (at % 8);
            let Ok(mut archive) = options(1).reader(&damaged[..]) else { continue };
            let verified = archive.verify_stream();
            let is_reported = verified.is_err() || !archive.gz_warnings().is_empty();
            if !is_reported && has_checksums {
                assert_eq!(in_order(&damaged).expect("verified"), expected, "{form}, byte {at}");
            }
            let _ = in_order(&damaged);
            let mut archive = options(1).reader(Cursor::new(&damaged)).expect("a reader");
            let _ = archive.open(&expected[3].0).map(|mut entry| {
                let _ = entry.read_to_end(&mut Vec::new());
            });
        }
    }
}

#[test]
fn trailing_garbage_is_a_warning_and_zeros_are_ignored() {
    let tar = small();
    for (form, file) in [("zstd", zstd(&[], &tar)), ("xz", xz(&[], &tar))] {
        let read = |behind: &[u8]| {
            let file = [&file[..], behind].concat();
            let mut archive = options(1).reader(Cursor::new(file)).expect(form);
            let verified = archive.verify().expect(form);
            assert_eq!(verified.entries, 4, "{form}");
            archive.gz_warnings().to_vec()
        };
        assert_eq!(read(&[0; 1024]), [], "{form}");
        let garbage = GzWarning::TrailingGarbage { offset: file.len() as u64 };
        assert_eq!(read(b"garbage behind it"), [garbage], "{form}");
        assert_eq!(read(&[0, 0, 0, 0, 7]), [garbage], "{form}");
    }
    let stream = xz(&[], &tar);
    let odd = [&stream[..], &[0; 3], &stream].concat();
    let error = in_order(&odd).expect_err("three bytes of padding");
    assert!(matches!(error, Error::Damaged { format: "xz", .. }), "{error}");
}

#[test]
fn memory_is_limited_and_the_limit_can_be_set() {
    let tar = small();
    let reads = |file: &[u8], options: ArchiveOptions| {
        let mut archive = options.threads(1).reader(file)?;
        archive.verify_stream().map(|verified| verified.entries)
    };
    let default = ArchiveOptions::new;
    let large = zstd(&["--long=28", "--ultra", "-22", "--no-check"], &tar);
    let error = reads(&large, default()).expect_err("256 MiB");
    assert!(matches!(error, Error::Unsupported(_)), "{error}");
    assert!(error.to_string().contains("256 MiB"), "{error}");
    assert!(error.to_string().contains("--memory-limit"), "{error}");
    assert_eq!(reads(&large, default().memory_limit(300 << 20)).expect("allowed"), 4);
    let usual = zstd(&["--long=27"], &tar);
    assert_eq!(reads(&usual, default()).expect("128 MiB"), 4);
    assert!(reads(&usual, default().memory_limit(1 << 20)).is_err());

    let large = xz(&["--lzma2=dict=256MiB"], &tar);
    let error = reads(&large, default()).expect_err("256 MiB");
    assert!(matches!(error, Error::Unsupported(_)), "{error}");
    assert!(error.to_string().contains("--memory-limit"), "{error}");
    assert_eq!(reads(&large, default().memory_limit(300 << 20)).expect("allowed"), 4);
    assert_eq!(reads(&xz(&["-9"], &tar), default()).expect("64 MiB"), 4);
}

#[test]
fn other_formats_are_refused_by_name() {
    let tar = small();
    let bzip2 = run("bzip2", "bzip2", &["-c"], &tar);
    let lzma = xz(&["--format=lzma"], &tar);
    let cases = [
        (&bzip2[..], "bzip2"),
        (&lzma, "lzma"),
        (b"LZIP\x01\x0c rest", "lzip"),
        (&[0x1f, 0x9d, 0x90, 1, 2, 3], "compress (.Z)"),
        (&[0x04, 0x22, 0x4d, 0x18, 0x64, 0x40], "lz4"),
        (b"PK\x03\x04", "zip"),
    ];
    for (file, name) in cases {
        let error = ArchiveReader::new(file).expect_err(name);
        assert!(matches!(error, Error::Unsupported(_)), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
    assert!(matches!(ArchiveReader::new(&b"text"[..]), Err(Error::NotArchive)));
    assert!(matches!(ArchiveReader::new(&text(100_000, 4)[..]), Err(Error::NotArchive)));
}

#[test]
fn a_tar_is_recognised_with_any_first_name_and_with_a_damaged_first_header() {
    let folder = tempfile::tempdir().expect("a directory");
    let names = ["BZh91AY&SY", "LZIP", "PK\x03\x04", "second"];
    for name in names {
        fs::write(folder.path().join(name), name).expect("a file");
    }
    let at = folder.path().to_str().expect("UTF-8");
    for format in ["ustar", "gnu", "v7"] {
        for name in &names[..if format == "v7" { 0 } else { 3 }] {
            let arguments = ["-c", "--format", format, "-C", at, name, "second"];
            let tar = run("tar", "tar", &arguments, b"");
            let read = in_order(&tar).expect("a tar");
            assert_eq!(read[0].0, *name);
            assert_eq!(read.len(), 2);
        }
        let tar = run("tar", "tar", &["-c", "--format", format, "-C", at, "second"], b"");
        assert_eq!(in_order(&tar).expect(format).len(), 1, "{format}");
    }
    let mut tar = small();
    tar[1] ^= 1;
    let mut archive = options(1).reader(Cursor::new(&tar)).expect("a tar");
    // It is an extended header, without which its entry is still complete.
    assert_eq!(archive.index().expect("the rest").entries().len(), 4);
    assert!(!archive.take_warnings().is_empty());
}

#[test]
fn contents_of_plain_tar_are_skipped_by_seeking() {
    let folder = tempfile::tempdir().expect("a directory");
    fs::create_dir(folder.path().join("d")).expect("a directory");
    for name in ["a", "b", "c"] {
        fs::write(folder.path().join("d").join(name), noise(8 << 20, 3)).expect("a file");
    }
    let tar = gnu_tar(folder.path(), "d");
    let read = std::cell::Cell::new(0);
    let counted = Counted { file: Cursor::new(&tar), read: &read };
    let mut archive = options(1).reader(counted).expect("a tar");
    assert_eq!(archive.index().expect("a tar").entries().len(), 4);
    assert!(read.get() < 4 << 20, "{} bytes for the index", read.get());
    read.set(0);
    let mut contents = Vec::new();
    archive.open("d/b").expect("it exists").read_to_end(&mut contents).expect("intact");
    assert!(contents == noise(8 << 20, 3));
    assert!(read.get() < 10 << 20, "{} bytes for one entry", read.get());
    // Cut within contents that are skipped.
    let cut = &tar[..tar.len() - (1 << 20)];
    let mut archive = options(1).reader(Cursor::new(cut)).expect("a tar");
    assert!(matches!(archive.index(), Err(Error::NotTar { .. })));
}

struct Counted<'a> {
    file: Cursor<&'a Vec<u8>>,
    read: &'a std::cell::Cell<u64>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.read.set(self.read.get() + n as u64);
        Ok(n)
    }
}

impl std::io::Seek for Counted<'_> {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

#[test]
fn archives_that_are_not_gzip_are_rewritten_and_not_indexed_or_appended_to() {
    let tar = small();
    for (form, file) in forms(&tar) {
        let rewritten = Cursor::new(Vec::new());
        let mut to = rewritten;
        assert_eq!(options(1).rewrite(&file[..], &mut to).expect(form), 4, "{form}");
        let new = to.into_inner();
        let unpacked = run("gzip", "gzip", &["-dc"], &new);
        assert!(unpacked.starts_with(&tar), "{form}: the tar differs");
        let mut archive = options(1).reader(Cursor::new(&new)).expect(form);
        assert!(archive.verify().expect(form).indexed, "{form}");

        let is_refused = |error: &Error| matches!(error, Error::Unsupported(_));
        let mut there = Cursor::new(file.clone());
        let error = options(1).index(&mut there).expect_err(form);
        assert!(is_refused(&error), "{form}: {error}");
        let error = options(1).resume(&mut there).map(drop).expect_err(form);
        assert!(is_refused(&error), "{form}: {error}");
        if form != "plain" {
            let error = options(1).append(&mut there).map(drop).expect_err(form);
            assert!(is_refused(&error), "{form}: {error}");
        }
        assert!(there.into_inner() == file, "{form} was changed");
    }
}
