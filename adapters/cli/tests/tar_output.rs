//! Output files: archives are complete or absent, and statistics do not change them.

mod common;

use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rand::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use common::feed;

/// Returns a command with signals as in the foreground: the tests may run in the background or
/// under nohup.
fn command(at: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("env");
    command.args(["--default-signal=HUP,INT", env!("CARGO_BIN_EXE_uadk-compress"), "tar"]);
    command.args(arguments).current_dir(at).env("UADK_COMPRESS_OFFLOAD", "off");
    command
}

fn run(at: &Path, arguments: &[&str]) -> Output {
    command(at, arguments).output().expect("the program starts")
}

/// Runs a command that succeeds; returns stdout and stderr.
fn good(at: &Path, arguments: &[&str]) -> (String, String) {
    let output = run(at, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

fn is_blocks(archive: &Path) -> bool {
    let bytes = fs::read(archive).expect("it exists");
    bytes.starts_with(&[0x1f, 0x8b, 8, 4]) && &bytes[12..14] == b"BC"
}

/// Creates a tree of text and noise.
fn fixture() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    let tree = folder.path().join("tree");
    fs::create_dir_all(tree.join("sub")).expect("a directory");
    let mut noise = vec![0; 300_000];
    Pcg64Mcg::seed_from_u64(3).fill_bytes(&mut noise);
    fs::write(tree.join("noise"), noise).expect("a file");
    let lines: Vec<String> =
        (0..60_000).map(|i: u32| format!("line {}\n", i.wrapping_mul(2_654_435_761))).collect();
    fs::write(tree.join("sub/text"), lines.concat()).expect("a file");
    folder
}

/// Lists the names in a directory, including hidden ones.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string());
    let mut names: Vec<_> = names.map(|name| name.expect("UTF-8")).collect();
    names.sort();
    names
}

#[test]
fn an_archive_is_unchanged_if_appending_fails() {
    let folder = fixture();
    let at = folder.path();
    let program = env!("CARGO_BIN_EXE_uadk-compress");
    for arguments in [&["cf"][..], &["czf"], &["-c", "--bgzf", "-f"]] {
        good(at, &[arguments, &["a.tar", "tree/sub"]].concat());
        let before = fs::read(at.join("a.tar")).expect("it exists");
        // Writing fails at this size, as on a full disk.
        let blocks = before.len() / 512 + 100;
        let line = format!("ulimit -f {blocks}; exec {program} tar rf a.tar tree/noise");
        let output = Command::new("sh").args(["-c", &line]).current_dir(at).output();
        let output = output.expect("sh runs");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(fs::read(at.join("a.tar")).expect("it exists") == before, "{arguments:?}");
        good(at, &["rf", "a.tar", "tree/noise"]);
        assert!(good(at, &["tf", "a.tar"]).0.ends_with("tree/noise\n"));
    }
    // A missing archive is created.
    good(at, &["uf", "new.tar", "tree"]);
}

#[test]
fn a_stdout_that_is_not_read_is_an_error_or_does_not_matter() {
    let folder = fixture();
    let at = folder.path();
    let shell = |line: &str| {
        let line = line.replace("TAR", &format!("{} tar", env!("CARGO_BIN_EXE_uadk-compress")));
        let output = Command::new("bash").args(["-c", &line]).current_dir(at).output();
        output.expect("bash runs").status.code().expect("it exits without a signal")
    };
    fs::create_dir(at.join("many")).expect("a directory");
    for i in 0..2000 {
        fs::write(at.join(format!("many/a_file_with_a_long_name_{i:060}")), b"").expect("a file");
    }
    // A list of names that is not read does not stop the command.
    assert_eq!(shell("TAR cvf a.tar many | head -1; exit ${PIPESTATUS[0]}"), 0);
    assert_eq!(shell("tar tf a.tar | wc -l | grep -qx 2001"), 0);
    // With an archive, or a list that is the purpose of the command, it ends as GNU tar does.
    for work in ["cf - tree", "czf - tree", "tf a.tar"] {
        assert_eq!(shell(&format!("TAR {work} | head -c 1; exit ${{PIPESTATUS[0]}}")), 128 + 13);
        assert_eq!(shell(&format!("TAR {work} >&-")), 2, "{work}");
    }
    assert_eq!(shell("TAR cz --remove-files tree >&-"), 2);
    assert!(at.join("tree/noise").exists());
    assert_eq!(shell("TAR tf no.tar 2>/dev/full"), 2);
    // Warnings that can't be written are lost, and nothing else.
    assert_eq!(shell("echo > small; tar -cPf w.tar -C tree noise ../small sub"), 0);
    fs::create_dir(at.join("to")).expect("a directory");
    assert_eq!(shell("TAR xf w.tar -C to 2>/dev/full"), 2);
    assert_eq!(names(&at.join("to")), ["noise", "sub"]);
}

