//! Odd archives: what we extract, compared with GNU tar, bsdtar and `BusyBox`.

use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use uadk_compress_archive::{ArchiveReader, ExtractOptions, Extracted, Extractor, Warning};

use crate::builder::{Entry, MODE, good, pax, tar};
use crate::common::{children, crc, gzip};

/// The result of extracting an archive.
pub(crate) struct Outcome {
    pub(crate) files: Vec<String>,
    listed: Vec<String>,
    warnings: Vec<Warning>,
    errors: Vec<String>,
    skipped: usize,
}

impl Outcome {
    /// Returns whether nothing was skipped or dropped, as a command's exit status says.
    pub(crate) fn is_clean(&self) -> bool {
        self.errors.is_empty() && self.skipped == 0 && self.warnings.iter().all(Warning::is_notice)
    }
}

pub(crate) fn extract(file: &[u8]) -> Outcome {
    let to = tempfile::tempdir().expect("a directory");
    let mut archive = ArchiveReader::new(Cursor::new(file)).expect("a reader");
    let options = ExtractOptions::new().permissions(true);
    let mut extractor = Extractor::new(to.path(), options).expect("a directory");
    let (mut listed, mut errors, mut skipped) = (Vec::new(), Vec::new(), 0);
    loop {
        match archive.next_entry() {
            Ok(None) => break,
            Ok(Some(mut entry)) => {
                listed.push(entry.entry().path().display().to_string());
                match extractor.extract(&mut entry) {
                    Ok(done) => skipped += usize::from(matches!(done, Extracted::Skipped(_))),
                    Err(error) => errors.push(error.to_string()),
                }
            }
            Err(error) => {
                errors.push(error.to_string());
                break;
            }
        }
    }
    let mut warnings = archive.take_warnings();
    warnings.extend(extractor.finish().expect("the directories can be finished"));
    Outcome { files: files(to.path()), listed, warnings, errors, skipped }
}

