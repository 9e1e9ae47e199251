//! Usual command lines of GNU tar: run by it and by our program, with the same results.

#[path = "common/peer.rs"]
mod peer;

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use peer::{Who, tar};

/// Creates a tree with names that options refer to, with times long ago.
fn fixture() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    let at = folder.path();
    let files = [
        ("tree/a.txt", "some text\n"),
        ("tree/b.o", "object"),
        ("tree/sub/c.txt", "c"),
        ("tree/sub/deep/d", "d"),
        ("tree/sub/deep/A.TXT", "upper"),
        ("tree/back\\slash", "b"),
        ("tree/new\nline", "n"),
        ("tree/star*", "s"),
        ("tree/old~", "o"),
        ("tree/.git/HEAD", "h"),
        ("tree/.gitignore", "*.o"),
        ("tree/cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n"),
        ("tree/cache/x", "x"),
        ("tree/false/CACHEDIR.TAG", "no signature"),
        ("tree/false/x", "x"),
        ("tree/tagged/.nobackup", ""),
        ("tree/tagged/y", "y"),
        ("other/a.txt", "another\n"),
        ("other/in/z", "z"),
        ("list", "tree/a.txt\ntree/sub\n"),
        ("list0", "tree/b.o\0tree/new\nline\0"),
        ("list-C", "tree/a.txt\n-C other\nin/z\n-C ..\nlist\n"),
        ("quoted", "tree/new\\nline\ntree/back\\\\slash\n"),
        ("patterns", "*.txt  \n\nsub/deep\n"),
    ];
    for (name, contents) in files {
        let path = at.join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(&path, contents).expect("a file");
    }
    fs::hard_link(at.join("tree/a.txt"), at.join("tree/sub/hard")).expect("a link");
    symlink("a.txt", at.join("tree/soft")).expect("a link");
    symlink("sub", at.join("tree/to-sub")).expect("a link");
    let mode = |name: &str, mode| {
        fs::set_permissions(at.join(name), fs::Permissions::from_mode(mode)).expect("a mode");
    };
    mode("tree/b.o", 0o4755);
    mode("tree/sub", 0o2750);
    age(at, 1_000_000_000);
    let newer = SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000);
    let file = fs::File::options().append(true).open(at.join("tree/sub/c.txt")).expect("a file");
    file.set_modified(newer).expect("a time");
    folder
}

/// Sets the times of everything in a directory.
fn age(folder: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    for entry in fs::read_dir(folder).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_symlink() {
            let status = std::process::Command::new("touch")
                .args(["-h", "-d", &format!("@{seconds}")])
                .arg(&path)
                .status();
            assert!(status.expect("touch runs").success());
            continue;
        }
        if path.is_dir() {
            age(&path, seconds);
        }
        fs::File::open(&path).expect("it exists").set_modified(time).expect("a time");
    }
}

/// Describes everything below a directory: metadata and contents. Archives are shown as GNU tar
/// lists them.
fn snapshot(folder: &Path) -> String {
    let mut text = String::new();
    add(&mut text, folder, folder);
    text
}

// Writing to a string can't fail.
fn add(text: &mut String, top: &Path, path: &Path) {
    let metadata = path.symlink_metadata().expect("it exists");
    let name = path.strip_prefix(top).expect("below the top").display();
    let mode = metadata.mode();
    let _ = write!(text, "{name}: {mode:o} ");
    if metadata.is_dir() {
        *text += "\n";
        let entries = fs::read_dir(path).expect("a directory");
        let mut entries: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        entries.sort();
        for entry in entries {
            add(text, top, &entry);
        }
        return;
    }
    let year = metadata.mtime() / 31_557_600;
    // A recent file was created by the test.
    let time = if year > 55 { "now".to_owned() } else { metadata.mtime().to_string() };
    let _ = write!(text, "{} {time} ", metadata.nlink());
    if metadata.is_symlink() {
        let _ = write!(text, "-> {}", fs::read_link(path).expect("a link").display());
    } else if path.extension().is_some_and(|ending| ending == "tgz") {
        let listed = tar(Who::Gnu, top, &["--numeric-owner", "-tvf", &path.to_string_lossy()]);
        let _ = write!(text, "{}\n{}", listed.status, String::from_utf8_lossy(&listed.stdout));
    } else {
        *text += &String::from_utf8_lossy(&fs::read(path).expect("a file"));
    }
    *text += "\n";
}

