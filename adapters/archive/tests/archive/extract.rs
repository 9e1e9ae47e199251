//! Extraction never writes outside its target directory.

use std::fs;
use std::io::Cursor;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use tar::{EntryType, Header};
use uadk_compress_archive::{ArchiveReader, Error, Existing, ExtractOptions, Extracted, Extractor};

use crate::common::{bgzf, gzip};

/// A tar with headers that no sane writer produces.
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

    /// Extracts the tar and returns the errors of its entries.
    fn extract(self, to: &Path, options: ExtractOptions) -> Vec<Error> {
        let tar = [&self.tar[..], &[0; 1024]].concat();
        let file = gzip(1).compress(&tar[..], Vec::new()).expect("writes to memory");
        let mut archive = ArchiveReader::new(Cursor::new(file)).expect("a reader");
        let mut extractor = Extractor::new(to, options).expect("a directory");
        let mut errors = Vec::new();
        while let Some(mut entry) = archive.next_entry().expect("intact") {
            if let Err(error) = extractor.extract(&mut entry) {
                errors.push(error);
            }
        }
        errors.extend(extractor.finish().err());
        errors
    }
}

/// Creates a directory to extract into, and one next to it that must not change.
fn folders() -> (tempfile::TempDir, std::path::PathBuf, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a directory");
    let (to, outside) = (folder.path().join("to"), folder.path().join("outside"));
    for path in [&to, &outside] {
        fs::create_dir(path).expect("a directory");
    }
    fs::write(outside.join("precious"), b"precious").expect("a file");
    (folder, to, outside)
}

fn assert_untouched(outside: &Path) {
    assert_eq!(crate::common::children(outside), ["precious"]);
    assert_eq!(fs::read(outside.join("precious")).expect("it exists"), b"precious");
}

#[test]
fn names_that_lead_outside_are_refused_and_the_rest_is_extracted() {
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
    // Absolute names are extracted below the directory, too.
    assert_eq!(fs::read(to.join(&absolute[1..])).expect("it exists"), b"x");
    let first = absolute[1..].split('/').next().expect("a name");
    let mut names = [first, "good"];
    names.sort_unstable();
    assert_eq!(crate::common::children(&to), names);
}

#[test]
fn nothing_is_written_through_a_link_from_the_archive() {
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
        // This replaces the link instead of writing to its target.
        .file("file", b"mine")
        .extract(&to, ExtractOptions::new());
    assert_untouched(&outside);
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(errors[0].to_string().contains("link is a symbolic link"), "{}", errors[0]);
    // A directory replaces the link.
    assert!(fs::symlink_metadata(to.join("link")).expect("it exists").is_dir());
    assert!(crate::common::children(&to.join("link")).is_empty());
    assert_eq!(fs::read(to.join("file")).expect("it exists"), b"mine");
    assert!(fs::symlink_metadata(to.join("file")).expect("it exists").is_file());
}

#[test]
fn nothing_is_written_through_an_existing_link() {
    let (_folder, to, outside) = folders();
    symlink(&outside, to.join("sub")).expect("a link");
    symlink(outside.join("precious"), to.join("name")).expect("a link");
    let errors = Hostile::default()
        .file("sub/precious", b"x")
        .file("name", b"mine")
        .extract(&to, ExtractOptions::new());
    assert_untouched(&outside);
    assert_eq!(errors.len(), 1);
    assert_eq!(fs::read(to.join("name")).expect("it exists"), b"mine");
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
            let found =
                fs::metadata(to.join(name)).expect("it exists").permissions().mode() & 0o7777;
            // The umask may clear more bits.
            assert_eq!(found & !0o077, mode & !0o077, "{name}");
        }
    }
}

#[test]
fn directories_get_their_permissions_after_their_contents() {
    let (_folder, to, _) = folders();
    let errors = Hostile::default()
        .add("closed", EntryType::Directory, "", 0o500, b"")
        .file("closed/file", b"inside")
        .extract(&to, ExtractOptions::new());
    assert!(errors.is_empty(), "{errors:?}");
    let mode = fs::metadata(to.join("closed")).expect("it exists").permissions().mode();
    assert_eq!(mode & 0o777, 0o500);
    assert_eq!(fs::read(to.join("closed/file")).expect("it exists"), b"inside");
}

