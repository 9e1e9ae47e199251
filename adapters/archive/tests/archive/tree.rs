//! Trees on disk, there and back.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use uadk_compress_archive::{
    ArchiveReader, EntryKind, Error, ExtractOptions, Extractor, TreeWriter,
};

use crate::common::{allocated, make_tree, options, snapshot, verify};

pub(crate) fn archive_of(tree: &Path, name: &str, writer: TreeWriter) -> Vec<u8> {
    let mut archive = options(2).writer(Vec::new()).expect("an archive");
    let mut writer = writer;
    writer.append_tree(&mut archive, tree, Path::new(name)).expect("it can be read");
    archive.finish().expect("memory")
}

pub(crate) fn extract(file: &[u8], to: &Path, options: ExtractOptions) {
    let mut archive = ArchiveReader::new(file).expect("a reader");
    let mut extractor = Extractor::new(to, options).expect("a folder");
    while let Some(mut entry) = archive.next_entry().expect("whole") {
        extractor.extract(&mut entry).expect("it can be written");
    }
    extractor.finish().expect("folders");
}

#[test]
fn a_tree_comes_back_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    make_tree(&from);
    fs::create_dir(&to).expect("a folder");
    let file = archive_of(&from, "tree", TreeWriter::new());
    verify(&file).expect("index and tar agree");
    let exact = ExtractOptions::new().permissions(true).owner(rustix::process::geteuid().is_root());
    extract(&file, &to, exact.clone());
    assert_eq!(snapshot(&to.join("tree")), snapshot(&from));
    assert!(allocated(&to.join("tree/sparse")) <= allocated(&from.join("sparse")) + 65_536);
    // Over what is there already.
    extract(&file, &to, exact);
    assert_eq!(snapshot(&to.join("tree")), snapshot(&from));
}

#[test]
fn holes_are_left_out_unless_they_are_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = folder.path().join("from");
    make_tree(&from);
    let with = archive_of(&from, "t", TreeWriter::new().sparse(false));
    let without = archive_of(&from, "t", TreeWriter::new());
    let tar_len = |file: &[u8]| verify(file).expect("whole").tar_len;
    if allocated(&from.join("sparse")) < 1 << 20 {
        assert!(tar_len(&without) + (4 << 20) < tar_len(&with));
    }
    for file in [with, without] {
        let mut archive = ArchiveReader::new(Cursor::new(file)).expect("a reader");
        let mut entry = archive.open("t/sparse").expect("it is there");
        assert_eq!((entry.entry().kind(), entry.entry().size()), (EntryKind::File, 5 << 20));
        let mut read = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut read).expect("whole");
        assert!(read == fs::read(from.join("sparse")).expect("a file"));
    }
}

#[test]
fn extended_attributes_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    for path in [&from, &to] {
        fs::create_dir(path).expect("a folder");
    }
    let path = from.join("file");
    fs::write(&path, b"contents").expect("a file");
    let values = [("user.plain", &b"value"[..]), ("user.bytes", b"\0\n=\xff")];
    for (name, value) in values {
        let set = rustix::fs::lsetxattr(&path, name, value, rustix::fs::XattrFlags::empty());
        if set == Err(rustix::io::Errno::OPNOTSUPP) {
            // This file system has none.
            return;
        }
        set.expect("an attribute");
    }
    let file = archive_of(&from, "t", TreeWriter::new().xattrs(true));
    extract(&file, &to, ExtractOptions::new().xattrs(true));
    let get = |path: &Path, name: &str| {
        let mut value = [0; 100];
        rustix::fs::lgetxattr(path, name, &mut value[..]).map(|len| value[..len].to_vec())
    };
    for (name, value) in values {
        assert_eq!(get(&to.join("t/file"), name).as_deref(), Ok(value));
    }
    // Only if they are asked for.
    extract(&file, &to, ExtractOptions::new());
    assert!(get(&to.join("t/file"), "user.plain").is_err());
}

#[test]
fn times_before_1970_and_odd_names_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    for path in [&from, &to] {
        fs::create_dir(path).expect("a folder");
    }
    let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff\xfe \n");
    fs::write(from.join(name), b"old").expect("a file");
    let time = std::time::SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(1000);
    fs::File::open(from.join(name)).and_then(|file| file.set_modified(time)).expect("a time");
    let file = archive_of(&from, "t", TreeWriter::new());
    verify(&file).expect("index and tar agree");
    extract(&file, &to, ExtractOptions::new());
    let metadata = fs::metadata(to.join("t").join(name)).expect("it is there");
    assert_eq!(metadata.modified().expect("a time"), time);
}

#[test]
fn a_socket_is_told_of_and_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let _socket = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
    let mut archive = options(1).writer(Vec::new()).expect("an archive");
    let mut tree = TreeWriter::new();
    let error = tree.append_path(&mut archive, &path, Path::new("socket")).unwrap_err();
    assert!(matches!(error, Error::Entry { .. }), "{error}");
    let error = tree.append_path(&mut archive, &folder.path().join("none"), Path::new("none"));
    assert!(matches!(error, Err(Error::Entry { .. })));
    assert_eq!(verify(&archive.finish().expect("memory")).expect("whole").entries, 0);
}