#[test]
fn one_member_is_written_and_blocks_on_request() {
    let folder = fixture();
    let at = folder.path();
    for (arguments, blocks) in [
        (&["create", "-f", "a.tgz", "tree"][..], false),
        (&["-czf", "a.tgz", "tree"], false),
        (&["create", "--bgzf", "-f", "a.tgz", "tree"], true),
        (&["--bgzf", "-cf", "a.tgz", "tree"], true),
        (&["index", "--force", "-f", "a.tgz", "-o", "a.tgz"], false),
        (&["index", "--force", "--bgzf", "-f", "a.tgz", "-o", "a.tgz"], true),
        // Appended data has the layout of the archive.
        (&["append", "-f", "a.tgz", "tree/sub"], true),
        (&["-rf", "a.tgz", "tree/sub"], true),
    ] {
        good(at, arguments);
        assert_eq!(is_blocks(&at.join("a.tgz")), blocks, "{arguments:?}");
        assert!(good(at, &["verify", "-f", "a.tgz"]).0.contains("agrees"), "{arguments:?}");
        let theirs = Command::new("tar").args(["-dzf", "a.tgz"]).current_dir(at).status();
        assert!(theirs.expect("tar runs").success(), "{arguments:?}");
    }
}

#[test]
fn statistics_do_not_change_archives() {
    let folder = fixture();
    let at = folder.path();
    for level in ["0", "1", "2", "6", "9"] {
        for layout in [&[][..], &["--bgzf"]] {
            let make = |more: &[&str]| {
                let fixed = ["--compression-level", level, "-czf", "a.tgz", "tree"];
                good(at, &[layout, more, &fixed].concat());
                let whole = fs::read(at.join("a.tgz")).expect("it exists");
                let fixed = ["create", "--level", level, "-f", "b.tgz", "tree"];
                let more: Vec<&str> = more.iter().copied().filter(|o| *o == "--stats").collect();
                good(at, &[&fixed[..], layout, &more].concat());
                assert!(whole == fs::read(at.join("b.tgz")).expect("it exists"), "{level}");
                whole
            };
            let plain = make(&[]);
            for more in [&["--stats"][..], &["--totals"], &["--stats", "--totals"]] {
                assert!(make(more) == plain, "{more:?} at level {level}, {layout:?}");
            }
        }
    }
}

#[test]
fn every_command_reports_its_engines() {
    let folder = fixture();
    let at = folder.path();
    good(at, &["create", "-f", "a.tgz", "tree"]);
    good(at, &["create", "--bgzf", "-f", "b.tgz", "tree"]);
    fs::create_dir(at.join("out")).expect("a directory");
    let blocks = |messages: &str| -> u64 {
        let line = messages.lines().last().expect("a line").trim_start_matches("uadk-compress: ");
        assert!(line.contains("by the accelerator") && line.contains("UADK"), "{messages}");
        line.split(' ').next().expect("a number").parse().expect("a number")
    };
    for archive in ["a.tgz", "b.tgz"] {
        for (arguments, has_blocks) in [
            (&["list", "-f", archive][..], false),
            (&["extract", "-f", archive, "-C", "out"], true),
            (&["cat", "-f", archive, "tree/sub/text"], true),
            (&["verify", "-f", archive], true),
            (&["-tvf", archive], true),
            (&["-xf", archive, "-C", "out"], true),
            (&["-df", archive], true),
            (&["append", "-f", archive, "tree/sub"], true),
            (&["-rf", archive, "tree/sub"], true),
            (&["-uf", archive, "tree/sub"], true),
            (&["index", "-f", archive], archive == "a.tgz"),
            (&["index", "-f", archive, "-o", "new.tgz"], true),
            (&["create", "-f", "new.tgz", "tree"], true),
            (&["-czf", "new.tgz", "tree"], true),
        ] {
            let _ = fs::remove_file(at.join("new.tgz"));
            let (_, messages) = good(at, &[arguments, &["--stats"]].concat());
            assert!(!has_blocks || blocks(&messages) > 0, "{arguments:?}: {messages}");
        }
    }
    let (verified, _) = good(at, &["verify", "--json", "--stats", "-f", "a.tgz"]);
    let json: Value = serde_json::from_str(&verified).expect("JSON");
    assert!(json["stats"]["software"]["decompress"]["blocks"].as_u64() > Some(0), "{json}");
    let (listed, messages) = good(at, &["list", "--json", "--stats", "-f", "a.tgz"]);
    let (listed, messages): (Value, Value) = (
        serde_json::from_str(&listed).expect("JSON"),
        serde_json::from_str(&messages).expect("JSON"),
    );
    assert!(listed.is_array() && messages["accelerator_missing"].is_string(), "{messages}");
}

