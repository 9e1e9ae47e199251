//! Commands and archives that users of other programs have run into: statuses, files and lists must
//! be those of GNU tar and `BusyBox`.

mod common;
#[path = "common/peer.rs"]
mod peer;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use common::feed;
use peer::{Who, tar};

fn run(at: &Path, command: &[&str]) -> Output {
    let output = Command::new(command[0]).args(&command[1..]).current_dir(at).output();
    output.unwrap_or_else(|error| panic!("{command:?}: {error}; `make setup` installs it"))
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs our program, which must exit with this status.
fn ours(at: &Path, status: i32, arguments: &[&str]) -> Output {
    let output = tar(Who::Ours, at, arguments);
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {output:?}");
    output
}

fn good(at: &Path, arguments: &[&str]) -> String {
    stdout(&ours(at, 0, arguments))
}

fn gnu(at: &Path, arguments: &[&str]) -> String {
    let output = tar(Who::Gnu, at, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    stdout(&output)
}

fn busybox(at: &Path, arguments: &[&str]) -> String {
    let output = run(at, &[&["busybox", "tar"], arguments].concat());
    assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    stdout(&output)
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    for (name, contents) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, contents).expect("a file");
    }
    folder
}

/// Lists the names below a directory, with modes and sizes of files.
fn files(folder: &Path) -> Vec<String> {
    fn walk(top: &Path, folder: &Path, lines: &mut Vec<String>) {
        let entries = fs::read_dir(folder).expect("a directory");
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        for path in paths {
            let metadata = path.symlink_metadata().expect("it exists");
            let name = path.strip_prefix(top).expect("below the top").display();
            let mode = metadata.mode() & 0o7777;
            if metadata.is_dir() {
                lines.push(format!("{name}/ {mode:o}"));
                walk(top, &path, lines);
            } else if metadata.is_symlink() {
                lines
                    .push(format!("{name} -> {}", fs::read_link(&path).expect("a link").display()));
            } else {
                lines.push(format!("{name} {mode:o} {}", metadata.len()));
            }
        }
    }
    let mut lines = Vec::new();
    walk(folder, folder, &mut lines);
    lines
}

#[test]
fn hard_links_that_are_added_twice_stay_hard_links() {
    let folder = folder(&[("t/d/sub/f", "x\n")]);
    let at = folder.path();
    fs::hard_link(at.join("t/d/sub/f"), at.join("t/d/sub/g")).expect("a link");
    good(at, &["create", "-f", "a.tgz", "-C", "t", "d", "d/sub"]);
    assert!(good(at, &["verify", "-f", "a.tgz"]).contains("all intact"));
    for (who, to) in [(Who::Ours, "ours"), (Who::Gnu, "gnu"), (Who::Ours, "sub")] {
        fs::create_dir(at.join(to)).expect("a directory");
        let arguments = ["-xf", "a.tgz", "-C", to];
        assert!(tar(who, at, &arguments).status.success());
    }
    for to in ["ours", "gnu", "sub"] {
        for name in ["f", "g"] {
            let path = at.join(to).join("d/sub").join(name);
            assert_eq!(fs::read(&path).expect("it exists"), b"x\n", "{}", path.display());
            assert_eq!(path.metadata().expect("it exists").nlink(), 2, "{}", path.display());
        }
    }
}

#[test]
fn busybox_reads_odd_times_long_targets_and_attributes() {
    let folder = folder(&[("d/old", "o"), ("d/with", "w"), ("d/last", "l")]);
    let at = folder.path();
    let file = fs::File::open(at.join("d/old")).expect("a file");
    file.set_modified(SystemTime::UNIX_EPOCH - Duration::from_secs(86_400)).expect("a time");
    symlink("t".repeat(150), at.join("d/link")).expect("a link");
    let set = run(at, &["setfattr", "-n", "user.a", "-v", "b", "d/with"]);
    assert!(set.status.success(), "{set:?}");
    good(at, &["create", "--xattrs", "-f", "a.tgz", "d"]);
    let names = "d/\nd/last\nd/link\nd/old\nd/with\n";
    assert_eq!(busybox(at, &["tzf", "a.tgz"]), names);
    assert_eq!(gnu(at, &["tzf", "a.tgz"]), names);
    assert_eq!(good(at, &["list", "-f", "a.tgz"]), names);
}