/// Runs command lines, separated by `|`, one after the other. Statuses, output and the resulting
/// files must be the same.
fn same(lines: &str) {
    if let Err(difference) = compare(lines) {
        panic!("{difference}");
    }
}

fn compare(lines: &str) -> Result<(), String> {
    let (theirs, ours) = (fixture(), fixture());
    for line in lines.split('|').map(str::trim) {
        // A space in an argument is written as "+".
        let arguments: Vec<String> =
            line.split_whitespace().map(|word| word.replace('+', " ")).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        if let ["mkdir", name] = arguments[..] {
            fs::create_dir(theirs.path().join(name)).expect("a directory");
            fs::create_dir(ours.path().join(name)).expect("a directory");
            continue;
        }
        if let ["write", name, text] = arguments[..] {
            fs::write(theirs.path().join(name), text).expect("a file");
            fs::write(ours.path().join(name), text).expect("a file");
            continue;
        }
        let gnu = tar(Who::Gnu, theirs.path(), &arguments);
        let us = tar(Who::Ours, ours.path(), &arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let messages =
            format!("{line}\nGNU tar: {}\nours: {}", text(&gnu.stderr), text(&us.stderr));
        if us.status.code() != gnu.status.code() {
            return Err(format!("{}, not {}: {messages}", us.status, gnu.status));
        }
        // An archive on stdout may differ.
        if !gnu.stdout.starts_with(b"\x1F\x8B") {
            differ(&text(&us.stdout), &text(&gnu.stdout))
                .map_err(|what| format!("{what}{messages}"))?;
        }
    }
    differ(&snapshot(ours.path()), &snapshot(theirs.path()))
        .map_err(|what| format!("{what}{lines}"))
}

/// Returns the lines that differ as an error.
fn differ(ours: &str, theirs: &str) -> Result<(), String> {
    if ours == theirs {
        return Ok(());
    }
    let mut difference = String::from("\n");
    for line in ours.lines().filter(|line| !theirs.lines().any(|other| other == *line)) {
        let _ = writeln!(difference, "ours alone: {line}");
    }
    for line in theirs.lines().filter(|line| !ours.lines().any(|other| other == *line)) {
        let _ = writeln!(difference, "GNU tar's alone: {line}");
    }
    Err(format!("{difference}or another order: "))
}

fn all_same(cases: &[&str]) {
    let failures: Vec<String> = cases.iter().filter_map(|case| compare(case).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn options_are_accepted_in_every_form() {
    all_same(&[
        "czf a.tgz tree | tf a.tgz | tzf a.tgz | ztf a.tgz | -tf a.tgz | t -f a.tgz",
        "-czf a.tgz tree | -t --file a.tgz | --list --file=a.tgz | --li --fi=a.tgz",
        "-cz -fa.tgz tree | -tfa.tgz",
        "--create --gzip --file=a.tgz tree | tvf a.tgz --numeric-owner",
        "-czf a.tgz tree/sub -v | -t tree/sub -f a.tgz",
        "cfCz a.tgz other a.txt in | tf a.tgz",
        "czf a.tgz -C other a.txt -C ../tree sub | tf a.tgz",
        "czfC a.tgz tree sub -C ../other in | tf a.tgz",
        "czf a.tgz -- tree/sub | tf a.tgz -- tree/sub/c.txt",
        "czf a.tgz --add-file tree/a.txt --add-file=tree/sub | tf a.tgz",
        "cvzf a.tgz tree | xvf a.tgz -C other",
        "cavf a.tgz tree/sub | tvf a.tgz --numeric-owner --full-time --utc",
    ]);
}

#[test]
fn wrong_command_lines_fail_as_with_gnu_tar() {
    all_same(&[
        "--no-such-option",
        "-cf",
        "cf",
        "czf a.tgz",
        "-czxf a.tgz tree",
        "zf a.tgz",
        "tf none.tgz",
        "tf a.tgz --strip-components=x",
        "czf a.tgz tree/a.txt | tf a.tgz none | xf a.tgz none tree/a.txt",
        "czf a.tgz none tree/a.txt",
        "czf a.tgz tree/a.txt --sort=size",
        "czf a.tgz tree --transform=y/a/b/ | czf a.tgz tree --transform=s/a",
        "czf a.tgz tree --exclude",
        "--exclude-c -czf a.tgz tree",
        "xf a.tgz --occurrence",
    ]);
}

#[test]
fn files_are_selected() {
    all_same(&[
        "czf a.tgz --exclude=*.txt tree",
        "czf a.tgz --exclude *.o --exclude=deep tree",
        "czf a.tgz --exclude=tree/sub tree",
        "czf a.tgz --exclude=sub/ tree",
        "czf a.tgz --anchored --exclude=sub --no-anchored --exclude=deep tree",
        "czf a.tgz --ignore-case --exclude=*.txt tree",
        "czf a.tgz --no-wildcards --exclude=star* tree",
        "czf a.tgz --no-wildcards-match-slash --exclude=tree/*.txt --exclude=tree/*/*.txt tree",
        "czf a.tgz -X patterns tree",
        "czf a.tgz --exclude-from=patterns tree",
        "czf a.tgz --exclude-vcs tree",
        "czf a.tgz --exclude-backups tree",
        "czf a.tgz --exclude-caches tree",
        "czf a.tgz --exclude-caches-under tree",
        "czf a.tgz --exclude-caches-all tree",
        "czf a.tgz --exclude-tag=.nobackup tree",
        "czf a.tgz --exclude-tag-under=.nobackup tree",
        "czf a.tgz --exclude-tag-all=.nobackup tree",
        "czf a.tgz -T list",
        "czf a.tgz --files-from=list tree/b.o",
        "czf a.tgz --null -T list0",
        "czf a.tgz --null -T list0 --no-null -T list",
        "czf a.tgz -T list-C",
        "czf a.tgz -T quoted",
        "czf a.tgz --verbatim-files-from -T list-C",
        "czf a.tgz --no-unquote -T quoted",
        "czf a.tgz --no-recursion tree tree/sub",
        "czf a.tgz --no-recursion tree --recursion tree/sub",
        "czf a.tgz --one-file-system tree",
        "czf a.tgz --newer-mtime=2010-01-01 tree",
        "czf a.tgz --newer-mtime @1000000001 tree",
        "czf a.tgz --newer-mtime=./tree/sub/c.txt tree",
        "czf a.tgz -N 2100-01-01 tree",
        "czf a.tgz --after-date=2010-01-01 tree/sub",
        "czf a.tgz --ignore-failed-read tree/a.txt none",
        "czf a.tgz -T list | xf a.tgz -C other -T list",
    ]);
}

#[test]
fn archives_are_appended_to_and_updated() {
    all_same(&[
        "czf a.tgz tree/sub/c.txt --remove-files | tf a.tgz",
        "czf a.tgz tree/sub --remove-files | tf a.tgz",
    ]);
    // GNU tar does not append to compressed archives.
    let (theirs, ours) = (fixture(), fixture());
    for (who, at) in [(Who::Gnu, theirs.path()), (Who::Ours, ours.path())] {
        let archive = if who == Who::Gnu { "a.tar" } else { "a.tgz" };
        let good = |arguments: &[&str]| {
            let output = tar(who, at, arguments);
            assert!(output.status.success(), "{arguments:?}: {output:?}");
        };
        let letters = if who == Who::Gnu { "cf" } else { "czf" };
        good(&[letters, archive, "tree/a.txt", "tree/sub/c.txt"]);
        good(&["rf", archive, "tree/b.o"]);
        fs::write(at.join("tree/a.txt"), "newer").expect("a file");
        good(&["-uf", archive, "tree/a.txt", "tree/sub/c.txt", "tree/old~"]);
    }
    let list = |at: &Path, archive| tar(Who::Gnu, at, &["tf", archive]).stdout;
    assert_eq!(list(ours.path(), "a.tgz"), list(theirs.path(), "a.tar"));
}

#[test]
fn members_are_selected_and_extracted() {
    all_same(&[
        "czf a.tgz tree | mkdir out | xf a.tgz -C out | df a.tgz -C out",
        "czf a.tgz tree | mkdir out | xzvf a.tgz -C out tree/sub/ tree/soft",
        "czf a.tgz tree | mkdir out | xf a.tgz -C out --exclude=sub --exclude=*.o",
        "czf a.tgz tree | mkdir out | xf a.tgz -C out --wildcards *.txt",
        "czf a.tgz tree | mkdir out | xf a.tgz -C out --no-anchored c.txt deep",
        "czf a.tgz tree | mkdir out | mkdir out2 | xf a.tgz -C out tree/a.txt -C ../out2 tree/sub",
        "czf a.tgz tree | xOf a.tgz tree/a.txt tree/sub/c.txt",
        "czf a.tgz tree | mkdir out | -xf a.tgz --to-stdout --wildcards *.txt -C out",
        "czf a.tgz tree | mkdir out | xf a.tgz -C out -k",
        "czf a.tgz tree other | mkdir out | xf a.tgz -C out --newer-mtime=2010-01-01",
        "czf a.tgz tree | tf a.tgz --newer-mtime=2010-01-01",
        "czf a.tgz tree/b.o tree/soft | tf a.tgz --occurrence tree/b.o | \
         tf a.tgz --occurrence=2 tree/b.o",
        "czf a.tgz tree | tvf a.tgz --numeric-owner --quoting-style=literal tree/sub",
        "czf a.tgz tree | tf a.tgz --quoting-style=escape",
        "czf a.tgz tree | tf a.tgz --exclude-backups",
        "czf a.tgz tree/sub tree/a.txt | mkdir out | xpf a.tgz -C out",
        "czf a.tgz tree/sub tree/b.o | mkdir out | xf a.tgz -C out --no-same-permissions",
        "czf a.tgz --no-recursion tree | xf a.tgz | df a.tgz",
    ]);
}

#[test]
fn names_are_transformed_in_lists_and_new_archives() {
    all_same(&[
        "czf a.tgz tree | tf a.tgz --strip-components=1 --show-transformed-names",
        "czf a.tgz tree | tf a.tgz --strip-components=2 --show-transformed-names tree/sub",
        "czf a.tgz tree | tf a.tgz --transform=s/tree/t/ --show-stored-names",
        "czf a.tgz tree/sub --transform=s,^tree,new, | tf a.tgz",
        "cvzf a.tgz tree/sub tree/a.txt --xform=s/t/T/g;s/T/-/2 --show-transformed-names",
        "czf a.tgz tree/soft tree/to-sub --transform=flags=r;s/a/A/ | tf a.tgz",
        "czf a.tgz tree/sub --transform=s/c.txt/&.\\U&/ | tf a.tgz",
    ]);
}

#[test]
fn members_are_extracted_under_other_names() {
    all_same(&[
        "czf a.tgz tree | mkdir out | xf a.tgz -C out --strip-components=1",
        "czf a.tgz tree | mkdir out | xvf a.tgz -C out --strip-components=2 tree/sub",
        "czf a.tgz tree | mkdir out | xvf a.tgz -C out --strip=1 --show-transformed-names",
        "czf a.tgz tree | mkdir out | xf a.tgz -C out --transform=s/tree/new/",
        "czf a.tgz tree | mkdir out | xf a.tgz -C out --xform=s,sub/,s-,g;s/txt$/TEXT/",
        "czf a.tgz tree | mkdir out | xf a.tgz -C out --transform=s/a/A/S",
        "czf a.tgz tree | mkdir out | xf a.tgz -C out --transform=s,^.*/,,",
        "czf a.tgz tree/sub | xf a.tgz --one-top-level | xf a.tgz --one-top-level=top",
        "czf a.tgz tree/soft tree/to-sub --transform=s/s/S/g | tf a.tgz",
    ]);
}

#[test]
fn existing_files_are_handled_as_requested() {
    all_same(&[
        "czf a.tgz tree | write tree/b.o changed | xf a.tgz",
        "czf a.tgz tree/b.o | write tree/b.o changed | xf a.tgz -k",
        "czf a.tgz tree/b.o | write tree/b.o changed | xf a.tgz --skip-old-files",
        "czf a.tgz tree/b.o | write tree/b.o changed | xf a.tgz --keep-newer-files",
        "czf a.tgz tree/a.txt | write tree/a.txt changed | xf a.tgz --overwrite",
        "czf a.tgz tree/a.txt | write tree/a.txt changed | xf a.tgz -U",
        "czf a.tgz tree/a.txt | write tree/a.txt changed | xf a.tgz",
        "czf a.tgz tree | mkdir out | xmf a.tgz -C out tree/sub",
    ]);
}

#[test]
fn metadata_is_stored_as_requested() {
    all_same(&[
        "czf a.tgz --owner=0 --group=0 --mtime=2001-02-03+04:05 tree | tvf a.tgz",
        "czf a.tgz --owner=me:1234 --group=us:4321 --mode=u+rw,go-w tree | tvf a.tgz",
        "czf a.tgz --owner=daemon --group=:7 tree/sub | tvf a.tgz",
        "czf a.tgz --owner=no-such-user --group=no-such-group tree/sub | tvf a.tgz",
        "czf a.tgz --numeric-owner --mtime=@5 --clamp-mtime tree/sub | tvf a.tgz",
        "czf a.tgz --mtime=2010-01-01 --clamp-mtime tree | tvf a.tgz",
        "czf a.tgz --mtime=./tree/sub/c.txt tree/a.txt | tvf a.tgz",
        "czf a.tgz --mode=a=rX tree/b.o tree/cache | tvf a.tgz",
        "czf a.tgz --mode=0640 tree/b.o tree/cache | tvf a.tgz",
        "czhf a.tgz tree/soft tree/cache tree/b.o | tvf a.tgz",
        "czhf a.tgz tree | tvf a.tgz",
        "czhf a.tgz tree/to-sub tree/sub/c.txt tree/soft | tvf a.tgz",
        "czf a.tgz --mode=g+s,u+x tree/sub tree/b.o | tvf a.tgz",
        "czf a.tgz --mode=02755 tree/sub tree/a.txt | tvf a.tgz",
        "czf a.tgz -C tree . | tf a.tgz | mkdir out | xf a.tgz -C out",
        "czf a.tgz ./tree/sub tree/b.o | tvf a.tgz ./tree/sub/c.txt | df a.tgz",
        "czf a.tgz --hard-dereference tree | tvf a.tgz",
        "czSf a.tgz tree | tvf a.tgz",
        "czf a.tgz tree | tvf a.tgz | tvvf a.tgz tree/sub --full-time",
    ]);
}

#[test]
fn concatenated_archives_are_read_on_request() {
    let folder = fixture();
    let at = folder.path();
    for (archive, name) in [("1.tgz", "tree/a.txt"), ("2.tgz", "tree/b.o")] {
        assert!(tar(Who::Ours, at, &["czf", archive, name]).status.success());
    }
    let both = ["1.tgz", "2.tgz"].map(|name| fs::read(at.join(name)).expect("it exists"));
    fs::write(at.join("a.tgz"), both.concat()).expect("a file");
    let options = ["tif", "a.tgz"];
    let (ours, theirs) = (tar(Who::Ours, at, &options), tar(Who::Gnu, at, &options));
    assert_eq!(String::from_utf8_lossy(&ours.stdout), String::from_utf8_lossy(&theirs.stdout));
}

#[test]
fn the_same_tree_makes_the_same_bytes() {
    let (one, other) = (fixture(), fixture());
    // Another order in the file system, and other times.
    let moved = other.path().join("tree/a.txt");
    fs::rename(&moved, other.path().join("kept")).expect("it is renamed");
    fs::rename(other.path().join("kept"), &moved).expect("it is renamed");
    fs::File::open(&moved).expect("a file").set_modified(SystemTime::now()).expect("a time");
    let options =
        ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=go=rX"];
    let archives = [&one, &other].map(|folder| {
        let output =
            tar(Who::Ours, folder.path(), &[&options[..], &["-czf", "a.tgz", "tree"]].concat());
        assert!(output.status.success(), "{output:?}");
        fs::read(folder.path().join("a.tgz")).expect("it exists")
    });
    assert!(archives[0] == archives[1]);
}

#[test]
fn differences_are_reported_in_the_same_words() {
    all_same(&[
        "czf a.tgz tree | df a.tgz | dvf a.tgz | --compare --file=a.tgz tree/sub",
        "czf a.tgz tree | write tree/b.o longer+than+before | df a.tgz",
        "czf a.tgz tree/sub/c.txt | write tree/sub/c.txt d | -d -f a.tgz",
        "czf a.tgz tree/sub --remove-files | df a.tgz",
        "czf a.tgz tree/a.txt | mkdir out | write out/x y | df a.tgz -C out",
        "czf a.tgz -C tree soft sub a.txt | df a.tgz -C other",
        "czf a.tgz --transform=s/tree/other/ tree/a.txt | df a.tgz",
    ]);
}

#[test]
fn names_never_lead_out_of_the_directory() {
    same("czf a.tgz -C other/in ../../tree/sub /dev/null ../../list | tf a.tgz");
}

#[test]
fn unsupported_options_are_named() {
    let folder = fixture();
    for option in ["--listed-incremental=x", "--multi-volume", "-V", "--to-command=cat", "-w"] {
        let output = tar(Who::Ours, folder.path(), &["-cf", "a.tgz", option, "tree"]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{option}: {error}");
        assert!(error.contains("option --"), "{option}: {error}");
        assert!(!folder.path().join("a.tgz").exists(), "{option}");
    }
}

#[test]
fn a_dry_run_writes_nothing() {
    let folder = fixture();
    let at = folder.path();
    let before = snapshot(at);
    let output = tar(Who::Ours, at, &["--dry-run", "-cvzf", "a.tgz", "tree/sub"]);
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("tree/sub/\n"), "{output:?}");
    assert_eq!(snapshot(at), before);
    assert!(tar(Who::Ours, at, &["czf", "a.tgz", "tree"]).status.success());
    let before = snapshot(at);
    let output = tar(Who::Ours, at, &["--dry-run", "-xvf", "a.tgz", "-C", "other"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("tree/a.txt\n"), "{output:?}");
    assert_eq!(snapshot(at), before);
}

#[test]
fn a_link_named_tar_behaves_like_tar() {
    let folder = fixture();
    let at = folder.path();
    symlink(env!("CARGO_BIN_EXE_uadk-compress"), at.join("tar")).expect("a link");
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(at.join("tar"))
            .args(arguments)
            .current_dir(at)
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    run(&["czf", "a.tgz", "tree/sub"]);
    assert!(run(&["tf", "a.tgz"]).contains("tree/sub/deep/d\n"));
    assert!(run(&["--help"]).contains("--strip-components"));
    assert!(run(&["--version"]).starts_with("tar (uadk-compress) "));
}

#[test]
fn totals_name_the_engine() {
    let folder = fixture();
    let output = tar(Who::Ours, folder.path(), &["czf", "a.tgz", "tree", "--totals"]);
    let messages = String::from_utf8_lossy(&output.stderr);
    for part in ["Total bytes written: ", "(ratio ", " blocks in software"] {
        assert!(messages.contains(part), "{messages}");
    }
}