/// Lists what another program extracts. Its messages and its status are ignored.
fn peer(package: &str, command: &[&str], file: &[u8]) -> Vec<String> {
    let to = tempfile::tempdir().expect("a directory");
    let mut child = Command::new(command[0])
        .args(&command[1..])
        .arg("-C")
        .arg(to.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; `make setup` installs {package}"));
    // The program may exit before it has read everything.
    let _ = child.stdin.take().expect("piped").write_all(file);
    child.wait().expect("it runs");
    files(to.path())
}

pub(crate) fn gnu_tar(file: &[u8]) -> Vec<String> {
    peer("tar", &["tar", "-xzpf", "-"], file)
}

pub(crate) fn bsdtar(file: &[u8]) -> Vec<String> {
    peer("libarchive-tools", &["bsdtar", "-xpf", "-"], file)
}

fn busybox(file: &[u8]) -> Vec<String> {
    peer("busybox", &["busybox", "tar", "-xzpf", "-"], file)
}

/// Lists names, kinds, permissions, times, sizes and contents. Times of directories are left out:
/// if the archive has none, they change with each entry extracted into the directory.
fn files(root: &Path) -> Vec<String> {
    fn walk(root: &Path, name: &Path, lines: &mut Vec<String>) {
        for child in children(&root.join(name)) {
            let name = name.join(child);
            let path = root.join(&name);
            let metadata = fs::symlink_metadata(&path).expect("it exists");
            let (shown, time) = (name.display(), (metadata.mtime(), metadata.mtime_nsec()));
            let mode = metadata.permissions().mode();
            lines.push(if metadata.is_dir() {
                format!("{shown} {mode:o}")
            } else if metadata.is_symlink() {
                format!("{shown} -> {} {time:?}", fs::read_link(&path).expect("a link").display())
            } else if metadata.is_file() {
                let contents = fs::read(&path).expect("a file");
                format!("{shown} {mode:o} {time:?} {} {:08x}", contents.len(), crc(&contents))
            } else {
                format!("{shown} {mode:o} {time:?}")
            });
            if metadata.is_dir() {
                walk(root, &name, lines);
            }
        }
    }
    let mut lines = Vec::new();
    walk(root, Path::new(""), &mut lines);
    lines
}

pub(crate) fn gzipped(tar: &[u8]) -> Vec<u8> {
    gzip(1).compress(tar, Vec::new()).expect("writes to memory")
}

/// A program that extracts the same files.
#[derive(Clone, Copy)]
enum Peer {
    Gnu,
    Bsd,
    BusyBox,
}

/// Name; names and sizes of the files; whether nothing was dropped or skipped; peers that agree.
type Case = (&'static str, &'static [(&'static str, u64)], bool, &'static [Peer]);

#[test]
fn odd_archives_are_extracted_as_by_the_most_tolerant_peer() {
    use Peer::{Bsd, BusyBox, Gnu};
    const AFTER: (&str, u64) = ("after.txt", 6);
    const TWO: &[(&str, u64)] = &[("a.txt", 2), AFTER];
    let cases: &[Case] = &[
        ("hardlink_to_itself", TWO, true, &[Gnu, Bsd, BusyBox]),
        ("type_D_dumpdir", &[("d/a.txt", 2)], true, &[Gnu, Bsd]),
        ("type_8_unknown", &[AFTER, ("unk8.txt", 2)], true, &[Gnu, Bsd]),
        ("pax_global_only", &[], true, &[Gnu, Bsd, BusyBox]),
        ("pax_global_at_end", &[AFTER], true, &[Gnu, Bsd, BusyBox]),
        ("pax_mtime_exponent", TWO, false, &[BusyBox]),
        ("pax_mtime_dot", TWO, false, &[Gnu, BusyBox]),
        ("pax_mtime_huge", TWO, false, &[Gnu, BusyBox]),
        ("pax_uid_negative", TWO, false, &[Gnu, Bsd, BusyBox]),
        ("pax_uid_toobig", TWO, false, &[Gnu, Bsd, BusyBox]),
        ("pax_nul_padded", &[AFTER, ("long-name.txt", 2)], true, &[Gnu, BusyBox]),
        ("pax_leading_spaces", &[("ab", 2), AFTER], true, &[Gnu]),
        ("name_empty", &[AFTER], false, &[Gnu, Bsd]),
        ("sparse_realsize_only", TWO, true, &[Gnu, Bsd, BusyBox]),
        ("sparse01_empty_map", &[AFTER, ("s.bin", 8192)], true, &[Bsd]),
        // No peer extracts both: bsdtar loses the entries behind it, the others its contents.
        ("sparse10_size_is_realsize", &[AFTER, ("s.bin", 8192)], true, &[]),
        ("name_abs", &[("abs.txt", 2), AFTER], true, &[Gnu, Bsd, BusyBox]),
        ("hardlink_abs_target", &[AFTER, ("etc/x.conf", 2), ("etc/y.conf", 2)], true, &[Gnu, Bsd]),
        ("dir_then_file_same", &[("a", 5), AFTER], true, &[Gnu, Bsd]),
        ("dir_then_symlink_same_empty", &[AFTER], true, &[Gnu, Bsd]),
        ("file_then_dir_same", &[("a/b", 2)], true, &[Gnu, Bsd]),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    assert_eq!(children(&folder).len(), cases.len(), "every archive has an expected result");
    for (name, expected, is_clean, peers) in cases {
        let file = fs::read(folder.join(format!("{name}.tar.gz"))).expect("a case");
        let outcome = extract(&file);
        let sizes: Vec<_> = outcome
            .files
            .iter()
            .map(|line| line.split(' ').collect::<Vec<_>>())
            // Only files have a name, a mode, a time (two words), a size and a checksum.
            .filter(|words| words.len() == 6)
            .map(|words| (words[0].to_owned(), words[4].parse().expect("a size")))
            .collect();
        let expected: Vec<(String, u64)> =
            expected.iter().map(|(name, size)| ((*name).to_owned(), *size)).collect();
        assert_eq!(sizes, expected, "{name}");
        let reported = (&outcome.warnings, &outcome.errors);
        assert_eq!(outcome.is_clean(), *is_clean, "{name}: {reported:?}");
        for peer in *peers {
            let theirs = match peer {
                Gnu => gnu_tar(&file),
                Bsd => bsdtar(&file),
                BusyBox => busybox(&file),
            };
            assert_eq!(outcome.files, theirs, "{name}");
        }
        // An index lists the same entries, and verifying finds the same archives damaged.
        let mut archive = ArchiveReader::new(Cursor::new(&file[..])).expect("a reader");
        let index = archive.index().expect("intact");
        let names: Vec<_> =
            index.entries().iter().map(|entry| entry.path().display().to_string()).collect();
        assert_eq!(names, outcome.listed, "{name}");
        archive.verify().expect("intact");
        let found = archive.take_warnings().iter().any(|warning| !warning.is_notice());
        let is_damaged = !outcome.is_clean() || *name == "hardlink_to_itself";
        assert_eq!(found, is_damaged, "{name}");
    }
    let link = fs::read(folder.join("dir_then_symlink_same_empty.tar.gz")).expect("a case");
    assert!(extract(&link).files[0].starts_with("a -> after.txt"));
}

#[test]
fn warnings_name_the_entry_and_the_attribute() {
    for (before, entry, expected) in [
        (Some(pax(&[("mtime", "1e-05")])), good(), "a.txt: dropped mtime: invalid value 1e-05"),
        (Some(pax(&[("uid", "-1")])), good(), "a.txt: dropped uid: invalid value -1"),
        (
            None,
            good().with(MODE, "rw-r--r-"),
            "a.txt: dropped mode: the header field is not a number",
        ),
        (
            None,
            good().checksum(|_| b"0000001\0".to_vec()),
            "missing or damaged header at byte 1024 of the tar; skipping to the next one",
        ),
    ] {
        let mut entries = vec![Entry::file("first", b"1")];
        entries.extend(before);
        entries.push(entry);
        let outcome = extract(&gzipped(&tar(&entries)));
        let messages: Vec<_> = outcome.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(messages, [expected]);
    }
}