#[test]
fn busybox_extracts_files_with_holes() {
    let folder = folder(&[("d/a", "a"), ("d/c", "c")]);
    let at = folder.path();
    let mut file = fs::File::create(at.join("d/b")).expect("a file");
    file.set_len(100_000).expect("enough space");
    std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).expect("a file");
    file.write_all(b"x\n").expect("enough space");
    good(at, &["create", "-f", "a.tgz", "d"]);
    fs::create_dir(at.join("out")).expect("a directory");
    busybox(at, &["xzf", "a.tgz", "-C", "out"]);
    assert_eq!(files(&at.join("out/d")), files(&at.join("d")));
    assert!(fs::read(at.join("out/d/b")).expect("it exists").ends_with(b"\0x\n"));
}

#[test]
fn incremental_archives_of_gnu_tar_are_extracted() {
    let folder = folder(&[("t/full/a", "a"), ("t/b", "b")]);
    let at = folder.path();
    fs::create_dir(at.join("t/empty")).expect("a directory");
    fs::set_permissions(at.join("t/empty"), fs::Permissions::from_mode(0o750)).expect("a mode");
    fs::set_permissions(at.join("t/full"), fs::Permissions::from_mode(0o2755)).expect("a mode");
    gnu(at, &["--listed-incremental=s", "-czf", "a.tgz", "t"]);
    for (who, to) in [(Who::Ours, "ours"), (Who::Gnu, "gnu")] {
        fs::create_dir(at.join(to)).expect("a directory");
        assert!(tar(who, at, &["-xpf", "a.tgz", "-C", to]).status.success());
    }
    assert_eq!(files(&at.join("ours")), files(&at.join("gnu")));
    assert_eq!(files(&at.join("ours/t")), files(&at.join("t")));
}

#[test]
fn the_first_of_concatenated_archives_is_read_and_all_on_request() {
    let folder = folder(&[("1", "one"), ("2", "two")]);
    let at = folder.path();
    for options in [&[][..], &["--bgzf"]] {
        for name in ["1", "2"] {
            let archive = format!("{name}.tgz");
            good(at, &[options, &["-czf", &archive, name]].concat());
        }
        let both = ["1.tgz", "2.tgz"].map(|name| fs::read(at.join(name)).expect("it exists"));
        fs::write(at.join("c.tgz"), both.concat()).expect("enough space");
        let list = ours(at, 0, &["list", "-f", "c.tgz"]);
        assert_eq!(stdout(&list), "1\n");
        // In block gzip, the last index looks like a wrong index of this archive.
        assert!(list.stderr.is_empty() || !options.is_empty(), "{list:?}");
        assert_eq!(good(at, &["tf", "c.tgz"]), gnu(at, &["tzf", "c.tgz"]));
        assert_eq!(good(at, &["tif", "c.tgz"]), "1\n2\n");
        assert_eq!(good(at, &["tif", "c.tgz"]), gnu(at, &["tizf", "c.tgz"]));
        let json = good(at, &["list", "--json", "-f", "c.tgz"]);
        assert_eq!(json.matches("\"path\"").count(), 1, "{json}");
        for (options, expected) in [("xf", "out1"), ("xif", "out2")] {
            let to = at.join(expected);
            let _ = fs::remove_dir_all(&to);
            fs::create_dir(&to).expect("a directory");
            good(at, &[options, "c.tgz", "-C", expected]);
            assert_eq!(files(&to).len(), if options == "xif" { 2 } else { 1 });
        }
    }
}