#[test]
fn totals_start_like_gnu_tars_and_have_the_ratio() {
    let folder = fixture();
    let at = folder.path();
    let (_, messages) = good(at, &["-czf", "a.tgz", "--totals", "tree"]);
    let theirs = Command::new("gzip").args(["-dc", "a.tgz"]).current_dir(at).output();
    assert!(theirs.expect("gzip runs").status.success());
    assert!(
        messages.starts_with("Total bytes written: ") && messages.contains("/s), "),
        "{messages}"
    );
    let len = fs::metadata(at.join("a.tgz")).expect("it exists").len();
    assert!(messages.contains(&format!("{len} in the archive (ratio 2.")), "{messages}");
    assert!(messages.contains(" blocks in software"), "{messages}");
    for operation in ["-tf", "-xf", "-df"] {
        let (_, messages) = good(at, &[operation, "a.tgz", "--totals"]);
        assert!(
            messages.contains("Total bytes read: ") && messages.contains("ratio"),
            "{messages}"
        );
        // The figures of the whole archive are not known here.
        let (_, messages) = good(at, &[operation, "a.tgz", "--totals", "tree/noise"]);
        assert!(
            messages.contains("Total bytes read: 300000 ") && !messages.contains("ratio"),
            "{messages}"
        );
    }
}

#[test]
fn an_archive_is_replaced_when_the_new_one_is_complete() {
    let folder = fixture();
    let at = folder.path();
    fs::create_dir(at.join("place")).expect("a directory");
    let place = at.join("place/a.tgz");
    good(at, &["create", "-f", "place/a.tgz", "tree/noise"]);
    fs::set_permissions(&place, fs::Permissions::from_mode(0o640)).expect("a mode");
    let old = fs::metadata(&place).expect("it exists");
    symlink("a.tgz", at.join("place/link")).expect("a link");
    let old_bytes = fs::read(&place).expect("it exists");
    // An invalid level, at which the command fails.
    let output = run(at, &["create", "--level", "99", "-f", "place/a.tgz", "tree"]);
    assert!(!output.status.success());
    assert!(fs::read(&place).expect("it exists") == old_bytes);
    good(at, &["create", "-f", "place/link", "tree/sub"]);
    let new = fs::metadata(&place).expect("it exists");
    assert_eq!((new.mode(), new.uid()), (old.mode(), old.uid()));
    assert_ne!(new.ino(), old.ino());
    assert!(good(at, &["list", "-f", "place/a.tgz"]).0.contains("tree/sub/text"));
    assert!(at.join("place/link").is_symlink());
    assert_eq!(names(&at.join("place")), ["a.tgz", "link"]);
    // The new archive contains neither itself nor the old one.
    let (_, messages) = good(at, &["create", "-f", "place/a.tgz", "place"]);
    assert!(messages.contains("place/a.tgz: is the archive"), "{messages}");
    assert_eq!(good(at, &["list", "-f", "place/a.tgz"]).0, "place/\nplace/link\n");
}

