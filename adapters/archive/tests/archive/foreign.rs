//! Reading archives made by other programs.

use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use uadk_compress_archive::{ArchiveReader, ExtractOptions};

use crate::common::{make_tree, run, snapshot, text, verify};
use crate::tree::extract;

/// Checks that an archive of a tree, made by another program, is extracted to the same tree.
fn assert_read(tree: &Path, file: &[u8], what: &str) {
    let out = tempfile::tempdir().expect("a directory");
    extract(
        file,
        out.path(),
        ExtractOptions::new().permissions(true).owner(rustix::process::geteuid().is_root()),
    );
    assert_eq!(snapshot(&out.path().join("tree")), snapshot(tree), "{what}");
    let verified = verify(file).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(!verified.indexed && verified.ended, "{what}");
    // Open a single file.
    let mut archive = ArchiveReader::new(Cursor::new(file)).expect("a reader");
    let mut read = Vec::new();
    archive.open("tree/sparse").expect("it exists").read_to_end(&mut read).expect("intact");
    assert!(read == fs::read(tree.join("sparse")).expect("a file"), "{what}");
}

#[test]
fn gnu_tars_formats_are_read() {
    let folder = tempfile::tempdir().expect("a directory");
    let tree = folder.path().join("tree");
    make_tree(&tree);
    let root = folder.path().display().to_string();
    for arguments in [
        &["--format=gnu"][..],
        &["--format=gnu", "--sparse"],
        &["--format=posix"],
        &["--format=posix", "--sparse"],
        &["--format=posix", "--sparse", "--sparse-version=0.0"],
        &["--format=posix", "--sparse", "--sparse-version=0.1"],
        &["--format=oldgnu", "--sparse"],
    ] {
        let line = [arguments, &["-czf", "-", "-C", &root, "tree"]].concat();
        assert_read(&tree, &run("tar", "tar", &line, b""), &format!("{arguments:?}"));
    }
}

#[test]
fn bsdtars_formats_are_read() {
    let folder = tempfile::tempdir().expect("a directory");
    let tree = folder.path().join("tree");
    make_tree(&tree);
    let root = folder.path().display().to_string();
    for format in ["pax", "gnutar"] {
        let line = ["-czf", "-", "--format", format, "-C", &root, "tree"];
        assert_read(&tree, &run("libarchive-tools", "bsdtar", &line, b""), format);
    }
}

#[test]
fn pythons_tarfile_is_read() {
    let folder = tempfile::tempdir().expect("a directory");
    let tree = folder.path().join("tree");
    make_tree(&tree);
    let script = "import sys, tarfile
archive = tarfile.open(fileobj=sys.stdout.buffer, mode='w|gz', format=getattr(tarfile, sys.argv[2]))
archive.add(sys.argv[1], 'tree')
archive.close()";
    for format in ["GNU_FORMAT", "PAX_FORMAT"] {
        let line = ["-c", script, &tree.display().to_string(), format];
        assert_read(&tree, &run("python3", "python3", &line, b""), format);
    }
}

#[test]
fn output_of_other_compressors_is_read() {
    let folder = tempfile::tempdir().expect("a directory");
    let tree = folder.path().join("tree");
    make_tree(&tree);
    let root = folder.path().display().to_string();
    let tar = run("tar", "tar", &["-cf", "-", "-C", &root, "tree"], b"");
    for (package, program, arguments) in [
        ("gzip", "gzip", &["-9"][..]),
        ("gzip", "gzip", &["-1"]),
        ("pigz", "pigz", &["-6"]),
        ("pigz", "pigz", &["-1", "-i"]),
        ("tabix", "bgzip", &[]),
        ("tabix", "bgzip", &["-l", "0"]),
    ] {
        let file = run(package, program, arguments, &tar);
        assert_read(&tree, &file, program);
        // Concatenated with itself, as by `cat`.
        let twice = [&file[..], &file].concat();
        let mut read = Vec::new();
        let mut reader = uadk_compress_archive::GzReader::new(&twice[..]).expect("a reader");
        reader.read_to_end(&mut read).expect("intact");
        assert!(read == [&tar[..], &tar].concat(), "{program}");
    }
}

