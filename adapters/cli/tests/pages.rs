//! Tests of the command `uadk-compress pages`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rand::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// Returns a command with signals as in the foreground: the tests may run in the background or
/// under nohup.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new("env");
    command.args(["--default-signal=HUP,INT", env!("CARGO_BIN_EXE_uadk-compress"), "pages"]);
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the program starts")
}

fn succeed(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

fn fail(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// Creates an image of zero pages, constant pages and noise.
fn image(folder: &Path, name: &str, change: impl Fn(usize, &mut [u8])) -> PathBuf {
    let mut noise = Pcg64Mcg::seed_from_u64(1);
    let mut bytes = vec![0; 8 << 20];
    for (number, page) in bytes.chunks_exact_mut(4096).enumerate() {
        match number % 4 {
            0 => noise.fill_bytes(page),
            1 => page.fill(number as u8),
            _ => {}
        }
        change(number, page);
    }
    let path = folder.join(name);
    fs::write(&path, bytes).expect("a file");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a name in UTF-8")
}

#[test]
fn an_image_is_saved_inspected_verified_and_restored() {
    let folder = TempDir::new().expect("a directory");
    let image = image(folder.path(), "image", |_, _| {});
    let (snapshot, back) = (folder.path().join("snapshot"), folder.path().join("back"));
    succeed(&[
        "save",
        text(&image),
        text(&snapshot),
        "--region",
        "0:2M",
        "--region",
        "0x100000000:6M",
    ]);
    let info: Value =
        serde_json::from_str(&succeed(&["info", "--json", text(&snapshot)])).expect("JSON");
    assert_eq!((&info["pages"], &info["data_pages"]), (&2048.into(), &1024.into()));
    assert_eq!(info["regions"][1]["address"], 1_u64 << 32);
    assert!(info["file"].as_u64() < Some(3 << 20));
    assert!(succeed(&["info", text(&snapshot)]).contains("base\n"));
    assert!(succeed(&["verify", text(&snapshot)]).contains("intact, 1024 pages"));
    succeed(&["restore", text(&snapshot), text(&back)]);
    assert!(fs::read(&back).expect("it exists") == fs::read(&image).expect("it exists"));

    let there = fail(&["restore", text(&snapshot), text(&back)]);
    assert!(there.contains("use --force"), "{there}");
    succeed(&["restore", "--force", text(&snapshot), text(&back)]);
    let odd = fail(&["save", text(&image), text(&back), "--force", "--region", "0:2M"]);
    assert!(odd.contains("the regions add up to 2097152"), "{odd}");
    assert!(
        fs::read(&back).expect("it exists") == fs::read(&image).expect("it exists"),
        "the file is unchanged"
    );
    assert_eq!(
        fs::read_dir(folder.path()).expect("a directory").count(),
        3,
        "no other files are left"
    );
}

#[test]
fn statistics_name_the_engine() {
    let folder = TempDir::new().expect("a directory");
    let at = folder.path();
    let image = image(at, "image", |_, _| {});
    let (snapshot, restored) = (at.join("snapshot"), at.join("restored"));
    let json =
        |arguments: &[&str]| -> Value { serde_json::from_str(&succeed(arguments)).expect("JSON") };
    let saved = json(&["save", "--stats", "--json", text(&image), text(&snapshot)]);
    let done = &saved["stats"]["software"]["compress"];
    assert_eq!(done["bytes_in"].as_u64(), Some(4 << 20), "{saved}");
    let read = json(&["restore", "--stats", "--json", text(&snapshot), text(&restored)]);
    let done = &read["stats"][0]["software"]["decompress"];
    assert!(done["blocks"].as_u64() > Some(0), "{read}");
    let verified = json(&["verify", "--stats", "--json", text(&snapshot)]);
    assert_eq!(&verified["stats"]["software"]["decompress"]["blocks"], &done["blocks"]);
    let said = succeed(&["verify", "--stats", text(&snapshot)]);
    assert!(said.contains("blocks in software"), "{said}");
    assert!(!succeed(&["verify", text(&snapshot)]).contains("software"), "only on request");
}

#[test]
fn deltas_contain_changes_and_are_restored_with_their_base() {
    let folder = TempDir::new().expect("a directory");
    let path = |name: &str| folder.path().join(name);
    let first = image(folder.path(), "first", |_, _| {});
    let second = image(folder.path(), "second", |number, page| {
        if number % 100 < 2 {
            page.fill(if number % 3 == 0 { 0 } else { 77 });
        }
    });
    let (base, delta, back) = (path("base"), path("delta"), path("back"));
    succeed(&["save", text(&first), text(&base)]);
    let saved: Value = serde_json::from_str(&succeed(&[
        "save",
        "--json",
        text(&second),
        text(&delta),
        "--base",
        text(&base),
    ]))
    .expect("JSON");
    assert!(saved["pages"].as_u64() <= Some(42), "{saved}");
    succeed(&["verify", text(&base), text(&delta)]);
    succeed(&["restore", text(&base), text(&delta), text(&back)]);
    assert!(fs::read(&back).expect("it exists") == fs::read(&second).expect("it exists"));
    let alone = fail(&["restore", text(&delta), text(&path("other"))]);
    assert!(alone.contains("pass that one first"), "{alone}");
    assert!(!path("other").exists());
}

#[test]
fn clusters_have_the_requested_format_and_its_levels() {
    let folder = TempDir::new().expect("a directory");
    let image = image(folder.path(), "image", |number, page| {
        // Tables, in which the levels find different matches.
        if number % 4 == 2 {
            for (entry, word) in page.as_chunks_mut().0.iter_mut().enumerate() {
                *word = (number * 512 + entry).to_le_bytes();
            }
        }
    });
    let bytes = fs::read(&image).expect("it exists");
    let (snapshot, back) = (folder.path().join("snapshot"), folder.path().join("back"));
    let save = |options: &[&str]| {
        succeed(&[&["save", "--force", text(&image), text(&snapshot)], options].concat());
        let info = succeed(&["info", "--json", text(&snapshot)]);
        let info: Value = serde_json::from_str(&info).expect("JSON");
        succeed(&["verify", text(&snapshot)]);
        succeed(&["restore", "--force", text(&snapshot), text(&back)]);
        assert!(fs::read(&back).expect("it exists") == bytes, "{options:?}");
        (info["format"].as_str().expect("a name").to_owned(), info["file"].as_u64())
    };
    assert_eq!(save(&[]).0, "deflate");
    for (format, lowest, highest) in
        [("deflate", "0", "12"), ("zstd", "-131072", "22"), ("lz4", "-131072", "12")]
    {
        let low = save(&["--format", format, "--level", lowest]);
        let high = save(&["--format", format, "--level", highest]);
        assert_eq!((&low.0, &high.0), (&format.to_owned(), &format.to_owned()));
        assert!(low.1 > high.1, "{format}: {low:?} {high:?}");
        for level in [lowest, highest].map(|level| level.parse::<i32>().expect("a number")) {
            let level = if level <= 0 { level - 1 } else { level + 1 }.to_string();
            let arguments = ["save", text(&image), "-", "--format", format, "--level", &level];
            let refused = fail(&arguments);
            let expected =
                format!("invalid level {level} for {format}: must be {lowest} to {highest}\n");
            assert!(refused.ends_with(&expected), "{refused}");
        }
    }
    for format in ["zlib", "gzip", "lz5", "raw"] {
        let refused = run(&["save", text(&image), "-", "--format", format]);
        assert_eq!(refused.status.code(), Some(64), "{refused:?}");
    }
}

#[test]
fn a_delta_may_have_another_format_than_its_base() {
    let folder = TempDir::new().expect("a directory");
    let path = |name: &str| folder.path().join(name);
    let changed = |nth: usize| {
        image(folder.path(), &format!("image{nth}"), |number, page| {
            if number % 50 < nth {
                page.fill(if number % 3 == 0 { 0 } else { nth as u8 });
            }
        })
    };
    let mut snapshots: Vec<PathBuf> = Vec::new();
    for (nth, format) in ["lz4", "deflate", "zstd"].into_iter().enumerate() {
        let snapshot = path(format);
        let image = changed(nth);
        let mut arguments = vec!["save", text(&image), text(&snapshot), "--format", format];
        for base in &snapshots {
            arguments.extend(["--base", text(base)]);
        }
        succeed(&arguments);
        snapshots.push(snapshot);
    }
    let chain: Vec<&str> = snapshots.iter().map(|path| text(path)).collect();
    succeed(&[&["verify"], &chain[..]].concat());
    succeed(&[&["restore"], &chain[..], &[text(&path("back"))]].concat());
    let newest = fs::read(path("image2")).expect("it exists");
    assert!(fs::read(path("back")).expect("it exists") == newest);
}

#[test]
fn snapshots_go_through_pipes() {
    let folder = TempDir::new().expect("a directory");
    let image = image(folder.path(), "image", |_, _| {});
    let output = run(&["save", text(&image), "-"]);
    assert!(output.status.success());
    let back = folder.path().join("back");
    let mut child = command(&["restore", "-", text(&back)])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("piped").write_all(&output.stdout).expect("the program reads");
    assert!(child.wait().expect("it exits").success());
    assert!(fs::read(&back).expect("it exists") == fs::read(&image).expect("it exists"));
}

#[test]
fn damage_is_named_and_the_rest_restored_on_request() {
    let folder = TempDir::new().expect("a directory");
    let image = image(folder.path(), "image", |_, _| {});
    let (snapshot, back) = (folder.path().join("snapshot"), folder.path().join("back"));
    succeed(&["save", text(&image), text(&snapshot)]);
    let whole = fs::read(&snapshot).expect("it exists");
    let mut damaged = whole.clone();
    damaged[1 << 20] ^= 4;
    fs::write(&snapshot, damaged).expect("a file");
    let message = fail(&["verify", text(&snapshot)]);
    assert!(message.contains("guest memory from 0x"), "{message}");
    let refused = fail(&["restore", text(&snapshot), text(&back)]);
    assert!(refused.contains("guest memory from 0x") && !back.exists(), "{refused}");
    let partial = fail(&["restore", "--partial", text(&snapshot), text(&back)]);
    assert!(partial.contains("missing: guest memory from 0x") && back.exists(), "{partial}");

    fs::write(&snapshot, &whole[..whole.len() / 2]).expect("a file");
    assert!(fail(&["verify", text(&snapshot)]).contains("incomplete"));
    assert!(fail(&["info", text(&snapshot)]).contains("incomplete"));
    let partial = fail(&["restore", "--force", "--partial", text(&snapshot), text(&back)]);
    assert!(partial.contains("missing: everything from 0x"), "{partial}");
    let (back, image) = (fs::read(&back).expect("it exists"), fs::read(&image).expect("it exists"));
    assert_eq!(back.len(), image.len());
    assert!(back[..2 << 20] == image[..2 << 20]);
}

/// Runs with a limit of one process. Root has no limit, so root runs the program as another user.
#[test]
fn without_threads_the_same_is_saved_and_restored() {
    let folder = TempDir::new().expect("a directory");
    let all = fs::Permissions::from_mode(0o777);
    fs::set_permissions(folder.path(), all).expect("the test's own file");
    let image = image(folder.path(), "image", |_, _| {});
    let (snapshot, back) = (folder.path().join("snapshot"), folder.path().join("back"));
    // A copy that every user can run.
    let program = folder.path().join("program");
    fs::copy(env!("CARGO_BIN_EXE_uadk-compress"), &program).expect("a copy");
    let limited = |arguments: &[&str]| {
        let mut command = Command::new("prlimit");
        command.arg("--nproc=1:1").arg(&program).arg("pages").args(arguments);
        if fs::metadata(&program).expect("it exists").uid() == 0 {
            command.uid(65534).gid(65534);
        }
        let output = command.output().expect("this test needs prlimit: install util-linux");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    };
    limited(&["save", "--threads=8", text(&image), text(&snapshot)]);
    limited(&["restore", "--threads=8", text(&snapshot), text(&back)]);
    assert!(fs::read(&back).expect("it exists") == fs::read(&image).expect("it exists"));
}

/// Reading all of it would take many minutes.
#[test]
fn holes_of_an_image_are_not_read() {
    let folder = TempDir::new().expect("a directory");
    let path = |name: &str| folder.path().join(name);
    let (image, snapshot, delta) = (path("image"), path("snapshot"), path("delta"));
    let file = fs::File::create(&image).expect("a file");
    file.set_len(64 << 30).expect("a sparse file");
    let said = succeed(&["save", text(&image), text(&snapshot)]);
    assert!(said.contains("65536.0 MiB of memory, 0 pages with data"), "{said}");
    file.write_at(b"data", 40 << 30).expect("a file");
    let base = ["--base", text(&snapshot)];
    let said = succeed(&[&["save", text(&image), text(&delta)], &base[..]].concat());
    assert!(said.contains(" 1 pages with data"), "{said}");
    succeed(&["restore", text(&snapshot), text(&delta), text(&path("back"))]);
    let mut byte = [0; 5];
    let back = fs::File::open(path("back")).expect("it exists");
    back.read_exact_at(&mut byte, (40 << 30) - 1).expect("long enough");
    assert_eq!(&byte, b"\0data");
    assert!(back.metadata().expect("it exists").blocks() < 1000, "sparse");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it exists").permissions().mode() & 0o7777
}

#[test]
fn files_are_not_more_readable_than_their_source() {
    let folder = TempDir::new().expect("a directory");
    let path = |name: &str| folder.path().join(name);
    let image = image(folder.path(), "image", |_, _| {});
    for (image_mode, snapshot_mode) in [(0o600, 0o600), (0o644, 0o600), (0o400, 0o400)] {
        fs::set_permissions(&image, fs::Permissions::from_mode(image_mode))
            .expect("the test's own file");
        let _ = fs::remove_file(path("snapshot"));
        succeed(&["save", text(&image), text(&path("snapshot"))]);
        assert_eq!(mode(&path("snapshot")), snapshot_mode);
        let _ = fs::remove_file(path("back"));
        succeed(&["restore", text(&path("snapshot")), text(&path("back"))]);
        assert_eq!(mode(&path("back")), snapshot_mode);
    }
    // A replaced file keeps only the permissions that both allow.
    fs::write(path("old"), "").expect("a file");
    fs::set_permissions(path("old"), fs::Permissions::from_mode(0o640))
        .expect("the test's own file");
    succeed(&["restore", "--force", text(&path("snapshot")), text(&path("old"))]);
    assert_eq!(mode(&path("old")), 0o400);
}

#[test]
fn images_and_snapshots_go_through_pipes_and_devices() {
    let folder = TempDir::new().expect("a directory");
    let path = |name: &str| folder.path().join(name);
    let image = image(folder.path(), "image", |_, _| {});
    let bytes = fs::read(&image).expect("it exists");
    succeed(&["save", text(&image), text(&path("base")), "--page-size", "64K"]);
    let info = succeed(&["info", text(&path("base"))]);
    assert!(info.contains("of 64K"), "{info}");

    // To stdout, from a file and from a pipe.
    let output = run(&["restore", text(&path("base")), "-"]);
    assert!(output.status.success() && output.stdout == bytes, "{:?}", output.stderr);
    let mut child = command(&["restore", "-", "-"]);
    child.stdin(fs::File::open(path("base")).expect("it exists"));
    assert!(child.output().expect("it runs").stdout == bytes);
    assert!(!Path::new("-").exists());

    // A FIFO stays one.
    let made = Command::new("mkfifo")
        .arg(path("fifo"))
        .status()
        .expect("this test needs mkfifo: install coreutils");
    assert!(made.success());
    for (arguments, from) in [("save", &image), ("restore", &path("base"))] {
        let fifo = path("fifo");
        let reader = std::thread::spawn(move || fs::read(fifo).expect("a FIFO"));
        let said = run(&[arguments, text(from), text(&path("fifo"))]);
        assert!(said.status.success() && said.stdout.is_empty(), "{said:?}");
        let read = reader.join().expect("the program reads");
        assert!(arguments == "save" || read == bytes);
        assert!(fs::symlink_metadata(path("fifo")).expect("it exists").file_type().is_fifo());
    }
    succeed(&["restore", "--force", text(&path("base")), "/dev/null"]);
    assert!(fs::metadata("/dev/null").expect("it exists").file_type().is_char_device());

    // A symlink stays one; what it points to is replaced.
    std::os::unix::fs::symlink("base", path("link")).expect("a link");
    assert!(fail(&["save", text(&image), text(&path("link"))]).contains("use --force"));
    succeed(&["save", "--force", text(&image), text(&path("link"))]);
    assert!(path("link").is_symlink() && !path("base").is_symlink());
    assert!(succeed(&["info", text(&path("base"))]).contains("of 4K"));
}

#[test]
fn a_signal_leaves_no_partial_file() {
    let folder = TempDir::new().expect("a directory");
    let mut image = vec![0; 1 << 20];
    Pcg64Mcg::seed_from_u64(2).fill_bytes(&mut image);
    let path = folder.path().join("image");
    fs::write(&path, &image).expect("a file");
    let whole = run(&["save", text(&path), "-"]).stdout;
    fs::remove_file(&path).expect("it exists");
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut child = command(&["restore", "-", text(&folder.path().join("back"))])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(&whole[..whole.len() / 2]).expect("the program reads");
        // Wait until it is half done: its file exists under another name.
        while fs::read_dir(folder.path()).expect("a directory").count() == 0 {
            std::thread::yield_now();
        }
        kill_process(Pid::from_child(&child), signal).expect("it is running");
        let status = child.wait().expect("it exits");
        assert!(status.signal().is_some(), "{signal:?}: {status}");
        assert_eq!(fs::read_dir(folder.path()).expect("a directory").count(), 0, "{signal:?}");
    }
}