#[test]
fn pipes_and_devices_are_written_to_directly() {
    let folder = fixture();
    let at = folder.path();
    let whole = run(at, &["create", "-f", "-", "tree"]).stdout;
    assert!(run(at, &["create", "-f", "/dev/stdout", "tree"]).stdout == whole);
    assert!(run(at, &["index", "-f", "-", "-o", "-"]).stdout.is_empty());
    assert!(feed(&mut command(at, &["index", "-f", "-", "-o", "-"]), &whole).stdout == whole);
    assert!(Command::new("mkfifo").arg(at.join("fifo")).status().expect("it runs").success());
    let child = command(at, &["-czf", "fifo", "tree"]).spawn().expect("the program starts");
    assert!(fs::read(at.join("fifo")).expect("bytes") == whole);
    assert!(child.wait_with_output().expect("it runs").status.success());
    assert!(fs::metadata(at.join("fifo")).expect("it exists").file_type().is_fifo());
    good(at, &["create", "-f", "/dev/null", "tree"]);
    assert!(fs::metadata("/dev/null").expect("it exists").file_type().is_char_device());
    assert_eq!(run(at, &["create", "-f", "tree", "tree"]).status.code(), Some(2));
    // The file opened by the shell is the archive, whatever its name.
    let line = "exec \"$0\" tar create -f /dev/stdout tree >tree/a.tgz";
    let output = Command::new("sh")
        .args(["-c", line, env!("CARGO_BIN_EXE_uadk-compress")])
        .current_dir(at)
        .output();
    let output = output.expect("sh runs");
    assert!(String::from_utf8_lossy(&output.stderr).contains("tree/a.tgz: is the archive"));
}

/// Creates a tree whose names fill a pipe that is not read.
fn many_names() -> tempfile::TempDir {
    let folder = fixture();
    for i in 0..2000 {
        let name = format!("tree/{i:04}-{}", "n".repeat(90));
        fs::write(folder.path().join(name), "x").expect("a file");
    }
    folder
}

/// Starts writing an archive, and waits until the writer blocks because the names are not read.
fn begin(at: &Path, arguments: &[&str]) -> (Child, PathBuf) {
    let mut child = command(at, arguments);
    let mut child = child.stderr(Stdio::piped()).spawn().expect("the program starts");
    // If there is something to read, 64 KiB of names have been written, which fill the pipe.
    let mut byte = [0];
    let stderr = child.stderr.as_mut().expect("piped");
    stderr.read_exact(&mut byte).expect("names");
    let unfinished = names(&at.join("place")).into_iter().find(|name| name.contains("new.tgz"));
    (child, at.join("place").join(unfinished.expect("it exists")))
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("it is running");
}

#[test]
fn a_signal_leaves_no_partial_archive() {
    let folder = many_names();
    let at = folder.path();
    fs::create_dir(at.join("place")).expect("a directory");
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let (child, unfinished) = begin(at, &["create", "-vf", "place/new.tgz", "tree"]);
        assert!(unfinished.exists() && !at.join("place/new.tgz").exists());
        send(&child, signal);
        let output = child.wait_with_output().expect("it runs");
        assert_eq!(output.status.signal(), Some(signal.as_raw()), "{output:?}");
        assert_eq!(names(&at.join("place")), [""; 0], "{signal:?}");
    }
}

#[test]
fn a_killed_run_is_resumed() {
    let folder = many_names();
    let at = folder.path();
    fs::create_dir(at.join("place")).expect("a directory");
    good(at, &["create", "-f", "whole.tgz", "tree"]);
    let whole = fs::read(at.join("whole.tgz")).expect("it exists");
    let resume = ["create", "--resume", "-f", "place/new.tgz", "tree"];

    let (child, unfinished) = begin(at, &["create", "-vf", "place/new.tgz", "tree"]);
    // Its writer is still running: it is not touched.
    good(at, &resume);
    assert!(fs::read(at.join("place/new.tgz")).expect("it exists") == whole);
    fs::remove_file(at.join("place/new.tgz")).expect("it exists");
    send(&child, Signal::KILL);
    child.wait_with_output().expect("it runs");
    assert!(unfinished.exists() && !at.join("place/new.tgz").exists());
    let (_, messages) = good(at, &resume);
    assert!(messages.contains("resuming place/.new.tgz."), "{messages}");
    assert!(fs::read(at.join("place/new.tgz")).expect("it exists") == whole);
    assert_eq!(names(&at.join("place")), ["new.tgz"]);

    // With an old archive of that name, which is replaced at the end.
    good(at, &["create", "-f", "place/new.tgz", "tree/noise"]);
    let (child, unfinished) = begin(at, &["create", "-vf", "place/new.tgz", "tree"]);
    send(&child, Signal::KILL);
    child.wait_with_output().expect("it runs");
    assert!(good(at, &["list", "-f", "place/new.tgz"]).0 == "tree/noise\n");
    // A run that resumes it can be resumed as well.
    let (child, again) = begin(at, &[&["create", "-v"], &resume[1..]].concat());
    send(&child, Signal::TERM);
    assert_eq!(child.wait_with_output().expect("it runs").status.signal(), Some(15));
    assert!(unfinished.exists() && again.exists());
    good(at, &resume);
    assert!(fs::read(at.join("place/new.tgz")).expect("it exists") == whole);
    assert_eq!(names(&at.join("place")), ["new.tgz"]);

    // A partial archive that is older than the existing archive is ignored.
    fs::write(&unfinished, "old").expect("a file");
    let file = fs::File::options().append(true).open(&unfinished).expect("a file");
    file.set_modified(std::time::UNIX_EPOCH).expect("a time");
    let (_, messages) = good(at, &resume);
    assert!(!messages.contains("resuming"), "{messages}");
    assert_eq!(fs::read(&unfinished).expect("it exists"), b"old");
}