/// The fixtures are made by crabz 0.10.1 (`crabz -l 9 -p 2 -f FORMAT`) from a tar with
/// `t/lines.txt` and `t/sub/hello.txt`.
#[test]
fn crabz_is_read() {
    let lines: Vec<String> = (0..20_000).map(|i| format!("line {}\n", i * 7919 % 1000)).collect();
    let lines = lines.concat();
    for file in [
        &include_bytes!("../fixtures/crabz-bgzf.tar.gz")[..],
        include_bytes!("../fixtures/crabz-mgzip.tar.gz"),
        include_bytes!("../fixtures/crabz-gzip.tar.gz"),
    ] {
        let mut archive = ArchiveReader::new(Cursor::new(file)).expect("a reader");
        for (name, contents) in [("t/lines.txt", &lines[..]), ("t/sub/hello.txt", "hello\n")] {
            let mut read = String::new();
            archive.open(name).expect("it exists").read_to_string(&mut read).expect("intact");
            assert!(read == contents, "{name}");
        }
        assert_eq!(archive.verify().expect("intact").entries, 4);
    }
}

#[test]
fn extended_attributes_of_gnu_tar_and_bsdtar_are_read() {
    let folder = tempfile::tempdir().expect("a directory");
    let from = folder.path().join("from");
    fs::create_dir(&from).expect("a directory");
    fs::write(from.join("file"), text(100, 1)).expect("a file");
    let set = rustix::fs::lsetxattr(
        from.join("file"),
        "user.note",
        b"a=b\n",
        rustix::fs::XattrFlags::empty(),
    );
    if set.is_err() {
        // This file system does not support them.
        return;
    }
    let root = from.display().to_string();
    for (package, program, arguments) in [
        ("tar", "tar", &["--xattrs", "-czf", "-", "-C", &root, "file"][..]),
        (
            "libarchive-tools",
            "bsdtar",
            &["--xattrs", "--format", "pax", "-czf", "-", "-C", &root, "file"],
        ),
    ] {
        let file = run(package, program, arguments, b"");
        let out = tempfile::tempdir().expect("a directory");
        extract(&file, out.path(), ExtractOptions::new().xattrs(true));
        let mut value = [0; 10];
        let len = rustix::fs::lgetxattr(out.path().join("file"), "user.note", &mut value[..]);
        assert_eq!(&value[..len.expect(program)], b"a=b\n", "{program}");
    }
}

