//! Plain tar that we write, read by other programs.

use std::fs;
use std::io::{Cursor, Write};

use uadk_compress_archive::{ArchiveWriter, Error, TreeWriter};

use crate::common::{make_tree, options, read_all, run, sample_files, snapshot, write_sample};

#[test]
fn plain_tar_equals_the_tar_inside_the_gzip() {
    let plain = write_sample(&options(1).plain(true));
    let unpacked = run("gzip", "gzip", &["-dc"], &write_sample(&options(1)));
    let tar_len = plain.iter().rposition(|byte| *byte != 0).expect("data");
    assert!(unpacked.starts_with(&plain[..=tar_len]));
    // Complete records, as other programs write them.
    assert_eq!(plain.len() % 10_240, 0);
    assert!(plain.len() > tar_len + 1024);
    assert!(read_all(&plain) == sample_files());
}

#[test]
fn gnu_tar_bsdtar_and_busybox_extract_what_we_write() {
    let folder = tempfile::tempdir().expect("a directory");
    let tree = folder.path().join("tree");
    make_tree(&tree);
    let mut archive = options(1).plain(true).writer(Vec::new()).expect("a writer");
    TreeWriter::new().append_tree(&mut archive, &tree, "tree".as_ref()).expect("writes to memory");
    let tar = archive.finish().expect("writes to memory");
    let expected = snapshot(&tree);
    for (package, program, arguments) in [
        ("tar", "tar", &["-xpf", "-", "-C"][..]),
        ("libarchive-tools", "bsdtar", &["-xpf", "-", "-C"]),
        ("busybox", "busybox", &["tar", "-xpf", "-", "-C"]),
    ] {
        let to = folder.path().join(program);
        fs::create_dir(&to).expect("a directory");
        let arguments = [arguments, &[to.to_str().expect("UTF-8")]].concat();
        run(package, program, &arguments, &tar);
        let mut found = snapshot(&to.join("tree"));
        let mut expected = expected.clone();
        if program == "busybox" {
            // It does not set times of links and directories.
            for lines in [&mut found, &mut expected] {
                lines.retain(|line| !line.contains(" -> ") && !line.contains("\" 40"));
            }
        }
        assert_eq!(found, expected, "{program}");
    }
}

#[test]
fn plain_tar_is_appended_to() {
    let files = sample_files();
    let new = write_sample(&options(1).plain(true));
    let from_gnu = {
        let folder = tempfile::tempdir().expect("a directory");
        fs::write(folder.path().join("old"), b"old").expect("a file");
        run("tar", "tar", &["-c", "-C", folder.path().to_str().expect("UTF-8"), "old"], b"")
    };
    let old = vec![("old".to_owned(), b"old".to_vec())];
    for (mut file, expected) in [(new, files), (from_gnu, old), (Vec::new(), Vec::new())] {
        let before = file.clone();
        let mut there = Cursor::new(&mut file);
        // Dropping an unfinished writer leaves the file as it was.
        drop(options(1).plain(true).append(Borrowed(&mut there)).expect("plain tar"));
        assert!(file == before);
        let mut file = Cursor::new(file);
        let mut archive = options(1).plain(true).append(&mut file).expect("plain tar");
        assert_eq!(archive.entries(), expected.len() as u64);
        archive.append_bytes("more", b"and more").expect("writes to memory");
        archive.finish().expect("writes to memory");
        let file = file.into_inner();
        assert_eq!(file.len() % 10_240, 0);
        let more = ("more".to_owned(), b"and more".to_vec());
        assert!(read_all(&file) == [expected, vec![more]].concat());
        let listed = run("tar", "tar", &["-tf", "-"], &file);
        assert!(String::from_utf8_lossy(&listed).ends_with("more\n"));
    }
}

/// A file in a borrowed vector.
struct Borrowed<'a>(&'a mut Cursor<&'a mut Vec<u8>>);

impl std::io::Read for Borrowed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl std::io::Write for Borrowed<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl std::io::Seek for Borrowed<'_> {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

impl uadk_compress_archive::ArchiveFile for Borrowed<'_> {
    fn truncate(&mut self, len: u64) -> std::io::Result<()> {
        self.0.get_mut().resize(len as usize, 0);
        Ok(())
    }
}

#[test]
fn damaged_or_followed_archives_are_not_appended_to() {
    let whole = write_sample(&options(1).plain(true));
    let mut damaged = whole.clone();
    damaged[600] ^= 1;
    let followed = [&whole[..], &whole[..]].concat();
    let mut torn = whole.clone();
    torn.truncate(5000);
    for file in [damaged, followed, torn] {
        let mut there = Cursor::new(file.clone());
        let error = ArchiveWriter::append(&mut there).map(drop).expect_err("not intact");
        assert!(matches!(error, Error::NotTar { .. } | Error::Unsupported(_)), "{error}");
        assert!(there.into_inner() == file);
    }
}

#[test]
fn a_failed_writer_accepts_no_more_data() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut archive = options(1).plain(true).writer(Full).expect("a writer");
    let large = vec![7; 1 << 20];
    assert!(matches!(archive.append_bytes("a", &large), Err(Error::Io(_))));
    assert!(archive.append_bytes("b", b"").is_err());
    assert!(archive.finish().is_err());
}
