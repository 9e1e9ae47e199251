//! Trees on disk, there and back.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use uadk_compress_archive::{
    ArchiveReader, Entry, EntryKind, Error, ExtractOptions, Extractor, TreeWriter,
};

use crate::common::{allocated, make_tree, options, run, snapshot, verify};

pub(crate) fn archive_of(tree: &Path, name: &str, writer: TreeWriter) -> Vec<u8> {
    let mut archive = options(2).writer(Vec::new()).expect("an archive");
    let mut writer = writer;
    let notes = writer.append_tree(&mut archive, tree, Path::new(name)).expect("memory");
    assert_eq!(notes, [], "all can be read");
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
    let file = archive_of(&from, "tree", TreeWriter::new().sparse(true));
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
fn holes_are_left_out_if_that_is_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = folder.path().join("from");
    make_tree(&from);
    let with = archive_of(&from, "t", TreeWriter::new());
    let without = archive_of(&from, "t", TreeWriter::new().sparse(true));
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
    let appended = tree.append_path(&mut archive, &path, Path::new("socket")).expect("a note");
    assert!(!appended.stored);
    let notes: Vec<_> = appended.notes.iter().map(|note| (note.what(), note.status())).collect();
    assert_eq!(notes, [("socket ignored", 0)]);
    let error = tree.append_path(&mut archive, &folder.path().join("none"), Path::new("none"));
    assert!(matches!(error, Err(Error::Entry { .. })));
    assert_eq!(verify(&archive.finish().expect("memory")).expect("whole").entries, 0);
}

#[test]
fn what_cant_be_read_is_noted_and_the_rest_is_added() {
    let folder = tempfile::tempdir().expect("a folder");
    let tree = folder.path().join("tree");
    fs::create_dir_all(tree.join("z")).expect("a folder");
    fs::write(tree.join("z/last"), b"last").expect("a file");
    // Where a file was, as for one that vanishes between the two looks at it.
    std::os::unix::fs::symlink("nowhere", tree.join("gone")).expect("a link");
    let mut archive = options(1).writer(Vec::new()).expect("an archive");
    let mut writer = TreeWriter::new().dereference(true);
    let notes = writer.append_tree(&mut archive, &tree, Path::new("t")).expect("memory");
    let notes: Vec<_> = notes.iter().map(|note| (note.what(), note.status())).collect();
    assert_eq!(notes, [("file removed before we read it", 1)]);
    let missing = folder.path().join("missing");
    let notes = writer.append_tree(&mut archive, &missing, Path::new("m")).expect("memory");
    assert!(matches!(&notes[..], [note] if note.status() == 2), "{notes:?}");
    assert_eq!(names(&archive.finish().expect("memory")), ["t/", "t/z/", "t/z/last"]);
}

fn names(file: &[u8]) -> Vec<String> {
    let mut archive = ArchiveReader::new(Cursor::new(file)).expect("a reader");
    let index = archive.index().expect("whole");
    index.entries().iter().map(|entry| entry.path().display().to_string()).collect()
}

#[test]
fn a_file_that_is_met_again_is_no_link_to_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    fs::create_dir_all(root.join("d/sub")).expect("a folder");
    fs::write(root.join("d/sub/f"), b"x").expect("a file");
    fs::hard_link(root.join("d/sub/f"), root.join("d/sub/g")).expect("a link");
    let mut archive = options(1).writer(Vec::new()).expect("an archive");
    let mut tree = TreeWriter::new();
    for name in ["d", "d/sub", "./d//sub/f"] {
        let notes = tree.append_tree(&mut archive, &root.join(name), Path::new(name));
        assert_eq!(notes.expect("memory"), []);
    }
    let file = archive.finish().expect("memory");
    let mut archive = ArchiveReader::new(Cursor::new(&file)).expect("a reader");
    for entry in archive.index().expect("whole").entries() {
        assert_ne!(entry.link(), Some(entry.path()));
    }
    let out = root.join("out");
    fs::create_dir(&out).expect("a folder");
    extract(&file, &out, ExtractOptions::new());
    assert_eq!(snapshot(&out.join("d")), snapshot(&root.join("d")));
}

#[test]
fn further_names_are_files_of_their_own_if_that_is_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("f"), b"x").expect("a file");
    fs::hard_link(folder.path().join("f"), folder.path().join("g")).expect("a link");
    let file = archive_of(folder.path(), "t", TreeWriter::new().hard_dereference(true));
    let mut archive = ArchiveReader::new(Cursor::new(file)).expect("a reader");
    let kinds: Vec<_> = archive.index().expect("whole").entries().iter().map(Entry::kind).collect();
    assert_eq!(kinds, [EntryKind::Directory, EntryKind::File, EntryKind::File]);
}

/// Changes a file as soon as something is written.
struct Meddler<'a>(Option<&'a dyn Fn()>);

impl std::io::Write for Meddler<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Some(change) = self.0.take() {
            change();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn files_that_change_while_they_are_read_have_the_size_first_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("changing");
    let resize =
        |len: u64| fs::File::options().write(true).open(&path).and_then(|file| file.set_len(len));
    let noise = crate::common::noise(40 << 20, 9);
    let small = 1 << 16;
    for (len, what) in [
        (noise.len() as u64 + 5, "file changed as we read it".to_owned()),
        (small, format!("file shrank by {} bytes; padding with zeros", noise.len() as u64 - small)),
    ] {
        fs::write(&path, &noise).expect("a file");
        let change = || resize(len).expect("another size");
        let meddler = Meddler(Some(&change));
        let mut archive = options(1).writer(meddler).expect("an archive");
        let appended = TreeWriter::new().append_path(&mut archive, &path, Path::new("f"));
        let appended = appended.expect("a note");
        // Before it a header with nanoseconds, of two blocks, and its own.
        assert_eq!(archive.tar_len(), noise.len() as u64 + 3 * 512);
        let [note] = &appended.notes[..] else { panic!("{:?}", appended.notes) };
        assert_eq!(note.status(), 1);
        // How much had been read before is no matter of ours.
        let digits = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
        assert_eq!(digits(note.what()), digits(&what));
        archive.finish().expect("it takes all");
    }
}