#[test]
fn sockets_are_ignored() {
    let folder = folder(&[("d/a", "a"), ("d/z", "z")]);
    let at = folder.path();
    let _socket = UnixListener::bind(at.join("d/s")).expect("a socket");
    for arguments in [&["create", "-f", "a.tgz", "d"][..], &["czf", "a.tgz", "d"]] {
        let output = ours(at, 0, arguments);
        assert!(stderr(&output).contains("d/s: socket ignored"), "{output:?}");
        assert_eq!(gnu(at, &["tzf", "a.tgz"]), "d/\nd/a\nd/z\n");
    }
}

#[test]
fn a_link_to_a_directory_with_a_slash_is_a_link() {
    let folder = folder(&[("d/a", "a")]);
    let at = folder.path();
    symlink("d", at.join("l")).expect("a link");
    for arguments in [&["create", "-f", "a.tgz", "l/"][..], &["czf", "a.tgz", "l/"]] {
        good(at, arguments);
        let listed = gnu(at, &["tvzf", "a.tgz"]);
        assert!(listed.starts_with('l') && listed.lines().count() == 1, "{listed}");
        assert!(listed.ends_with(" -> d\n"), "{listed}");
    }
}

#[test]
fn a_file_that_grows_is_reported() {
    let folder = folder(&[]);
    let at = folder.path();
    let file = fs::File::create(at.join("f")).expect("a file");
    file.set_len(64 << 20).expect("enough space");
    let done = AtomicBool::new(false);
    let output = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = &file;
            while !done.load(Ordering::Relaxed) {
                std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).expect("a file");
                file.write_all(b"x").expect("enough space");
            }
        });
        let output = tar(Who::Ours, at, &["czf", "a.tgz", "f"]);
        done.store(true, Ordering::Relaxed);
        output
    });
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("f: file changed as we read it"), "{output:?}");
    assert_eq!(gnu(at, &["tzf", "a.tgz"]), "f\n");
}

#[test]
fn paths_of_any_length_are_added() {
    let folder = folder(&[]);
    // Step by step, since system calls take no path of that length.
    let script = "for i in $(seq 60); do mkdir $1 && cd -P $1 || exit 1; done; echo x >f";
    let name = "n".repeat(100);
    let made = run(folder.path(), &["bash", "-c", script, "bash", &name]);
    assert!(made.status.success(), "{made:?}");
    let at = folder.path();
    good(at, &["create", "-f", "a.tgz", &name]);
    let listed = good(at, &["list", "-f", "a.tgz"]);
    assert_eq!(listed.lines().count(), 61);
    assert_eq!(gnu(at, &["tzf", "a.tgz"]), listed);
    fs::create_dir(at.join("out")).expect("a directory");
    good(at, &["xf", "a.tgz", "-C", "out"]);
    let found = run(at, &["find", "out", "-name", "f", "-size", "1"]);
    assert_eq!(stdout(&found).lines().count(), 1, "{found:?}");
    // The standard library cannot remove paths of that length.
    assert!(run(at, &["rm", "-rf", &name, "out"]).status.success());
}

#[test]
fn names_that_are_not_utf8_are_listed_so_that_they_can_be_recovered() {
    let folder = folder(&[]);
    let at = folder.path();
    fs::write(at.join(OsStr::from_bytes(b"caf\xE9")), "x").expect("a file");
    good(at, &["-czf", "a.tgz", "--exclude=a.tgz", "."]);
    assert!(good(at, &["list", "--json", "-f", "a.tgz"]).contains("caf%E9"));
    assert!(good(at, &["tf", "a.tgz"]).contains("caf\\351"));
}

