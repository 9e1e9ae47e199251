//! Tests of the command `uadk-compress tar`.

mod common;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

use rand::{Rng, RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

use common::feed;
use serde_json::Value;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_uadk-compress"));
    command.arg("tar").args(arguments);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(arguments).current_dir(folder).output().expect("the program starts")
}

/// Runs a command that succeeds and prints nothing on stderr; returns stdout.
fn good(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a command that leaves something out or undone; returns stderr.
fn bad(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn pipe(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    feed(command(arguments).current_dir(folder), input)
}

/// Creates a directory with a tree to archive.
fn fixture() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    let tree = folder.path().join("tree");
    fs::create_dir_all(tree.join("sub/deep")).expect("a directory");
    fs::write(tree.join("a.txt"), "some text\n".repeat(20_000)).expect("a file");
    fs::write(tree.join("b.o"), [0; 100]).expect("a file");
    fs::write(tree.join("sub/c.txt"), "c").expect("a file");
    fs::write(tree.join("sub/deep/d"), "d").expect("a file");
    fs::hard_link(tree.join("a.txt"), tree.join("sub/hard")).expect("a link");
    symlink("a.txt", tree.join("soft")).expect("a link");
    fs::set_permissions(tree.join("b.o"), fs::Permissions::from_mode(0o4755)).expect("a mode");
    folder
}

fn names(folder: &Path, archive: &str) -> Vec<String> {
    good(folder, &["list", "-f", archive]).lines().map(str::to_owned).collect()
}

#[test]
fn a_tree_is_archived_and_extracted() {
    let folder = fixture();
    let at = folder.path();
    good(at, &["create", "-f", "a.tar.gz", "tree"]);
    let expected = ["tree/", "tree/a.txt", "tree/b.o", "tree/soft", "tree/sub/", "tree/sub/c.txt"];
    let listed = names(at, "a.tar.gz");
    assert_eq!(listed[..6], expected);
    assert_eq!(listed[6..], ["tree/sub/deep/", "tree/sub/deep/d", "tree/sub/hard"]);
    let theirs = Command::new("tar").args(["tzf", "a.tar.gz"]).current_dir(at).output();
    assert_eq!(
        String::from_utf8_lossy(&theirs.expect("tar runs").stdout).lines().collect::<Vec<_>>(),
        listed
    );

    fs::create_dir(at.join("out")).expect("a directory");
    good(at, &["extract", "-f", "a.tar.gz", "-C", "out"]);
    let status = Command::new("diff")
        .args(["-r", "--no-dereference", "tree", "out/tree"])
        .current_dir(at)
        .status();
    assert!(status.expect("diff runs").success());
    let mode =
        |path: &str| fs::metadata(at.join(path)).expect("it exists").permissions().mode() & 0o7777;
    assert_eq!(mode("out/tree/b.o") & 0o7000, 0, "setuid only on request");
    good(at, &["extract", "-p", "-f", "a.tar.gz", "-C", "out", "tree/b.o"]);
    assert_eq!(mode("out/tree/b.o"), 0o4755);

    assert_eq!(good(at, &["cat", "-f", "a.tar.gz", "tree/sub/deep/d", "./tree/sub/c.txt"]), "dc");
    let verified = good(at, &["verify", "-f", "a.tar.gz"]);
    assert!(verified.starts_with("9 entries") && verified.contains("agrees"), "{verified}");
}

#[test]
fn lists_are_like_gnu_tars_and_json_has_more() {
    let folder = fixture();
    let at = folder.path();
    good(at, &["create", "-f", "a.tar.gz", "-C", "tree", "a.txt", "b.o", "soft", "sub/hard"]);
    let long = good(at, &["list", "-vf", "a.tar.gz"]);
    let lines: Vec<_> = long.lines().collect();
    assert!(lines[0].starts_with("-rw") && lines[0].contains(" 200000 "), "{long}");
    assert!(lines[1].starts_with("-rwsr-xr-x "), "{long}");
    assert!(lines[2].starts_with('l') && lines[2].ends_with("soft -> a.txt"), "{long}");
    assert!(lines[3].ends_with("sub/hard link to a.txt"), "{long}");
    let json: Value =
        serde_json::from_str(&good(at, &["list", "--json", "-f", "a.tar.gz"])).expect("JSON");
    assert_eq!(json[0]["path"], "a.txt");
    assert_eq!((&json[0]["size"], &json[1]["mode"]), (&200_000.into(), &0o4755.into()));
    assert_eq!((&json[2]["kind"], &json[2]["link"]), (&"symlink".into(), &"a.txt".into()));
    assert_eq!(json.as_array().map(Vec::len), Some(4));
}

#[test]
fn names_and_patterns_select_members() {
    let folder = fixture();
    let at = folder.path();
    good(at, &["create", "-f", "a.tar.gz", "--exclude", "*.o", "--exclude=deep", "tree"]);
    let listed = names(at, "a.tar.gz");
    assert!(!listed.iter().any(|name| name.contains("b.o") || name.contains("deep")), "{listed:?}");
    assert_eq!(good(at, &["list", "-f", "a.tar.gz", "tree/sub/c.txt"]), "tree/sub/c.txt\n");
    fs::create_dir(at.join("out")).expect("a directory");
    good(at, &["extract", "-f", "a.tar.gz", "-C", "out", "--exclude=hard", "tree/sub"]);
    assert!(at.join("out/tree/sub/c.txt").is_file());
    assert!(!at.join("out/tree/a.txt").exists() && !at.join("out/tree/sub/hard").exists());
    let missing = bad(at, &["extract", "-f", "a.tar.gz", "-C", "out", "tree/sub/c.txt", "none"]);
    assert!(missing.contains("none: not found"), "{missing}");
    assert!(bad(at, &["cat", "-f", "a.tar.gz", "none"]).contains("none"));
}

#[test]
fn names_that_are_not_utf8_can_be_recovered_from_json() {
    let folder = tempfile::tempdir().expect("a directory");
    let at = folder.path();
    let name = OsStr::from_bytes(b"caf\xE9 100%");
    fs::write(at.join(name), "x").expect("a file");
    symlink(name, at.join("link")).expect("a link");
    fs::create_dir(at.join("d")).expect("a directory");
    for name in [name, OsStr::new("link")] {
        fs::rename(at.join(name), at.join("d").join(name)).expect("it is renamed");
    }
    good(at, &["create", "-f", "a.tar.gz", "-C", "d", "."]);
    let json: Value =
        serde_json::from_str(&good(at, &["list", "--json", "-f", "a.tar.gz"])).expect("JSON");
    let rows = json.as_array().expect("rows");
    let row = |path: &str| rows.iter().find(|row| row["path"] == path).expect("it exists");
    assert_eq!(row("./caf\u{FFFD} 100%")["path_percent"], "./caf%E9 100%25");
    assert_eq!(row("./link")["link_percent"], "caf%E9 100%25");
    assert_eq!(row("./link").get("path_percent"), None);
}

#[test]
fn pipes_work_at_both_ends() {
    let folder = fixture();
    let at = folder.path();
    let archive = run(at, &["create", "-f", "-", "tree"]).stdout;
    fs::write(at.join("a.tar.gz"), &archive).expect("enough space");
    assert!(good(at, &["verify", "-f", "a.tar.gz"]).contains("agrees"));
    let listed = pipe(at, &["list", "-f", "-"], &archive);
    assert_eq!(String::from_utf8_lossy(&listed.stdout), good(at, &["list", "-f", "a.tar.gz"]));
    assert_eq!(pipe(at, &["cat", "-f", "-", "tree/sub/c.txt"], &archive).stdout, b"c");
    fs::create_dir(at.join("out")).expect("a directory");
    assert!(pipe(at, &["extract", "-f", "-", "-C", "out"], &archive).status.success());
    assert!(at.join("out/tree/sub/deep/d").is_file());
    let verified = pipe(at, &["verify", "--json", "-f", "-"], &archive);
    let json: Value = serde_json::from_slice(&verified.stdout).expect("JSON");
    assert_eq!((&json["entries"], &json["indexed"]), (&9.into(), &false.into()));
    assert!(!pipe(at, &["verify", "-f", "-"], &archive[..archive.len() - 5]).status.success());
}

#[test]
fn archives_are_appended_to_and_indexed() {
    let folder = fixture();
    let at = folder.path();
    good(at, &["create", "-f", "a.tar.gz", "tree/a.txt"]);
    good(at, &["append", "-f", "a.tar.gz", "tree/sub/c.txt", "tree/b.o"]);
    assert_eq!(names(at, "a.tar.gz"), ["tree/a.txt", "tree/sub/c.txt", "tree/b.o"]);
    assert!(good(at, &["verify", "-f", "a.tar.gz"]).contains("agrees"));

    let status =
        Command::new("tar").args(["czf", "theirs.tar.gz", "tree"]).current_dir(at).status();
    assert!(status.expect("tar runs").success());
    assert!(bad(at, &["index", "-f", "theirs.tar.gz"]).contains("--output"));
    assert!(bad(at, &["append", "-f", "theirs.tar.gz", "tree/b.o"]).contains("--output"));
    let output = run(at, &["index", "-f", "theirs.tar.gz", "-o", "ours.tar.gz"]);
    assert!(output.status.success(), "{output:?}");
    assert!(good(at, &["verify", "-f", "ours.tar.gz"]).contains("agrees"));
    let tar = |file: &str| {
        Command::new("gzip").args(["-dc", file]).current_dir(at).output().expect("gzip").stdout
    };
    // The index is behind the tar.
    assert!(tar("ours.tar.gz").starts_with(&tar("theirs.tar.gz")));
    assert!(
        bad(at, &["index", "-f", "theirs.tar.gz", "-o", "ours.tar.gz"]).contains("already exists")
    );
}

#[test]
fn an_archive_is_not_added_to_itself_and_failures_are_named() {
    let folder = fixture();
    let at = folder.path();
    good(at, &["create", "-f", "a.tar.gz", "."]);
    let output = run(at, &["create", "-f", "a.tar.gz", "."]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("a.tar.gz: is the archive"));
    assert!(!names(at, "a.tar.gz").iter().any(|name| name.contains("a.tar.gz")));
    let errors = bad(at, &["create", "-f", "b.tar.gz", "tree/a.txt", "none", "../x"]);
    assert!(errors.contains("none: can't be read") && errors.contains("../x: "), "{errors}");
    assert_eq!(names(at, "b.tar.gz"), ["tree/a.txt"], "the other files are added");
}

#[test]
fn extraction_names_hostile_entries_and_stops_bombs() {
    let folder = fixture();
    let at = folder.path();
    let script = "import io, sys, tarfile
archive = tarfile.open(sys.argv[1], 'w:gz')
for name in ['../evil', '/tmp/evil-absolute', 'good', 'bomb']:
    info = tarfile.TarInfo(name)
    info.size = 1000 if name == 'bomb' else 4
    archive.addfile(info, io.BytesIO(b'x' * info.size))
archive.close()";
    let status =
        Command::new("python3").args(["-c", script, "evil.tar.gz"]).current_dir(at).status();
    assert!(status.expect("python3 runs").success());
    fs::create_dir(at.join("out")).expect("a directory");
    let errors = bad(at, &["extract", "-f", "evil.tar.gz", "-C", "out", "--max-size", "500"]);
    for name in ["../evil: ", "bomb: "] {
        assert!(errors.contains(name), "{errors}");
    }
    assert!(at.join("out/good").is_file() && !at.join("out/bomb").exists());
    assert!(!at.join("evil").exists() && !Path::new("/tmp/evil-absolute").exists());
    assert!(
        at.join("out/tmp/evil-absolute").is_file(),
        "without the slash it is below the directory"
    );
}

#[test]
fn a_failing_accelerator_loses_no_data() {
    let folder = fixture();
    let at = folder.path();
    let script = "seed=7; busy=1/3; late=1/5:4; status=1/6:67; return=1/9:-5; reset=1/40";
    let with_device = |arguments: &[&str]| {
        let output = command(arguments)
            .current_dir(at)
            .env("UADK_COMPRESS_LIB_DIR", uadk_sim::library_dir().expect("the simulator is built"))
            .env("UADK_SIM_SCRIPT", script)
            .output()
            .expect("the program starts");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        output.stdout
    };
    with_device(&["create", "-f", "a.tar.gz", "tree"]);
    with_device(&["append", "-f", "a.tar.gz", "tree/a.txt"]);
    assert!(
        String::from_utf8_lossy(&with_device(&["verify", "-f", "a.tar.gz"])).contains("agrees")
    );
    assert_eq!(with_device(&["cat", "-f", "a.tar.gz", "tree/sub/c.txt"]), b"c");
    let status = Command::new("tar").args(["dzf", "a.tar.gz"]).current_dir(at).status();
    assert!(status.expect("tar runs").success());
}

/// Runs `tar create --resume` with a limit on the size of files, at which the kernel kills it.
fn killed_at(folder: &Path, blocks: usize, archive: &str) {
    let line = format!(
        "ulimit -c 0; ulimit -f {blocks}; \
         exec {} tar create --resume --threads 2 -f {archive} tree",
        env!("CARGO_BIN_EXE_uadk-compress")
    );
    let mut command = Command::new("sh");
    let output = command
        .args([OsStr::new("-c"), line.as_ref()])
        .current_dir(folder)
        .env("UADK_COMPRESS_OFFLOAD", "off")
        .output();
    let status = output.expect("sh runs").status;
    assert_eq!(status.signal(), Some(25), "SIGXFSZ at {blocks} blocks: {status}");
}

#[test]
fn a_killed_process_is_resumed_to_the_same_archive() {
    let folder = fixture();
    let at = folder.path();
    // Incompressible data, so that there are many positions to be killed at.
    let mut numbers = Pcg64Mcg::seed_from_u64(1);
    for i in 0..40 {
        let mut noise = vec![0; 30_000];
        numbers.fill_bytes(&mut noise);
        fs::write(at.join(format!("tree/noise{i}")), noise).expect("a file");
    }
    let offload_off = |arguments: &[&str]| {
        let output = command(arguments)
            .current_dir(at)
            .env("UADK_COMPRESS_OFFLOAD", "off")
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{output:?}");
    };
    offload_off(&["create", "-f", "whole.tar.gz", "tree"]);
    let whole = fs::read(at.join("whole.tar.gz")).expect("it exists");
    for _ in 0..8 {
        let blocks = numbers.random_range(0..whole.len() / 1024);
        // Resuming a complete archive would leave it complete.
        let _ = fs::remove_file(at.join("torn.tar.gz"));
        killed_at(at, blocks, "torn.tar.gz");
        let torn = fs::metadata(at.join("torn.tar.gz")).expect("it exists").len();
        assert!(torn < whole.len() as u64);
        offload_off(&["create", "--resume", "-f", "torn.tar.gz", "tree"]);
        let resumed = fs::read(at.join("torn.tar.gz")).expect("it exists");
        assert!(resumed == whole, "killed at {torn}");
    }
    assert!(bad(at, &["create", "--resume", "-f", "tree/a.txt", "tree"]).contains("neither a tar"));
}