#[test]
fn paths_may_be_longer_than_the_system_takes_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("t");
    fs::create_dir(&root).expect("a folder");
    let mut at = fs::File::open(&root).expect("a folder");
    let name = "n".repeat(100);
    let depth = 60;
    for _ in 0..depth {
        let mode = rustix::fs::Mode::from_raw_mode(0o755);
        rustix::fs::mkdirat(&at, &name, mode).expect("a folder");
        let flags = rustix::fs::OFlags::DIRECTORY;
        at = rustix::fs::openat(&at, &name, flags, rustix::fs::Mode::empty())
            .expect("a folder")
            .into();
    }
    rustix::fs::symlinkat("target", &at, "link").expect("a link");
    let flags = rustix::fs::OFlags::CREATE | rustix::fs::OFlags::WRONLY;
    rustix::fs::openat(&at, "file", flags, rustix::fs::Mode::from_raw_mode(0o644)).expect("a file");
    rustix::fs::fsetxattr(&at, "user.x", b"y", rustix::fs::XattrFlags::empty()).ok();
    let file = archive_of(&root, "t", TreeWriter::new().xattrs(true));
    verify(&file).expect("index and tar agree");
    let names = names(&file);
    assert_eq!(names.len(), depth + 3);
    assert!(names.iter().any(|name| name.len() > 6000 && name.ends_with("/link")));
    // GNU tar stores the same.
    let path = folder.path().display().to_string();
    let theirs = run("tar", "tar", &["cf", "-", "--sort=name", "-C", &path, "t"], b"");
    let listed = |tar: &[u8]| run("tar", "tar", &["tf", "-"], tar);
    assert!(listed(&theirs) == listed(&run("gzip", "gzip", &["-dc"], &file)));
    // Those without room for such names go on behind them.
    let listed = run("busybox", "busybox", &["tar", "tzf", "-"], &file);
    assert_eq!(listed.split(|byte| *byte == b'\n').count(), names.len() + 1);
    // The library's own way to remove it takes no such path.
    run("coreutils", "rm", &["-r", &root.display().to_string()], b"");
}

#[test]
fn a_slash_behind_a_symbolic_link_does_not_follow_it() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("d")).expect("a folder");
    fs::write(folder.path().join("d/f"), b"x").expect("a file");
    std::os::unix::fs::symlink("d", folder.path().join("l")).expect("a link");
    for (path, dereference, expected) in
        [("l/", false, &["l"][..]), ("l/.", false, &["l/", "l/f"]), ("l", true, &["l/", "l/f"])]
    {
        let disk = folder.path().join(path);
        let writer = TreeWriter::new().dereference(dereference);
        assert_eq!(names(&archive_of(&disk, path, writer)), expected, "{path}");
    }
}

#[test]
fn links_to_a_folder_above_them_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let tree = folder.path().join("t");
    fs::create_dir_all(tree.join("d")).expect("a folder");
    std::os::unix::fs::symlink("..", tree.join("d/up")).expect("a link");
    fs::write(tree.join("z"), b"x").expect("a file");
    let mut archive = options(1).writer(Vec::new()).expect("an archive");
    let mut writer = TreeWriter::new().dereference(true);
    let notes = writer.append_tree(&mut archive, &tree, Path::new("t")).expect("memory");
    assert!(matches!(&notes[..], [note] if note.status() == 2), "{notes:?}");
    assert_eq!(names(&archive.finish().expect("memory")), ["t/", "t/d/", "t/d/up/", "t/z"]);
}

#[test]
fn what_entries_say_can_be_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let tree = folder.path().join("t");
    fs::create_dir(&tree).expect("a folder");
    fs::write(tree.join("f"), b"x").expect("a file");
    let writer = TreeWriter::new()
        .mtime(Some((1_600_000_000, 5)))
        .owner(Some(("somebody".to_owned(), Some(77))))
        .group(Some((String::new(), Some(4_000_000_000))))
        .mode(Some("u=rwX,go=".parse().expect("a change")));
    let file = archive_of(&tree, "t", writer);
    verify(&file).expect("index and tar agree");
    let tar = {
        let mut tar = Vec::new();
        let mut reader = crate::common::gzip(1).reader(&file[..]).expect("a reader");
        std::io::Read::read_to_end(&mut reader, &mut tar).expect("whole");
        tar
    };
    let listed = run("tar", "tar", &["tvf", "-", "--full-time", "--utc"], &tar);
    let listed = String::from_utf8(listed).expect("ASCII");
    let lines: Vec<Vec<_>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    let expected: [Vec<&str>; 2] = [
        vec!["drwx------", "somebody/4000000000", "0", "2020-09-13", "12:26:40.000000005", "t/"],
        vec!["-rw-------", "somebody/4000000000", "1", "2020-09-13", "12:26:40.000000005", "t/f"],
    ];
    assert_eq!(lines, expected);
    let numeric = archive_of(&tree, "t", TreeWriter::new().numeric_owner(true).mtime(Some((0, 0))));
    // No names, and nothing that has no room in the headers.
    let mut archive = ArchiveReader::new(Cursor::new(numeric)).expect("a reader");
    let offsets: Vec<_> =
        archive.index().expect("whole").entries().iter().map(Entry::tar_offset).collect();
    assert_eq!(offsets, [0, 512]);
}
