//! What we make of the archives of others.

use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use uadk_compress_archive::{ArchiveReader, ExtractOptions};

use crate::common::{make_tree, run, snapshot, text, verify};
use crate::tree::extract;

/// Whether an archive of a tree, made by others, gives back the tree.
fn assert_read(tree: &Path, file: &[u8], what: &str) {
    let out = tempfile::tempdir().expect("a folder");
    extract(
        file,
        out.path(),
        ExtractOptions::new().permissions(true).owner(rustix::process::geteuid().is_root()),
    );
    assert_eq!(snapshot(&out.path().join("tree")), snapshot(tree), "{what}");
    let verified = verify(file).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(!verified.indexed && verified.ended, "{what}");
    // One file out of it.
    let mut archive = ArchiveReader::new(Cursor::new(file)).expect("a reader");
    let mut read = Vec::new();
    archive.open("tree/sparse").expect("there").read_to_end(&mut read).expect("whole");
    assert!(read == fs::read(tree.join("sparse")).expect("a file"), "{what}");
}

#[test]
fn gnu_tars_formats_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
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
    let folder = tempfile::tempdir().expect("a folder");
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
    let folder = tempfile::tempdir().expect("a folder");
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
fn compressors_of_others_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
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
        // Concatenated with itself, as `cat` does it.
        let twice = [&file[..], &file].concat();
        let mut read = Vec::new();
        let mut reader = uadk_compress_archive::GzReader::new(&twice[..]).expect("a reader");
        reader.read_to_end(&mut read).expect("whole");
        assert!(read == [&tar[..], &tar].concat(), "{program}");
    }
}

/// Made by crabz 0.10.1 (`crabz -l 9 -p 2 -f FORMAT`) of a tar with `t/lines.txt` and `t/sub/hello.txt`.
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
            archive.open(name).expect("there").read_to_string(&mut read).expect("whole");
            assert!(read == contents, "{name}");
        }
        assert_eq!(archive.verify().expect("whole").entries, 4);
    }
}

#[test]
fn extended_attributes_of_gnu_tar_and_bsdtar_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = folder.path().join("from");
    fs::create_dir(&from).expect("a folder");
    fs::write(from.join("file"), text(100, 1)).expect("a file");
    let set = rustix::fs::lsetxattr(
        from.join("file"),
        "user.note",
        b"a=b\n",
        rustix::fs::XattrFlags::empty(),
    );
    if set.is_err() {
        // This file system has none.
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
        let out = tempfile::tempdir().expect("a folder");
        extract(&file, out.path(), ExtractOptions::new().xattrs(true));
        let mut value = [0; 10];
        let len = rustix::fs::lgetxattr(out.path().join("file"), "user.note", &mut value[..]);
        assert_eq!(&value[..len.expect(program)], b"a=b\n", "{program}");
    }
}
