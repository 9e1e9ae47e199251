//! Nothing gets out of the folder that is extracted into.

use std::fs;
use std::io::Cursor;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use tar::{EntryType, Header};
use uadk_compress_archive::{ArchiveReader, Error, Existing, ExtractOptions, Extracted, Extractor};

use crate::common::gzip;

/// A tar with headers that no decent writer writes.
#[derive(Default)]
struct Hostile {
    tar: Vec<u8>,
}

impl Hostile {
    fn add(mut self, name: &str, kind: EntryType, link: &str, mode: u32, data: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(data.len() as u64);
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name.as_bytes());
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        self.tar.extend(header.as_bytes());
        self.tar.extend(data);
        self.tar.resize(self.tar.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, data: &[u8]) -> Self {
        self.add(name, EntryType::Regular, "", 0o644, data)
    }

    /// Extracts; gives the errors of entries.
    fn extract(self, to: &Path, options: ExtractOptions) -> Vec<Error> {
        let tar = [&self.tar[..], &[0; 1024]].concat();
        let file = gzip(1).compress(&tar[..], Vec::new()).expect("memory");
        let mut archive = ArchiveReader::new(Cursor::new(file)).expect("a reader");
        let mut extractor = Extractor::new(to, options).expect("a folder");
        let mut errors = Vec::new();
        while let Some(mut entry) = archive.next_entry().expect("whole") {
            if let Err(error) = extractor.extract(&mut entry) {
                errors.push(error);
            }
        }
        errors.extend(extractor.finish().err());
        errors
    }
}

/// A folder to extract into, with one beside it that must stay as it is.
fn folders() -> (tempfile::TempDir, std::path::PathBuf, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let (to, outside) = (folder.path().join("to"), folder.path().join("outside"));
    for path in [&to, &outside] {
        fs::create_dir(path).expect("a folder");
    }
    fs::write(outside.join("precious"), b"precious").expect("a file");
    (folder, to, outside)
}

fn assert_untouched(outside: &Path) {
    assert_eq!(crate::common::children(outside), ["precious"]);
    assert_eq!(fs::read(outside.join("precious")).expect("it is there"), b"precious");
}

#[test]
fn names_that_lead_out_are_refused_by_name_and_the_rest_is_extracted() {
    let (_folder, to, outside) = folders();
    let absolute = outside.join("evil").display().to_string();
    let errors = Hostile::default()
        .file("../outside/evil", b"x")
        .file("a/../../outside/evil", b"x")
        .file(&absolute, b"x")
        .add("hard", EntryType::Link, "../outside/precious", 0o644, b"")
        .file("good", b"good")
        .extract(&to, ExtractOptions::new());
    assert_untouched(&outside);
    assert_eq!(errors.len(), 3);
    let names = ["../outside/evil", "a/../../outside/evil", "hard"];
    for (error, name) in errors.iter().zip(names) {
        assert!(error.to_string().starts_with(name), "{error}");
    }
    // Absolute names are below the folder, too.
    assert_eq!(fs::read(to.join(&absolute[1..])).expect("there"), b"x");
    let first = absolute[1..].split('/').next().expect("a name");
    let mut names = [first, "good"];
    names.sort_unstable();
    assert_eq!(crate::common::children(&to), names);
}

#[test]
fn nothing_is_written_through_a_link_of_the_archive() {
    let (_folder, to, outside) = folders();
    let target = outside.display().to_string();
    let precious = outside.join("precious").display().to_string();
    let errors = Hostile::default()
        .add("link", EntryType::Symlink, &target, 0o777, b"")
        .file("link/evil", b"x")
        .add("link/dir", EntryType::Directory, "", 0o755, b"")
        .add("link", EntryType::Directory, "", 0o755, b"")
        .add("hard", EntryType::Link, "link/precious", 0o644, b"")
        .add("file", EntryType::Symlink, &precious, 0o777, b"")
        // This replaces the link, and does not write where it leads.
        .file("file", b"mine")
        .extract(&to, ExtractOptions::new());
    assert_untouched(&outside);
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(errors[0].to_string().contains("link is a symbolic link"), "{}", errors[0]);
    // A folder replaces the link.
    assert!(fs::symlink_metadata(to.join("link")).expect("there").is_dir());
    assert!(crate::common::children(&to.join("link")).is_empty());
    assert_eq!(fs::read(to.join("file")).expect("it is there"), b"mine");
    assert!(fs::symlink_metadata(to.join("file")).expect("there").is_file());
}