/// Attributes of each namespace: a note, one for root only, capabilities, a label and an access
/// control list.
const ATTRIBUTES: [(&str, &[u8]); 5] = [
    ("user.note", b"n"),
    ("trusted.note", b"t"),
    ("security.capability", &[1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ("security.selinux", b"foo_u:r:t\0"),
    (
        "system.posix_acl_access",
        b"\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x06\0\xd2\x04\0\0\x04\0\x04\0\
          \xff\xff\xff\xff\x10\0\x06\0\xff\xff\xff\xff\x20\0\x04\0\xff\xff\xff\xff",
    ),
];

fn without_nul(value: &[u8]) -> &[u8] {
    value.strip_suffix(b"\0").unwrap_or(value)
}

#[test]
fn attributes_of_all_namespaces_are_restored_on_request() {
    if !rustix::process::geteuid().is_root() {
        // Only root may set them.
        return;
    }
    let folder = tempfile::tempdir().expect("a directory");
    let from = folder.path().join("from");
    fs::create_dir(&from).expect("a directory");
    fs::write(from.join("file"), text(100, 1)).expect("a file");
    for (name, value) in ATTRIBUTES {
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::lsetxattr(from.join("file"), name, value, flags).expect(name);
    }
    let root = from.display().to_string();
    let gnu =
        ["--acls", "--selinux", "--xattrs", "--xattrs-include=*", "-czf", "-", "-C", &root, "file"];
    let bsd = ["--acls", "--xattrs", "--format", "pax", "-czf", "-", "-C", &root, "file"];
    let all = ExtractOptions::new().acls(true).selinux(true).xattrs_include(["*"]);
    let none: &[&str] = &[];
    for (what, file, options, expected) in [
        (
            "GNU tar, all",
            run("tar", "tar", &gnu, b""),
            all.clone(),
            &ATTRIBUTES.map(|(name, _)| name)[..],
        ),
        (
            "bsdtar, all",
            run("libarchive-tools", "bsdtar", &bsd, b""),
            all,
            &ATTRIBUTES.map(|(name, _)| name),
        ),
        ("nothing", run("tar", "tar", &gnu, b""), ExtractOptions::new(), none),
        ("user", run("tar", "tar", &gnu, b""), ExtractOptions::new().xattrs(true), &["user.note"]),
        (
            "list",
            run("tar", "tar", &gnu, b""),
            ExtractOptions::new().acls(true),
            &["system.posix_acl_access"],
        ),
        (
            "label",
            run("tar", "tar", &gnu, b""),
            ExtractOptions::new().selinux(true),
            &["security.selinux"],
        ),
        (
            "pattern",
            run("tar", "tar", &gnu, b""),
            ExtractOptions::new().xattrs_include(["*.cap*"]),
            &["security.capability"],
        ),
    ] {
        let out = tempfile::tempdir().expect("a directory");
        extract(&file, out.path(), options.permissions(true));
        let found: Vec<_> = ATTRIBUTES
            .into_iter()
            .filter_map(|(name, value)| {
                let mut found = [0; 100];
                let len =
                    rustix::fs::lgetxattr(out.path().join("file"), name, &mut found[..]).ok()?;
                // bsdtar drops the NUL at the end of the label.
                assert_eq!(without_nul(&found[..len]), without_nul(value), "{what}: {name}");
                Some(name)
            })
            .collect();
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn attribute_names_and_pipe_modes_are_restored_exactly() {
    let folder = tempfile::tempdir().expect("a directory");
    let from = folder.path().join("from");
    fs::create_dir(&from).expect("a directory");
    fs::write(from.join("file"), b"").expect("a file");
    let names = ["user.a=b", "user.p%", "user.%3D"];
    for name in names {
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::lsetxattr(from.join("file"), name, b"1", flags).expect(name);
    }
    let mode = rustix::fs::Mode::from_raw_mode(0o666);
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, from.join("pipe"), kind, mode, 0).expect("a pipe");
    rustix::fs::chmod(from.join("pipe"), mode).expect("a pipe");
    let root = from.display().to_string();
    let tar = run("tar", "tar", &["--xattrs", "-cf", "-", "-C", &root, "file", "pipe"], b"");
    let of = |options: ExtractOptions| {
        let out = tempfile::tempdir().expect("a directory");
        extract(&tar, out.path(), options.permissions(true));
        let pipe = fs::metadata(out.path().join("pipe")).expect("a pipe");
        assert_eq!(pipe.mode() & 0o777, 0o666);
        let is_there = |name: &&str| {
            rustix::fs::lgetxattr(out.path().join("file"), *name, &mut [0; 9]).is_ok()
        };
        names.into_iter().filter(is_there).collect::<Vec<_>>()
    };
    assert_eq!(of(ExtractOptions::new().xattrs(true)), names);
    assert_eq!(of(ExtractOptions::new().xattrs(true).xattrs_exclude(["*%*"])), ["user.a=b"]);
}

#[test]
fn restoring_acls_removes_those_inherited_from_the_directory() {
    let folder = tempfile::tempdir().expect("a directory");
    let tree = folder.path().join("tree");
    fs::create_dir_all(tree.join("d")).expect("a directory");
    fs::write(tree.join("d/f"), b"").expect("a file");
    let root = folder.path().display().to_string();
    let tar = run("tar", "tar", &["--acls", "-cf", "-", "-C", &root, "tree"], b"");
    // Read and write for user 1234, and the usual permissions for the owner and the rest.
    let list = b"\x02\0\0\0\x01\0\x07\0\xff\xff\xff\xff\x02\0\x06\0\xd2\x04\0\0\x04\0\x05\0\
        \xff\xff\xff\xff\x10\0\x07\0\xff\xff\xff\xff\x20\0\x05\0\xff\xff\xff\xff";
    let flags = rustix::fs::XattrFlags::empty();
    for (acls, expected) in [(true, false), (false, true)] {
        let out = tempfile::tempdir().expect("a directory");
        let default = "system.posix_acl_default";
        rustix::fs::lsetxattr(out.path(), default, list, flags).expect("a file system with ACLs");
        extract(&tar, out.path(), ExtractOptions::new().permissions(true).acls(acls));
        for (path, name) in [("tree/d/f", "system.posix_acl_access"), ("tree/d", default)] {
            let list = rustix::fs::lgetxattr(out.path().join(path), name, &mut [0; 100]);
            assert_eq!(list.is_ok(), expected, "{path}");
        }
        let mode = |path: &str| fs::metadata(out.path().join(path)).expect("it exists").mode();
        if acls {
            assert_eq!(mode("tree/d/f"), fs::metadata(tree.join("d/f")).expect("a file").mode());
        }
    }
}

#[test]
fn nanoseconds_are_restored() {
    let folder = tempfile::tempdir().expect("a directory");
    let from = folder.path().join("from");
    fs::create_dir(&from).expect("a directory");
    fs::write(from.join("file"), b"x").expect("a file");
    let root = from.display().to_string();
    // bsdtar writes and reads fractions before 1970 with the wrong sign.
    for (package, program, seconds) in [("tar", "tar", -5), ("libarchive-tools", "bsdtar", 5)] {
        let time = rustix::fs::Timespec { tv_sec: seconds, tv_nsec: 123_456_789 };
        let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
        let flags = rustix::fs::AtFlags::empty();
        rustix::fs::utimensat(rustix::fs::CWD, from.join("file"), &times, flags).expect("a time");
        let file = run(package, program, &["--format=pax", "-czf", "-", "-C", &root, "file"], b"");
        let out = tempfile::tempdir().expect("a directory");
        extract(&file, out.path(), ExtractOptions::new());
        let metadata = fs::metadata(out.path().join("file")).expect("it exists");
        let time = (metadata.mtime(), metadata.mtime_nsec());
        assert_eq!(time, (seconds, 123_456_789), "{program}");
        let mut archive = ArchiveReader::new(&file[..]).expect("a reader");
        let entry = archive.next_entry().expect("intact").expect("an entry");
        assert_eq!(entry.entry().mtime_nanoseconds(), 123_456_789, "{program}");
        assert!(!entry.entry().user_name().is_empty() && !entry.entry().group_name().is_empty());
    }
}

#[test]
fn concatenated_archives_are_read_as_by_gnu_tar() {
    let folder = tempfile::tempdir().expect("a directory");
    let mut both = Vec::new();
    for name in ["one", "two"] {
        fs::write(folder.path().join(name), name).expect("a file");
        let root = folder.path().display().to_string();
        both.extend(run("tar", "tar", &["-czf", "-", "-C", &root, name], b""));
    }
    for (ignore, arguments) in [(false, "-tzf"), (true, "-tizf")] {
        let listed = run("tar", "tar", &[arguments, "-"], &both);
        let mut archive = ArchiveReader::new(Cursor::new(&both[..])).expect("a reader");
        archive.ignore_zeros(ignore);
        let index = archive.index().expect("intact");
        let names: Vec<_> =
            index.entries().iter().map(|entry| entry.path().display().to_string()).collect();
        assert_eq!(names.join("\n") + "\n", String::from_utf8_lossy(&listed));
        for name in &names {
            let mut contents = String::new();
            archive.open(name).expect("it exists").read_to_string(&mut contents).expect("intact");
            assert_eq!(&contents, name);
        }
        assert!(archive.take_warnings().is_empty());
    }
}

#[test]
fn incremental_archives_are_extracted_as_by_gnu_tar() {
    let folder = tempfile::tempdir().expect("a directory");
    let tree = folder.path().join("tree");
    make_tree(&tree);
    fs::create_dir(tree.join("nothing in it")).expect("a directory");
    let root = folder.path().display().to_string();
    let snapshot_file = format!("--listed-incremental={root}/state");
    let file = run("tar", "tar", &[&snapshot_file, "-czf", "-", "-C", &root, "tree"], b"");
    let out = tempfile::tempdir().expect("a directory");
    let owner = rustix::process::geteuid().is_root();
    extract(&file, out.path(), ExtractOptions::new().permissions(true).owner(owner));
    assert_eq!(snapshot(&out.path().join("tree")), snapshot(&tree));
}
