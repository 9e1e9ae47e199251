//! Archives that use every feature, and which of them each reader preserves.

use std::ffi::OsStr;
use std::fmt::Write;
use std::fs::{self, Metadata, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};
use uadk_compress_archive::{ExtractOptions, TreeWriter};

use crate::common::{allocated, crc, make_sparse, noise, run, verify};
use crate::tree::{archive_of, extract};

/// An access control list with an additional user:
/// `user::rw-,user:1234:r--,group::r--,mask::rw-,other::---`.
const ACL: &[u8] = b"\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x04\0\xd2\x04\0\0\
    \x04\0\x04\0\xff\xff\xff\xff\x10\0\x06\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff";
/// The capability `cap_net_raw`, effective and permitted.
const CAPABILITY: &[u8] = b"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
const LABEL: &[u8] = b"system_u:object_r:etc_t:s0";

fn set(path: &Path, name: &str, value: &[u8]) -> bool {
    rustix::fs::lsetxattr(path, name, value, XattrFlags::empty()).is_ok()
}

fn get(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = [0; 1000];
    let len = rustix::fs::lgetxattr(path, name, &mut value[..]).ok()?;
    Some(value[..len].to_vec())
}

fn set_time(path: &Path, seconds: i64, nanoseconds: i64) {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    let times = Timestamps { last_access: time, last_modification: time };
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::utimensat(CWD, path, &times, flags).expect("a time");
}

/// Paths of some files of the tree.
struct Names {
    split: PathBuf,
    long: PathBuf,
    not_utf8: PathBuf,
}

impl Names {
    fn new() -> Self {
        let folders = PathBuf::from(format!("{}/{}", "p".repeat(80), "q".repeat(80)));
        Self {
            split: folders.join("r".repeat(80)),
            long: folders.join("s".repeat(200)),
            not_utf8: PathBuf::from(OsStr::from_bytes(b"gr\xfcn")),
        }
    }
}