#[test]
fn a_name_that_ends_in_a_slash_is_a_directory_as_in_old_tars() {
    let (_folder, to, _) = folders();
    let errors = Hostile::default()
        .add("old/", EntryType::Regular, "", 0o755, b"")
        .file("old/file", b"inside")
        .extract(&to, ExtractOptions::new());
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(fs::read(to.join("old/file")).expect("it exists"), b"inside");
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
fn existing_files_are_kept_on_request() {
    let (_folder, to, _) = folders();
    fs::write(to.join("file"), b"old").expect("a file");
    fs::create_dir(to.join("dir")).expect("a directory");
    fs::write(to.join("dir/precious"), b"old").expect("a file");
    let keep = ExtractOptions::new().keep_old(true);
    let errors = Hostile::default().file("file", b"new").extract(&to, keep);
    assert_eq!(errors.len(), 1);
    assert_eq!(fs::read(to.join("file")).expect("it exists"), b"old");
    let errors = Hostile::default()
        .file("file", b"new")
        .file("dir", b"a file now")
        .extract(&to, ExtractOptions::new());
    assert!(
        errors[0].to_string().contains("a non-empty directory of that name already exists"),
        "{errors:?}"
    );
    assert_eq!(fs::read(to.join("file")).expect("it exists"), b"new");
}

#[test]
fn devices_are_skipped_and_unknown_kinds_are_files() {
    let tar = Hostile::default()
        .add("null", EntryType::Char, "", 0o666, b"")
        .add("label", EntryType::new(b'V'), "", 0o644, b"")
        .add("rest", EntryType::new(b'M'), "", 0o644, b"of a file")
        .add("odd", EntryType::new(b'!'), "", 0o644, b"what?")
        .file("after", b"fine")
        .tar;
    let tar = [&tar[..], &[0; 1024]].concat();
    let file = gzip(1).compress(&tar[..], Vec::new()).expect("writes to memory");
    let (_folder, to, _) = folders();
    let mut archive = ArchiveReader::new(&file[..]).expect("a reader");
    let mut extractor = Extractor::new(&to, ExtractOptions::new()).expect("a directory");
    let mut skipped = Vec::new();
    while let Some(mut entry) = archive.next_entry().expect("intact") {
        let done = extractor.extract(&mut entry).expect("no error");
        if matches!(done, Extracted::Skipped(_)) {
            skipped.push(entry.entry().path().display().to_string());
        }
    }
    assert_eq!(skipped, ["null", "rest"]);
    let messages: Vec<_> = extractor.take_warnings().iter().map(ToString::to_string).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[0].starts_with("label: ") && messages[1].starts_with("odd: "), "{messages:?}");
    assert_eq!(crate::common::children(&to), ["after", "odd"]);
    assert_eq!(fs::read(to.join("odd")).expect("it exists"), b"what?");
}

#[test]
fn a_file_whose_data_is_damaged_is_not_left_behind() {
    let data = crate::common::noise(300_000, 1);
    let tar =
        [&Hostile::default().file("good", b"g").file("bad", &data).tar[..], &[0; 1024]].concat();
    let mut file = bgzf(1).compress(&tar[..], Vec::new()).expect("writes to memory");
    let middle = file.len() / 2;
    file[middle] ^= 1;
    let (_folder, to, _) = folders();
    let mut archive = ArchiveReader::new(&file[..]).expect("a reader");
    let mut extractor = Extractor::new(&to, ExtractOptions::new()).expect("a directory");
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

/// Creates one file of each kind that can be in the way of an entry.
fn fill(to: &Path) {
    fs::write(to.join("file"), b"old").expect("a file");
    fs::hard_link(to.join("file"), to.join("other")).expect("a link");
    fs::create_dir(to.join("empty")).expect("a directory");
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
fn existing_files_are_handled_as_requested() {
    let read = |to: &Path, name: &str| fs::read_to_string(to.join(name)).expect("it exists");
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
        // Nothing is written through the link that stays.
        assert_eq!(errors.len(), count, "{existing:?}: {errors:?}");
        assert_eq!(read(&to, "file"), "old");
        assert!(to.join("empty").is_dir() && to.join("link").is_symlink());
        assert_eq!(crate::common::children(&to), ["empty", "file", "link", "other"]);
    }
}

#[test]
fn an_existing_file_stays_if_its_replacement_fails() {
    let (_folder, to, _) = folders();
    fs::write(to.join("name"), b"old").expect("a file");
    fs::create_dir(to.join("folder")).expect("a directory");
    let errors = Hostile::default()
        .add("name", EntryType::Link, "nowhere", 0o644, b"")
        .add("name", EntryType::Link, "folder", 0o644, b"")
        .add("name", EntryType::Symlink, "", 0o777, b"")
        // A link to itself is not an error and changes nothing.
        .add("name", EntryType::Link, "./name", 0o644, b"")
        .extract(&to, ExtractOptions::new());
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert_eq!(fs::read(to.join("name")).expect("it exists"), b"old");
    assert_eq!(crate::common::children(&to), ["folder", "name"]);
    // The same if the data of the new one is cut off.
    let tar = Hostile::default().file("name", &[7; 5000]).tar;
    let file = gzip(1).compress(&tar[..3000], Vec::new()).expect("writes to memory");
    let mut archive = ArchiveReader::new(&file[..]).expect("a reader");
    let mut extractor = Extractor::new(&to, ExtractOptions::new()).expect("a directory");
    let mut entry = archive.next_entry().expect("a header").expect("an entry");
    extractor.extract(&mut entry).unwrap_err();
    assert_eq!(fs::read(to.join("name")).expect("it exists"), b"old");
    assert_eq!(crate::common::children(&to), ["folder", "name"]);
}

#[test]
fn links_to_directories_are_kept_on_request_unless_they_are_from_the_archive() {
    let (_folder, to, outside) = folders();
    fs::create_dir(to.join("real")).expect("a directory");
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
    let file = gzip(1)
        .compress(&[&tar[..], &[0; 1024]].concat()[..], Vec::new())
        .expect("writes to memory");
    let mut archive = ArchiveReader::new(&file[..]).expect("a reader");
    let mut extractor = Extractor::new(&to, ExtractOptions::new()).expect("a directory");
    let mut entry = archive.next_entry().expect("intact").expect("an entry");
    extractor.extract_as(&mut entry, b"file").expect("extracted");
    let mut entry = archive.next_entry().expect("intact").expect("an entry");
    extractor.extract_renamed(&mut entry, b"sub/link", Some(b"file")).expect("extracted");
    assert_eq!(fs::read(to.join("sub/link")).expect("it exists"), b"x");
    assert_eq!(crate::common::children(&to), ["file", "sub"]);
}