#[test]
fn nothing_is_written_through_a_link_that_was_there() {
    let (_folder, to, outside) = folders();
    symlink(&outside, to.join("sub")).expect("a link");
    symlink(outside.join("precious"), to.join("name")).expect("a link");
    let errors = Hostile::default()
        .file("sub/precious", b"x")
        .file("name", b"mine")
        .extract(&to, ExtractOptions::new());
    assert_untouched(&outside);
    assert_eq!(errors.len(), 1);
    assert_eq!(fs::read(to.join("name")).expect("it is there"), b"mine");
}

#[test]
fn setuid_is_dropped_unless_asked_for() {
    for (exact, mode) in [(false, 0o755), (true, 0o6755)] {
        let (_folder, to, _) = folders();
        let errors = Hostile::default()
            .add("program", EntryType::Regular, "", 0o6755, b"#!")
            .add("dir", EntryType::Directory, "", 0o6755, b"")
            .extract(&to, ExtractOptions::new().permissions(exact));
        assert!(errors.is_empty(), "{errors:?}");
        for name in ["program", "dir"] {
            let found = fs::metadata(to.join(name)).expect("there").permissions().mode() & 0o7777;
            // The umask may take more.
            assert_eq!(found & !0o077, mode & !0o077, "{name}");
        }
    }
}

#[test]
fn folders_get_their_permissions_when_all_is_in_them() {
    let (_folder, to, _) = folders();
    let errors = Hostile::default()
        .add("closed", EntryType::Directory, "", 0o500, b"")
        .file("closed/file", b"inside")
        .extract(&to, ExtractOptions::new());
    assert!(errors.is_empty(), "{errors:?}");
    let mode = fs::metadata(to.join("closed")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o500);
    assert_eq!(fs::read(to.join("closed/file")).expect("there"), b"inside");
}

#[test]
fn a_name_with_a_slash_at_its_end_is_a_folder_as_in_old_tars() {
    let (_folder, to, _) = folders();
    let errors = Hostile::default()
        .add("old/", EntryType::Regular, "", 0o755, b"")
        .file("old/file", b"inside")
        .extract(&to, ExtractOptions::new());
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(fs::read(to.join("old/file")).expect("there"), b"inside");
}

#[test]
fn a_bomb_stops_at_the_limit_before_it_is_written() {
    let (_folder, to, _) = folders();
    let errors = Hostile::default()
        .file("one", &[1; 600])
        .file("bomb", &[0; 5000])
        .file("two", &[2; 300])
        .extract(&to, ExtractOptions::new().max_size(Some(1000)));
    assert_eq!(errors.len(), 1);
    assert!(errors[0].to_string().starts_with("bomb: "), "{}", errors[0]);
    assert_eq!(crate::common::children(&to), ["one", "two"]);
}

#[test]
fn files_that_are_there_stay_if_that_is_asked_for() {
    let (_folder, to, _) = folders();
    fs::write(to.join("file"), b"old").expect("a file");
    fs::create_dir(to.join("dir")).expect("a folder");
    fs::write(to.join("dir/precious"), b"old").expect("a file");
    let keep = ExtractOptions::new().keep_old(true);
    let errors = Hostile::default().file("file", b"new").extract(&to, keep);
    assert_eq!(errors.len(), 1);
    assert_eq!(fs::read(to.join("file")).expect("there"), b"old");
    let errors = Hostile::default()
        .file("file", b"new")
        .file("dir", b"a file now")
        .extract(&to, ExtractOptions::new());
    assert!(
        errors[0].to_string().contains("a folder of that name is there, and it is not empty"),
        "{errors:?}"
    );
    assert_eq!(fs::read(to.join("file")).expect("there"), b"new");
}