#[test]
fn data_before_damage_is_listed_and_read() {
    let folder = fixture();
    let at = folder.path();
    fs::create_dir(at.join("big")).expect("a directory");
    for i in 0..5 {
        let mut noise = vec![0; 300_000];
        Pcg64Mcg::seed_from_u64(i).fill_bytes(&mut noise);
        fs::write(at.join(format!("big/{i}")), noise).expect("a file");
    }
    let gnu = |arguments: &[&str]| {
        let output = Command::new("tar").args(arguments).current_dir(at).output();
        output.expect("tar runs").stdout
    };
    good(at, &["czf", "ours", "--sort=name", "big"]);
    gnu(&["-czf", "gzip", "--sort=name", "big"]);
    gnu(&["-cf", "plain", "--sort=name", "big"]);
    for archive in ["ours", "gzip", "plain"] {
        let bytes = fs::read(at.join(archive)).expect("it exists");
        fs::write(at.join("cut"), &bytes[..1_000_000]).expect("enough space");
        let listed = run(at, &["tf", "cut"]);
        assert_eq!(listed.status.code(), Some(2), "{archive}");
        assert_eq!(listed.stdout, gnu(&["-tf", "cut"]), "{archive}");
        assert!(listed.stdout.ends_with(b"big/3\n"), "{archive}");
        let first = fs::read(at.join("big/0")).expect("it exists");
        assert!(run(at, &["cat", "-f", "cut", "big/0"]).stdout == first, "{archive}");
        assert!(run(at, &["xOf", "cut", "big/0"]).stdout == first, "{archive}");
    }
}

#[test]
fn newer_files_stay_whatever_would_replace_them() {
    let folder = fixture();
    let at = folder.path();
    fs::create_dir_all(at.join("from/name")).expect("a directory");
    let mut touch = Command::new("touch");
    touch.args(["-d", "2001-01-01", "from/name"]).current_dir(at);
    assert!(touch.status().expect("touch runs").success());
    good(at, &["cf", "a.tar", "-C", "from", "name"]);
    fs::create_dir(at.join("to")).expect("a directory");
    fs::write(at.join("to/name"), "newer").expect("a file");
    good(at, &["xf", "a.tar", "--keep-newer-files", "-C", "to"]);
    assert_eq!(fs::read(at.join("to/name")).expect("it exists"), b"newer");
}

#[test]
fn an_archive_in_a_read_only_directory_is_overwritten() {
    let folder = fixture();
    let at = folder.path();
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it exists");
    };
    fs::create_dir(at.join("closed")).expect("a directory");
    fs::write(at.join("closed/a.tar"), "something else").expect("a file");
    fs::copy(env!("CARGO_BIN_EXE_uadk-compress"), at.join("program")).expect("enough space");
    open(at, 0o755);
    open(&at.join("program"), 0o755);
    open(&at.join("closed/a.tar"), 0o666);
    open(&at.join("closed"), 0o555);
    // Root may write to any directory.
    let unprivileged = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let is_root = fs::metadata("/proc/self").expect("it exists").uid() == 0;
    let words = if is_root { &unprivileged[..] } else { &["env"] };
    let run = |archive: &str| {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(["./program", "tar", "cf", archive, "tree"]);
        command.current_dir(at).status().expect("it runs").code()
    };
    assert_eq!(run("closed/a.tar"), Some(0));
    assert_eq!(run("closed/b.tar"), Some(2));
    let mut list = Command::new("tar");
    let list = list.args(["tf", "closed/a.tar"]).current_dir(at).output().expect("tar runs");
    assert!(list.status.success() && list.stdout.ends_with(b"tree/sub/text\n"));
    open(&at.join("closed"), 0o755);
}
