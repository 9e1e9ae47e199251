//! Our archives, read by other programs.

use std::fs;
use std::io::Read;
use std::path::Path;

use uadk_compress_archive::TreeWriter;

use crate::common::{
    bgzf, bgzf_options, gzip, make_tree, options, run, sample_files, snapshot, text, write_sample,
};
use crate::tree::archive_of;

fn tar_of(file: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    gzip(1).reader(file).expect("a reader").read_to_end(&mut tar).expect("intact");
    tar
}

/// Creates a tree, an archive of it, and a directory for peers to extract to.
fn fixture() -> (tempfile::TempDir, Vec<u8>) {
    let folder = tempfile::tempdir().expect("a directory");
    make_tree(&folder.path().join("tree"));
    fs::create_dir(folder.path().join("out")).expect("a directory");
    let file = archive_of(&folder.path().join("tree"), "tree", TreeWriter::new());
    fs::write(folder.path().join("a.tar.gz"), &file).expect("enough space");
    (folder, file)
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

fn assert_extracted(folder: &Path) {
    assert_eq!(snapshot(&folder.join("out/tree")), snapshot(&folder.join("tree")));
}

#[test]
fn gnu_tar_extracts_contents_and_metadata() {
    let (folder, _) = fixture();
    let folder = folder.path();
    let (archive, out) = (path(folder, "a.tar.gz"), path(folder, "out"));
    run("tar", "tar", &["xzpf", &archive, "-C", &out], b"");
    assert_extracted(folder);
    run("tar", "tar", &["dzf", &archive, "-C", &path(folder, "")], b"");
}

#[test]
fn bsdtar_extracts_contents_and_metadata() {
    let (folder, _) = fixture();
    let folder = folder.path();
    run(
        "libarchive-tools",
        "bsdtar",
        &["xzpf", &path(folder, "a.tar.gz"), "-C", &path(folder, "out")],
        b"",
    );
    assert_extracted(folder);
}

#[test]
fn pythons_tarfile_extracts_contents_and_metadata() {
    let (folder, _) = fixture();
    let folder = folder.path();
    let script = "import sys, tarfile
archive = tarfile.open(sys.argv[1], 'r:gz')
if hasattr(tarfile, 'fully_trusted_filter'):
    archive.extraction_filter = tarfile.fully_trusted_filter
archive.extractall(sys.argv[2], numeric_owner=True)";
    run(
        "python3",
        "python3",
        &["-c", script, &path(folder, "a.tar.gz"), &path(folder, "out")],
        b"",
    );
    // It does not set times of symbolic links.
    let others = |root: &str| -> Vec<String> {
        snapshot(&folder.join(root)).into_iter().filter(|line| !line.contains("->")).collect()
    };
    assert_eq!(others("out/tree"), others("tree"));
    for link in ["sub/link", "dangling"] {
        let target = |root: &str| fs::read_link(folder.join(root).join(link)).expect("a link");
        assert_eq!(target("out/tree"), target("tree"));
    }
}

#[test]
fn extended_attributes_are_read_by_gnu_tar() {
    let (folder, _) = fixture();
    let folder = folder.path();
    let file = folder.join("tree/a.txt");
    let set = rustix::fs::lsetxattr(&file, "user.note", b"here", rustix::fs::XattrFlags::empty());
    if set.is_err() {
        // This file system does not support them.
        return;
    }
    let archive = archive_of(&folder.join("tree"), "tree", TreeWriter::new().xattrs(true));
    fs::write(folder.join("a.tar.gz"), archive).expect("enough space");
    let (archive, out) = (path(folder, "a.tar.gz"), path(folder, "out"));
    run("tar", "tar", &["xzpf", &archive, "--xattrs", "-C", &out], b"");
    assert_extracted(folder);
    let mut value = [0; 10];
    let len = rustix::fs::lgetxattr(folder.join("out/tree/a.txt"), "user.note", &mut value[..]);
    assert_eq!(&value[..len.expect("it is set")], b"here");
}

#[test]
fn other_decompressors_output_exactly_the_tar() {
    let file = write_sample(&options(3));
    let tar = tar_of(&file);
    for (package, program, arguments) in [
        ("gzip", "gzip", &["-dc"][..]),
        ("pigz", "pigz", &["-dc"]),
        ("tabix", "bgzip", &["-dc"]),
        ("tabix", "bgzip", &["-dc", "-@", "3"]),
        ("libarchive-tools", "bsdcat", &[]),
        (
            "python3",
            "python3",
            &[
                "-c",
                "import gzip, sys; sys.stdout.buffer.write(gzip.open(sys.stdin.buffer).read())",
            ],
        ),
    ] {
        assert!(run(package, program, arguments, &file) == tar, "{program} {arguments:?}");
    }
    run("gzip", "gzip", &["-t"], &file);
}

#[test]
fn htslib_seeks_in_blocks() {
    let folder = tempfile::tempdir().expect("a directory");
    let data = text(2_000_000, 1);
    for (name, file) in [
        ("plain.gz", bgzf(2).compress(&data[..], Vec::new()).expect("writes to memory")),
        ("archive.tar.gz", write_sample(&bgzf_options(2))),
    ] {
        let tar = tar_of(&file);
        let path = path(folder.path(), name);
        fs::write(&path, file).expect("enough space");
        run("tabix", "bgzip", &["-r", &path], b"");
        for offset in [0, 1, 65_279, 65_280, 1_000_000, tar.len() - 10] {
            let from = offset.to_string();
            let read = run("tabix", "bgzip", &["-c", "-b", &from, "-s", "10", &path], b"");
            assert_eq!(read, &tar[offset..offset + 10], "{name} at {offset}");
        }
    }
}

#[test]
fn appended_and_resumed_archives_are_read() {
    let mut file = write_sample(&options(1));
    for cut in [false, true] {
        if cut {
            file.truncate(file.len() * 9 / 10);
        }
        let resumed = options(2).resume(std::io::Cursor::new(file)).expect("a torn end");
        let mut archive = resumed.0;
        archive.append_bytes("appended", b"more").expect("writes to memory");
        file = archive.finish().expect("writes to memory").into_inner();
        let tar = run("tabix", "bgzip", &["-dc", "-@", "2"], &file);
        assert!(run("gzip", "gzip", &["-dc"], &file) == tar);
        let names = String::from_utf8(run("tar", "tar", &["tf", "-"], &tar)).expect("ASCII");
        assert_eq!(names.lines().last(), Some("appended"));
        assert!(cut || names.lines().count() == sample_files().len() + 1);
    }
}
