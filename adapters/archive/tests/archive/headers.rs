//! Headers with arbitrary names and numbers, as other programs read them.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use proptest::prelude::*;
use tar::{EntryType, Header};
use uadk_compress_archive::{ArchiveReader, Error};

use crate::common::{gzip, options, run, verify};

/// Generates names with long and short components, of any bytes that a name can have.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![8 => b'a'..=b'e', 1 => 1..=b'.', 1 => b'0'..=255];
    let part = prop_oneof![
        3 => prop::collection::vec(byte.clone(), 1..12),
        1 => prop::collection::vec(byte, 80..160),
    ]
    .prop_filter("not a name", |part| !matches!(&part[..], b"." | b".."));
    prop::collection::vec(part, 1..5).prop_map(|parts| parts.join(&b'/'))
}

#[derive(Clone, Debug)]
struct Wanted {
    name: Vec<u8>,
    link: Option<Vec<u8>>,
    uid: u32,
    mtime: u64,
    data: Vec<u8>,
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let number = || prop_oneof![0..5000_u64, 0..(1_u64 << 40)];
    let data = prop::collection::vec(any::<u8>(), 0..1500);
    let link = prop::option::of(name());
    let owner = prop_oneof![0..5000_u32, any::<u32>()];
    (name(), link, owner, number(), data).prop_map(|(name, link, uid, mtime, data)| {
        let data = if link.is_none() { data } else { Vec::new() };
        Wanted { name, link, uid, mtime, data }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn arbitrary_names_and_numbers_are_read_as_written(
        entries in prop::collection::vec(wanted(), 1..8),
    ) {
        let mut archive = options(1).writer(Vec::new()).expect("an archive");
        for entry in &entries {
            let path = Path::new(OsStr::from_bytes(&entry.name));
            let mut header = Header::new_gnu();
            header.set_mode(0o640);
            header.set_uid(entry.uid.into());
            header.set_mtime(entry.mtime);
            header.set_size(entry.data.len() as u64);
            match &entry.link {
                Some(link) => archive.append_link(header, path, OsStr::from_bytes(link)),
                None => archive.append_data(header, path, &entry.data[..]),
            }
            .expect("writes to memory");
        }
        let file = archive.finish().expect("writes to memory");
        // The index agrees with what we read from the headers.
        verify(&file).expect("intact");
        let mut tar = Vec::new();
        gzip(1).reader(&file[..]).expect("a reader").read_to_end(&mut tar).expect("intact");
        let mut theirs = tar::Archive::new(&tar[..]);
        let mut theirs = theirs.entries().expect("a tar");
        for wanted in &entries {
            let mut entry = theirs.next().expect("as many entries").expect("intact");
            prop_assert_eq!(&*entry.path_bytes(), &wanted.name[..]);
            let link = entry.link_name_bytes().map(std::borrow::Cow::into_owned);
            prop_assert_eq!(link.as_ref(), wanted.link.as_ref());
            let header = entry.header();
            prop_assert_eq!(header.uid().ok(), Some(u64::from(wanted.uid)));
            prop_assert_eq!(header.mtime().ok(), Some(wanted.mtime));
            let mut data = Vec::new();
            entry.read_to_end(&mut data).expect("intact");
            prop_assert_eq!(&data, &wanted.data);
        }
        prop_assert!(theirs.next().is_none());
    }
}

#[test]
fn invalid_entries_are_refused_and_others_follow() {
    let mut archive = options(1).writer(Vec::new()).expect("an archive");
    for name in ["", "/", "/etc/passwd", "a/../b", "..", "nul\0"] {
        let error = archive.append_bytes(name, b"x").unwrap_err();
        assert!(matches!(error, Error::Entry { .. }), "{name}: {error}");
    }
    for kind in [EntryType::XGlobalHeader, EntryType::GNULongName, EntryType::GNUSparse] {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        let error = archive.append_data(header, "name", &b""[..]).unwrap_err();
        assert!(matches!(&error, Error::Entry { name, .. } if name == "name"), "{error}");
    }
    assert!(archive.append_bytes("folder/", b"x").is_err());
    archive.append_bytes("./folder//", b"").expect("writes to memory");
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Char);
    header.set_device_major(1).expect("a ustar header");
    header.set_device_minor(3).expect("a ustar header");
    archive.append_data(header, "null", &b""[..]).expect("writes to memory");
    let file = archive.finish().expect("writes to memory");
    assert_eq!(verify(&file).expect("intact").entries, 2);
    let listed = run("tar", "tar", &["tvzf", "-", "--utc", "--numeric-owner"], &file);
    let listed = String::from_utf8(listed).expect("ASCII");
    let fields: Vec<Vec<_>> =
        listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(fields[0], ["drw-r--r--", "0/0", "0", "1970-01-01", "00:00", "./folder/"]);
    assert_eq!(fields[1], ["crw-r--r--", "0/0", "1,3", "1970-01-01", "00:00", "null"]);
}

#[test]
fn archives_of_long_names_are_resumed_to_the_same_bytes() {
    let entries: Vec<_> = (0..40).map(|n| format!("{}/{n}", "long".repeat(10 * n + 1))).collect();
    let write = |archive: &mut uadk_compress_archive::ArchiveWriter<_>, names: &[String]| {
        for name in names {
            let mut header = Header::new_gnu();
            header.set_uid(1 << 30);
            header.set_size(0);
            archive.append_link(header, name, "t".repeat(name.len())).expect("writes to memory");
        }
    };
    let mut archive = options(1).writer(std::io::Cursor::new(Vec::new())).expect("an archive");
    write(&mut archive, &entries);
    let whole = archive.finish().expect("writes to memory").into_inner();
    for cut in (0..whole.len()).step_by(199) {
        let torn = std::io::Cursor::new(whole[..cut].to_vec());
        let (mut archive, recovered) = options(1).resume(torn).expect("a torn end");
        write(&mut archive, &entries[recovered.entries.len()..]);
        assert!(archive.finish().expect("writes to memory").into_inner() == whole, "cut at {cut}");
    }
    let mut archive = ArchiveReader::new(std::io::Cursor::new(whole)).expect("a reader");
    assert_eq!(archive.index().expect("intact").entries().len(), entries.len());
}

#[test]
fn permissions_are_changed_as_by_gnu_tar() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a directory");
    let root = folder.path();
    std::fs::create_dir(root.join("t")).expect("a directory");
    for mode in [0o600, 0o644, 0o755, 0o4711, 0o070] {
        let path = root.join(format!("t/{mode:o}"));
        std::fs::write(&path, b"x").expect("a file");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("a mode");
    }
    let modes = |tar: &[u8]| -> Vec<String> {
        let listed = String::from_utf8(run("tar", "tar", &["tvf", "-"], tar)).expect("ASCII");
        let word = |line: &str, n| line.split_whitespace().nth(n).map(str::to_owned);
        listed
            .lines()
            .map(|line| [word(line, 0), word(line, 5)].map(Option::unwrap).join(" "))
            .collect()
    };
    for change in
        ["640", "go-w", "a+X", "u=rwx,go=rX", "g=u", "o=g", "u+s,o+t", "ug=r", "u=rw-w", "a-x+X"]
    {
        let writer =
            uadk_compress_archive::TreeWriter::new().mode(Some(change.parse().expect("a change")));
        let ours = crate::tree::archive_of(&root.join("t"), "t", writer);
        let ours = run("gzip", "gzip", &["-dc"], &ours);
        let mode = format!("--mode={change}");
        let root = root.display().to_string();
        let theirs = ["cf", "-", "--sort=name", &mode, "-C", &root, "t"];
        assert_eq!(modes(&ours), modes(&run("tar", "tar", &theirs, b"")), "{change}");
    }
}