/// Creates everything that an archive can store.
fn make_everything(root: &Path) {
    let names = Names::new();
    fs::create_dir_all(root.join(&names.long).parent().expect("a directory")).expect("a directory");
    fs::create_dir(root.join("empty-folder")).expect("a directory");
    for (name, contents) in [
        (Path::new("-- odd \\ name\n"), noise(70_000, 1)),
        (Path::new("empty"), Vec::new()),
        (Path::new("script"), b"#!/bin/sh\n".to_vec()),
        (Path::new("nanoseconds"), b"n".to_vec()),
        (Path::new("before-1970"), b"b".to_vec()),
        (Path::new("before-1970-nanoseconds"), b"c".to_vec()),
        (Path::new("attributes"), b"a".to_vec()),
        (Path::new("capability"), b"k".to_vec()),
        (Path::new("acl"), b"l".to_vec()),
        (Path::new("huge-owner"), b"h".to_vec()),
        (Path::new("grün \u{1F600}"), b"u".to_vec()),
        (&names.split, b"split".to_vec()),
        (&names.long, b"long".to_vec()),
        (&names.not_utf8, b"e".to_vec()),
    ] {
        fs::write(root.join(name), contents).expect("a file");
    }
    for (name, mode) in [("script", 0o755), ("empty", 0o600), ("empty-folder", 0o750)] {
        fs::set_permissions(root.join(name), Permissions::from_mode(mode)).expect("a mode");
    }
    symlink("script", root.join("link")).expect("a link");
    symlink("z".repeat(150), root.join("long-link")).expect("a link");
    fs::hard_link(root.join("script"), root.join("script-again")).expect("a link");
    fs::hard_link(root.join(&names.long), root.join("zz-long-again")).expect("a link");
    let mode = Mode::from_raw_mode(0o640);
    rustix::fs::mknodat(CWD, root.join("pipe"), FileType::Fifo, mode, 0).expect("a pipe");
    make_sparse(&root.join("sparse"));
    if is_root() {
        chown(root.join("empty"), Some(1234), Some(2345)).expect("an owner");
        chown(root.join("huge-owner"), Some(3_000_000), Some(4_294_967_290)).expect("an owner");
        set(&root.join("capability"), "security.capability", CAPABILITY);
    }
    set(&root.join("attributes"), "user.note", b"\0\n=\xff");
    set(&root.join("attributes"), "user.a=b%", b"odd");
    set(&root.join("acl"), "system.posix_acl_access", ACL);
    set(&root.join("empty-folder"), "system.posix_acl_default", ACL);
    for path in crate::common::children(root) {
        set_time(&root.join(path), 1_600_000_000, 0);
    }
    set_time(&root.join("nanoseconds"), 1_600_000_000, 123_456_789);
    set_time(&root.join("before-1970"), -1_000_000, 0);
    set_time(&root.join("before-1970-nanoseconds"), -2, 500_000_000);
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Two directories to compare.
struct Pair {
    from: PathBuf,
    to: PathBuf,
}

impl Pair {
    /// Returns whether `known` returns the same on both sides for all these names.
    fn same<T: PartialEq>(&self, names: &[&Path], known: impl Fn(&Path, &Metadata) -> T) -> bool {
        names.iter().all(|name| {
            let of = |root: &Path| {
                let path = root.join(name);
                fs::symlink_metadata(&path).ok().map(|metadata| known(&path, &metadata))
            };
            let before = of(&self.from);
            assert!(before.is_some(), "{}", name.display());
            before == of(&self.to)
        })
    }

    fn same_named<T: PartialEq>(
        &self,
        names: &[&str],
        known: impl Fn(&Path, &Metadata) -> T,
    ) -> bool {
        let names: Vec<_> = names.iter().map(Path::new).collect();
        self.same(&names, known)
    }

    fn same_contents(&self, name: &Path) -> bool {
        self.same(&[name], |path, _| fs::read(path).map(|contents| crc(&contents)).ok())
    }

    fn same_file(&self, first: &Path, second: &Path) -> bool {
        let inode = |name: &Path| fs::symlink_metadata(self.to.join(name)).map(|m| m.ino()).ok();
        inode(first).is_some() && inode(first) == inode(second) && self.same_contents(second)
    }

    fn same_attribute(&self, name: &str, attribute: &str) -> Option<bool> {
        let before = get(&self.from.join(name), attribute)?;
        Some(get(&self.to.join(name), attribute) == Some(before))
    }
}

/// A feature and whether it was preserved; `None` if this machine does not support it.
type Row = (&'static str, Option<bool>);

/// Checks the features of default archives.
fn plain_rows(pair: &Pair) -> Vec<Row> {
    let names = Names::new();
    let link = |path: &Path, _: &Metadata| fs::read_link(path).ok();
    let seconds = |_: &Path, metadata: &Metadata| metadata.mtime();
    let nanoseconds = |_: &Path, metadata: &Metadata| (metadata.mtime(), metadata.mtime_nsec());
    let owner = |_: &Path, metadata: &Metadata| (metadata.uid(), metadata.gid());
    let modes = ["script", "empty", "empty-folder", "-- odd \\ name\n"];
    let contents = [Path::new("-- odd \\ name\n"), Path::new("empty"), Path::new("script")];
    vec![
        ("contents", Some(contents.iter().all(|name| pair.same_contents(name)))),
        ("permissions", Some(pair.same_named(&modes, |_, metadata| metadata.mode()))),
        ("names of up to 255 bytes", Some(pair.same_contents(&names.split))),
        ("longer names", Some(pair.same_contents(&names.long))),
        ("names in UTF-8", Some(pair.same_contents(Path::new("grün \u{1F600}")))),
        ("names that are not UTF-8", Some(pair.same_contents(&names.not_utf8))),
        ("symbolic links", Some(pair.same_named(&["link"], link))),
        ("their targets of over 100 bytes", Some(pair.same_named(&["long-link"], link))),
        ("hard links", Some(pair.same_file("script".as_ref(), "script-again".as_ref()))),
        ("hard links to longer names", Some(pair.same_file(&names.long, "zz-long-again".as_ref()))),
        ("named pipes", Some(pair.same_named(&["pipe"], |_, metadata| metadata.mode()))),
        ("owners", is_root().then(|| pair.same_named(&["empty"], owner))),
        ("owners above 2097151", is_root().then(|| pair.same_named(&["huge-owner"], owner))),
        ("times", Some(pair.same_named(&["script", "empty", "empty-folder"], seconds))),
        ("times before 1970", Some(pair.same_named(&["before-1970"], seconds))),
        ("nanoseconds", Some(pair.same_named(&["nanoseconds"], nanoseconds))),
        (
            "nanoseconds before 1970",
            Some(pair.same_named(&["before-1970-nanoseconds"], nanoseconds)),
        ),
        ("files with holes", Some(pair.same_contents(Path::new("sparse")))),
    ]
}

/// Checks the features of archives made with `--xattrs`, `--acls` and `--sparse`.
fn extra_rows(pair: &Pair) -> Vec<Row> {
    let acl = |name, kind| pair.same_attribute(name, &format!("system.posix_acl_{kind}"));
    let acls = acl("acl", "access").zip(acl("empty-folder", "default")).map(|(a, b)| a && b);
    let sparse = Path::new("sparse");
    let limit = allocated(&pair.from.join(sparse)) + 65_536;
    let few = fs::metadata(pair.to.join(sparse)).is_ok_and(|m| m.blocks() * 512 <= limit);
    vec![
        ("attributes (`--xattrs`)", pair.same_attribute("attributes", "user.note")),
        ("attributes with = in their names", pair.same_attribute("attributes", "user.a=b%")),
        ("capabilities (`--xattrs`)", pair.same_attribute("capability", "security.capability")),
        ("access control lists (`--acls`)", acls),
        ("holes (`--sparse`)", Some(pair.same_contents(sparse) && few)),
    ]
}

/// Returns the path of node-tar, which `tools/setup` installs.
fn node_tar() -> String {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/node-tar");
    let package = target.join("node_modules/tar");
    assert!(package.exists(), "node-tar is missing; `make setup` installs it with npm");
    package.display().to_string()
}

const PYTHON: &str = "import sys, tarfile
archive = tarfile.open(sys.argv[1], 'r:gz')
if hasattr(tarfile, 'fully_trusted_filter'):
    archive.extraction_filter = tarfile.fully_trusted_filter
archive.extractall(sys.argv[2], numeric_owner=True)";

const NODE: &str = "const [tar, file, cwd] = process.argv.slice(1);
require(tar).x({ file, cwd, umask: 0, processUmask: 0, preserveOwner: process.getuid() === 0 })";

/// Programs that read our archives: name, package, and the command that extracts its first argument
/// to the second.
fn readers() -> Vec<(&'static str, &'static str, Vec<String>)> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let code = |program: &[&str], more: Vec<String>| {
        program.iter().map(|&word| word.to_owned()).chain(more).collect::<Vec<_>>()
    };
    vec![
        (
            "GNU tar",
            "tar",
            words("tar -xzp --warning=no-timestamp --xattrs --xattrs-include=* --acls -f {} -C {}"),
        ),
        ("bsdtar", "libarchive-tools", words("bsdtar -xp --xattrs --acls -f {} -C {}")),
        ("BusyBox", "busybox", words("busybox tar -xzp -f {} -C {}")),
        ("Python", "python3", code(&["python3", "-c", PYTHON], words("{} {}"))),
        (
            "node-tar",
            "nodejs",
            code(&["node", "-e", NODE], vec![node_tar(), "{}".to_owned(), "{}".to_owned()]),
        ),
    ]
}

/// Returns what each reader preserves of an archive. None of them may complain.
fn kept(archive: &[u8], from: &Path, rows: fn(&Pair) -> Vec<Row>) -> Vec<(&'static str, Vec<Row>)> {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("a.tar.gz");
    fs::write(&file, archive).expect("enough space");
    let mut kept = Vec::new();
    for (name, package, words) in readers() {
        let out = folder.path().join(package);
        fs::create_dir(&out).expect("a directory");
        let mut paths = [&file, &out].into_iter();
        let words = words.iter().map(|word| match &word[..] {
            "{}" => paths.next().expect("two paths").as_os_str(),
            word => OsStr::new(word),
        });
        let words: Vec<_> = words.collect();
        let output = Command::new(words[0]).args(&words[1..]).env("LC_ALL", "C.UTF-8").output();
        let output = output
            .unwrap_or_else(|error| panic!("{name}: {error}; `make setup` installs {package}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {said}");
        assert!(said.is_empty(), "{name}: {said}");
        let pair = Pair { from: from.to_owned(), to: out.join("t") };
        kept.push((name, rows(&pair)));
    }
    kept
}

/// Returns the lines of a table; `None` for those that this machine cannot check.
fn table(kept: &[(&'static str, Vec<Row>)]) -> Vec<Option<String>> {
    let rows = 0..kept[0].1.len();
    let line = |row: usize| {
        let mut line = format!("| {} |", kept[0].1[row].0);
        for (_, rows) in kept {
            write!(line, " {} |", if rows[row].1? { "yes" } else { "no" })
                .expect("writes to a String");
        }
        Some(line)
    };
    rows.map(line).collect()
}

#[test]
fn each_reader_preserves_what_the_documentation_says() {
    let folder = tempfile::tempdir().expect("a directory");
    let from = folder.path().join("everything");
    fs::create_dir(&from).expect("a directory");
    make_everything(&from);
    let plain = archive_of(&from, "t", TreeWriter::new());
    let full = TreeWriter::new().xattrs(true).acls(true).sparse(true);
    let full = archive_of(&from, "t", full);
    for archive in [&plain, &full] {
        verify(archive).expect("index and tar agree");
    }
    let out = folder.path().join("out");
    fs::create_dir(&out).expect("a directory");
    extract(&plain, &out, ExtractOptions::new().permissions(true).owner(is_root()));
    for (what, kept) in plain_rows(&Pair { from: from.clone(), to: out.join("t") }) {
        assert_ne!(kept, Some(false), "we lose {what}");
    }
    let plain = kept(&plain, &from, plain_rows);
    let full = kept(&full, &from, extra_rows);
    let lines: Vec<_> = [table(&plain), table(&full)].concat();
    let header: Vec<_> = plain.iter().map(|(name, _)| *name).collect();
    println!("| kept | {} |", header.join(" | "));
    for line in lines.iter().flatten() {
        println!("{line}");
    }
    // Each reader preserves every feature that it supports.
    for (reader, rows) in &plain {
        for (what, kept) in rows {
            let unknown = match *reader {
                "bsdtar" => &["nanoseconds before 1970"][..],
                "BusyBox" => &["times before 1970", "nanoseconds", "nanoseconds before 1970"],
                "Python" => &["nanoseconds"],
                "node-tar" => &["nanoseconds", "named pipes", "names that are not UTF-8"],
                _ => &[],
            };
            assert!(*kept != Some(false) || unknown.contains(what), "{reader} loses {what}");
        }
    }
    let documentation = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/archives.md");
    let documentation = fs::read_to_string(documentation).expect("it exists");
    for line in lines.iter().flatten() {
        assert!(documentation.contains(line), "docs/archives.md lacks the line {line}");
    }
}

/// Returns the PAX records of a tar, by the name of the entry that follows them.
fn records(tar: &[u8]) -> Vec<(String, Vec<Vec<u8>>)> {
    let (mut all, mut pending, mut at) = (Vec::new(), Vec::new(), 0);
    while tar[at] != 0 {
        let header = tar::Header::from_byte_slice(&tar[at..at + 512]);
        let size = header.entry_size().expect("a size") as usize;
        let data = &tar[at + 512..at + 512 + size];
        at += 512 + size.next_multiple_of(512);
        if header.entry_type().is_pax_local_extensions() {
            let mut rest = data;
            while !rest.is_empty() {
                let space = rest.iter().position(|byte| *byte == b' ').expect("a length");
                let len = std::str::from_utf8(&rest[..space]).expect("digits").parse();
                let (record, behind) = rest.split_at(len.expect("digits"));
                pending.push(record[space + 1..].to_vec());
                rest = behind;
            }
        } else {
            let name = String::from_utf8_lossy(&header.path_bytes()).into_owned();
            all.push((name, std::mem::take(&mut pending)));
        }
    }
    all
}

#[test]
fn attributes_acls_and_labels_are_written_as_by_gnu_tar() {
    let folder = tempfile::tempdir().expect("a directory");
    let root = folder.path().join("t");
    fs::create_dir_all(root.join("d")).expect("a directory");
    fs::write(root.join("f"), b"f").expect("a file");
    set_time(&root.join("f"), 1_600_000_000, 120_000_000);
    set(&root.join("f"), "user.a=b%", b"\0\n");
    set(&root.join("f"), "user.note", b"note");
    set(&root.join("f"), "system.posix_acl_access", ACL);
    set(&root.join("d"), "system.posix_acl_default", ACL);
    set(&root.join("f"), "security.selinux", LABEL);
    let writer = TreeWriter::new().xattrs(true).acls(true).selinux(true);
    let ours = run("gzip", "gzip", &["-dc"], &archive_of(&root, "t", writer));
    let path = folder.path().display().to_string();
    let theirs = "--format=posix --sort=name --xattrs --acls --selinux -C";
    let arguments: Vec<_> = ["cf", "-"].into_iter().chain(theirs.split(' ')).collect();
    let theirs = run("tar", "tar", &[&arguments[..], &[&path, "t"]].concat(), b"");
    let comparable = |tar: &[u8]| {
        let mut all = records(tar);
        for (_, records) in &mut all {
            // Only GNU tar writes these. It writes attributes in the order in which the system
            // lists them.
            records.retain(|r| !r.starts_with(b"atime=") && !r.starts_with(b"ctime="));
            records.sort();
        }
        all
    };
    assert_eq!(comparable(&ours), comparable(&theirs));
}

#[test]
fn only_attributes_that_match_are_written() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("f");
    fs::write(&path, b"f").expect("a file");
    if !set(&path, "user.a", b"1") || !set(&path, "user.b", b"2") {
        // This file system does not support them.
        return;
    }
    set_time(&path, 1_600_000_000, 0);
    let writer = TreeWriter::new().xattrs(true).xattrs_include(["trusted.*", "*.b"]);
    let tar = run("gzip", "gzip", &["-dc"], &archive_of(&path, "f", writer));
    assert_eq!(records(&tar), [("f".to_owned(), vec![b"SCHILY.xattr.user.b=2\n".to_vec()])]);
}

#[test]
fn sparse_files_are_written_as_by_gnu_tar() {
    let folder = tempfile::tempdir().expect("a directory");
    make_sparse(&folder.path().join("s"));
    set_time(&folder.path().join("s"), 1_600_000_000, 0);
    let writer = TreeWriter::new().sparse(true).numeric_owner(true);
    let ours = run("gzip", "gzip", &["-dc"], &archive_of(&folder.path().join("s"), "s", writer));
    let path = folder.path().display().to_string();
    let theirs = "--format=posix --sparse-version=1.0 --numeric-owner \
        --pax-option=delete=atime,delete=ctime,exthdr.name=%d/PaxHeaders/%f -S -C";
    let arguments: Vec<_> = ["cf", "-"].into_iter().chain(theirs.split_whitespace()).collect();
    let theirs = run("tar", "tar", &[&arguments[..], &[&path, "s"]].concat(), b"");
    // They differ in the process id that GNU tar writes into the name, and in the padding of the
    // tar.
    let name = |tar: &[u8]| String::from_utf8_lossy(&tar[1024..1024 + 20]).into_owned();
    assert!(name(&ours).starts_with("./GNUSparseFile.0/s"), "{}", name(&ours));
    assert!(name(&theirs).starts_with("./GNUSparseFile."), "{}", name(&theirs));
    assert_eq!(records(&ours)[0].1, records(&theirs)[0].1);
    // Ours has an index behind its end-of-archive blocks.
    let end = theirs.iter().rposition(|byte| *byte != 0).expect("data") + 1;
    assert!(ours[1536..end] == theirs[1536..end], "map and data");
}