#[test]
fn devices_are_left_out_and_unknown_kinds_are_files() {
    let tar = Hostile::default()
        .add("null", EntryType::Char, "", 0o666, b"")
        .add("label", EntryType::new(b'V'), "", 0o644, b"")
        .add("rest", EntryType::new(b'M'), "", 0o644, b"of a file")
        .add("odd", EntryType::new(b'!'), "", 0o644, b"what?")
        .file("after", b"fine")
        .tar;
    let tar = [&tar[..], &[0; 1024]].concat();
    let file = gzip(1).compress(&tar[..], Vec::new()).expect("memory");
    let (_folder, to, _) = folders();
    let mut archive = ArchiveReader::new(&file[..]).expect("a reader");
    let mut extractor = Extractor::new(&to, ExtractOptions::new()).expect("a folder");
    let mut skipped = Vec::new();
    while let Some(mut entry) = archive.next_entry().expect("whole") {
        let done = extractor.extract(&mut entry).expect("no error");
        if matches!(done, Extracted::Skipped(_)) {
            skipped.push(entry.entry().path().display().to_string());
        }
    }
    assert_eq!(skipped, ["null", "rest"]);
    let told: Vec<_> = extractor.take_warnings().iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("label: ") && told[1].starts_with("odd: "), "{told:?}");
    assert_eq!(crate::common::children(&to), ["after", "odd"]);
    assert_eq!(fs::read(to.join("odd")).expect("there"), b"what?");
}

#[test]
fn a_file_whose_data_is_damaged_is_not_left_behind() {
    let data = crate::common::noise(300_000, 1);
    let tar =
        [&Hostile::default().file("good", b"g").file("bad", &data).tar[..], &[0; 1024]].concat();
    let mut file = gzip(1).compress(&tar[..], Vec::new()).expect("memory");
    let middle = file.len() / 2;
    file[middle] ^= 1;
    let (_folder, to, _) = folders();
    let mut archive = ArchiveReader::new(&file[..]).expect("a reader");
    let mut extractor = Extractor::new(&to, ExtractOptions::new()).expect("a folder");
    let mut last = None;
    while let Ok(Some(mut entry)) = archive.next_entry() {
        last = extractor.extract(&mut entry).err();
    }
    let error = last.expect("it is damaged");
    assert!(error.to_string().starts_with("bad: "), "{error}");
    let Error::Entry { source: Some(source), .. } = error else { panic!("{error}") };
    assert!(matches!(*source, Error::Damaged { .. }), "{source}");
    assert_eq!(crate::common::children(&to), ["good"]);
}

/// A file of each kind that may be in the way of another.
fn fill(to: &Path) {
    fs::write(to.join("file"), b"old").expect("a file");
    fs::hard_link(to.join("file"), to.join("other")).expect("a link");
    fs::create_dir(to.join("empty")).expect("a folder");
    symlink("nowhere", to.join("link")).expect("a link");
}

fn all_replaced() -> Hostile {
    Hostile::default()
        .file("file", b"new")
        .file("empty", b"new")
        .add("link", EntryType::Directory, "", 0o755, b"")
        .file("link/inside", b"new")
}

#[test]
fn what_is_there_is_treated_as_asked_for() {
    let read = |to: &Path, name: &str| fs::read_to_string(to.join(name)).expect("there");
    for existing in [Existing::Replace, Existing::Overwrite, Existing::UnlinkFirst] {
        let (_folder, to, _) = folders();
        fill(&to);
        let errors = all_replaced().extract(&to, ExtractOptions::new().existing(existing));
        assert!(errors.is_empty(), "{existing:?}: {errors:?}");
        for name in ["file", "empty", "link/inside"] {
            assert_eq!(read(&to, name), "new", "{existing:?}: {name}");
        }
        let other = if existing == Existing::Overwrite { "new" } else { "old" };
        assert_eq!(read(&to, "other"), other, "{existing:?}");
        assert_eq!(crate::common::children(&to), ["empty", "file", "link", "other"]);
    }
    for (existing, count) in [(Existing::Keep, 4), (Existing::Skip, 1)] {
        let (_folder, to, _) = folders();
        fill(&to);
        let errors = all_replaced().extract(&to, ExtractOptions::new().existing(existing));
        // Through the link that stays, nothing is written.
        assert_eq!(errors.len(), count, "{existing:?}: {errors:?}");
        assert_eq!(read(&to, "file"), "old");
        assert!(to.join("empty").is_dir() && to.join("link").is_symlink());
        assert_eq!(crate::common::children(&to), ["empty", "file", "link", "other"]);
    }
}