/// An archive's name, the extracted files with their sizes, and whether nothing was dropped or
/// skipped.
type Case = (&'static str, &'static [(&'static str, u64)], bool);

#[test]
fn odd_archives_are_extracted_and_their_oddities_named() {
    const AFTER: (&str, u64) = ("after.txt", 6);
    const TWO: &[(&str, u64)] = &[("a.txt", 2), AFTER];
    let cases: &[Case] = &[
        ("hardlink_to_itself", TWO, true),
        ("type_D_dumpdir", &[("d/a.txt", 2)], true),
        ("type_8_unknown", &[AFTER, ("unk8.txt", 2)], true),
        ("pax_global_only", &[], true),
        ("pax_global_at_end", &[AFTER], true),
        ("pax_mtime_exponent", TWO, false),
        ("pax_mtime_dot", TWO, false),
        ("pax_mtime_huge", TWO, false),
        ("pax_uid_negative", TWO, false),
        ("pax_uid_toobig", TWO, false),
        ("pax_nul_padded", &[AFTER, ("long-name.txt", 2)], true),
        ("pax_leading_spaces", &[("ab", 2), AFTER], true),
        ("name_empty", &[AFTER], false),
        ("sparse_realsize_only", TWO, true),
        ("sparse01_empty_map", &[AFTER, ("s.bin", 8192)], true),
        ("sparse10_size_is_realsize", &[AFTER, ("s.bin", 8192)], true),
        ("name_abs", &[("abs.txt", 2), AFTER], true),
        ("hardlink_abs_target", &[AFTER, ("etc/x.conf", 2), ("etc/y.conf", 2)], true),
        ("dir_then_file_same", &[("a", 5), AFTER], true),
        ("dir_then_symlink_same_empty", &[AFTER], true),
        ("file_then_dir_same", &[("a/b", 2)], true),
    ];
    let archives = Path::new(env!("CARGO_MANIFEST_DIR")).join("../archive/tests/cases");
    assert_eq!(fs::read_dir(&archives).expect("archives").count(), cases.len());
    for (case, expected, is_clean) in cases {
        let archive = archives.join(format!("{case}.tar.gz"));
        let archive = archive.to_str().expect("UTF-8");
        for arguments in [&["extract", "-f", archive][..], &["-xzf", archive]] {
            let folder = folder(&[]);
            let output = tar(Who::Ours, folder.path(), arguments);
            let status = if *is_clean { 0 } else { 2 };
            assert_eq!(output.status.code(), Some(status), "{case}: {output:?}");
            assert!(*is_clean || !output.stderr.is_empty(), "{case}");
            let found = sizes(folder.path());
            let found: Vec<_> = found.iter().map(|(name, len)| (name.as_str(), *len)).collect();
            assert_eq!(found, *expected, "{case}");
        }
        let folder = folder(&[]);
        let bytes = fs::read(archive).expect("it exists");
        let mut command = Command::new(env!("CARGO_BIN_EXE_uadk-compress"));
        let output = feed(command.args(["tar", "-xf", "-"]).current_dir(folder.path()), &bytes);
        let found = sizes(folder.path());
        assert_eq!(found.len(), expected.len(), "{case}: {output:?}");
        let verified = tar(Who::Ours, folder.path(), &["verify", "-f", archive]);
        assert_eq!(stdout(&verified).contains("all intact"), verified.status.success(), "{case}");
        assert!(*is_clean || verified.status.code() == Some(2), "{case}: {verified:?}");
        ours(folder.path(), if *is_clean { 0 } else { 2 }, &["tf", archive]);
    }
}

/// Lists the files below a directory, with their sizes.
fn sizes(folder: &Path) -> Vec<(String, u64)> {
    files(folder)
        .iter()
        .filter(|line| !line.contains("/ ") && !line.contains(" -> "))
        .map(|line| {
            let name = line.split(' ').next().expect("a name").to_owned();
            let len = folder.join(&name).symlink_metadata().expect("it exists").len();
            (name, len)
        })
        .collect()
}

#[test]
fn damage_behind_the_end_of_the_tar_is_detected() {
    let folder = folder(&[("d/a", "a")]);
    let at = folder.path();
    gnu(at, &["czf", "a.tgz", "d"]);
    let mut bytes = fs::read(at.join("a.tgz")).expect("it exists");
    let crc = bytes.len() - 8;
    bytes[crc] ^= 1;
    fs::write(at.join("bad.tgz"), &bytes).expect("enough space");
    for arguments in [
        &["extract", "-f", "bad.tgz", "-C", "out"][..],
        &["list", "-f", "bad.tgz"],
        &["-tvf", "bad.tgz"],
        &["-df", "bad.tgz"],
        &["verify", "-f", "bad.tgz"],
    ] {
        fs::create_dir_all(at.join("out")).expect("a directory");
        let output = ours(at, 2, arguments);
        assert!(stderr(&output).contains("checksum"), "{output:?}");
    }
    assert!(at.join("out/d/a").is_file(), "intact files are extracted");
}

#[test]
fn trailing_data_behind_gzip_is_reported() {
    let folder = folder(&[("d/a", "a")]);
    let at = folder.path();
    gnu(at, &["czf", "theirs.tgz", "d"]);
    good(at, &["czf", "ours.tgz", "d"]);
    good(at, &["--bgzf", "-czf", "blocks.tgz", "d"]);
    for archive in ["theirs.tgz", "ours.tgz", "blocks.tgz"] {
        let bytes = fs::read(at.join(archive)).expect("it exists");
        for (rest, status) in [(&b"junk\n"[..], 2), (&[0; 10_000], 0)] {
            fs::write(at.join("more.tgz"), [&bytes, rest].concat()).expect("enough space");
            assert_eq!(tar(Who::Gnu, at, &["tzf", "more.tgz"]).status.code(), Some(status));
            for arguments in [
                &["extract", "-f", "more.tgz", "-C", "out"][..],
                &["list", "-f", "more.tgz"],
                &["-tvf", "more.tgz"],
                &["-df", "more.tgz"],
                &["verify", "-f", "more.tgz"],
            ] {
                let _ = fs::remove_dir_all(at.join("out"));
                fs::create_dir(at.join("out")).expect("a directory");
                let output = ours(at, status, arguments);
                assert_eq!(stderr(&output).contains("trailing garbage"), status == 2, "{output:?}");
            }
        }
    }
    // Block gzip without its end marker may have been cut off, but this tar is complete.
    let bytes = fs::read(at.join("theirs.tgz")).expect("it exists");
    let unpacked = feed(Command::new("gzip").arg("-dc").stdin(Stdio::piped()), &bytes).stdout;
    let mut blocks = Command::new(env!("CARGO_BIN_EXE_uadk-compress"));
    let blocks = feed(blocks.args(["bgzip", "-c"]), &unpacked).stdout;
    fs::write(at.join("cut.tgz"), &blocks[..blocks.len() - 28]).expect("enough space");
    let listed = ours(at, 0, &["tf", "cut.tgz"]);
    assert!(stderr(&listed).contains("end marker"), "{listed:?}");
    ours(at, 0, &["xf", "cut.tgz", "-C", "out"]);
    let verified = ours(at, 2, &["verify", "-f", "cut.tgz"]);
    assert!(!stdout(&verified).contains("all intact"), "{verified:?}");
}

#[test]
fn a_wrong_index_is_reported_and_not_used() {
    let folder = folder(&[("d/a", "a"), ("d/b", "b")]);
    let at = folder.path();
    // In one member, the checksum of the file covers the index, too.
    for (options, status) in [(&["-czf"][..], 2), (&["--bgzf", "-czf"], 0)] {
        good(at, &[options, &["a.tgz", "d"]].concat());
        let bytes = fs::read(at.join("a.tgz")).expect("it exists");
        let wrong = (0..bytes.len()).find_map(|offset| {
            let mut bytes = bytes.clone();
            bytes[offset] ^= 0x55;
            fs::write(at.join("b.tgz"), &bytes).expect("enough space");
            let output = tar(Who::Ours, at, &["tf", "b.tgz"]);
            let reported = stderr(&output).contains("the archive is read without it");
            let fits = reported && output.status.code() == Some(status);
            fits.then_some(output)
        });
        let output = wrong.expect("an index to damage");
        assert!(status == 2 || stdout(&output) == "d/\nd/a\nd/b\n", "{output:?}");
        let _ = fs::remove_dir_all(at.join("out"));
        fs::create_dir(at.join("out")).expect("a directory");
        let output = ours(at, status, &["xf", "b.tgz", "-C", "out"]);
        assert_eq!(stderr(&output).matches("read without it").count(), 1, "{output:?}");
        assert_eq!(files(&at.join("out/d")).len(), 2);
    }
}