#[test]
fn what_is_there_stays_when_the_new_thing_can_not_be_made() {
    let (_folder, to, _) = folders();
    fs::write(to.join("name"), b"old").expect("a file");
    fs::create_dir(to.join("folder")).expect("a folder");
    let errors = Hostile::default()
        .add("name", EntryType::Link, "nowhere", 0o644, b"")
        .add("name", EntryType::Link, "folder", 0o644, b"")
        .add("name", EntryType::Symlink, "", 0o777, b"")
        // To itself: that is no error, and changes nothing.
        .add("name", EntryType::Link, "./name", 0o644, b"")
        .extract(&to, ExtractOptions::new());
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert_eq!(fs::read(to.join("name")).expect("there"), b"old");
    assert_eq!(crate::common::children(&to), ["folder", "name"]);
    // Nor when its data is cut off.
    let tar = Hostile::default().file("name", &[7; 5000]).tar;
    let file = gzip(1).compress(&tar[..3000], Vec::new()).expect("memory");
    let mut archive = ArchiveReader::new(&file[..]).expect("a reader");
    let mut extractor = Extractor::new(&to, ExtractOptions::new()).expect("a folder");
    let mut entry = archive.next_entry().expect("a header").expect("an entry");
    extractor.extract(&mut entry).unwrap_err();
    assert_eq!(fs::read(to.join("name")).expect("there"), b"old");
    assert_eq!(crate::common::children(&to), ["folder", "name"]);
}

#[test]
fn links_to_folders_stay_if_that_is_asked_for_and_they_are_not_of_the_archive() {
    let (_folder, to, outside) = folders();
    fs::create_dir(to.join("real")).expect("a folder");
    symlink("real", to.join("kept")).expect("a link");
    let errors = Hostile::default()
        .add("kept", EntryType::Directory, "", 0o755, b"")
        .file("kept/inside", b"x")
        .add("evil", EntryType::Symlink, &outside.display().to_string(), 0o777, b"")
        .file("evil/one", b"x")
        .add("again", EntryType::Link, "evil", 0o777, b"")
        .file("again/two", b"x")
        .add("evil", EntryType::Directory, "", 0o755, b"")
        .file("evil/three", b"x")
        .extract(&to, ExtractOptions::new().keep_directory_symlink(true));
    assert_untouched(&outside);
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(to.join("kept").is_symlink());
    assert!(to.join("real/inside").exists() && to.join("evil/three").exists());
}

#[test]
fn entries_are_extracted_under_other_names() {
    let (_folder, to, _) = folders();
    let tar = Hostile::default()
        .file("top/file", b"x")
        .add("top/link", EntryType::Link, "top/file", 0o644, b"")
        .tar;
    let file = gzip(1).compress(&[&tar[..], &[0; 1024]].concat()[..], Vec::new()).expect("memory");
    let mut archive = ArchiveReader::new(&file[..]).expect("a reader");
    let mut extractor = Extractor::new(&to, ExtractOptions::new()).expect("a folder");
    let mut entry = archive.next_entry().expect("whole").expect("an entry");
    extractor.extract_as(&mut entry, b"file").expect("room");
    let mut entry = archive.next_entry().expect("whole").expect("an entry");
    extractor.extract_renamed(&mut entry, b"sub/link", Some(b"file")).expect("room");
    assert_eq!(fs::read(to.join("sub/link")).expect("there"), b"x");
    assert_eq!(crate::common::children(&to), ["file", "sub"]);
}
