//! `pages` as people call it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rand::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

use serde_json::Value;
use tempfile::TempDir;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_uadk-compress"));
    command.arg("pages").args(arguments);
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

/// Zero pages, text and noise.
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
    fs::write(&path, bytes).expect("written");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a name in UTF-8")
}

#[test]
fn an_image_is_saved_looked_at_verified_and_restored() {
    let folder = TempDir::new().expect("a folder");
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
    assert!(fs::read(&back).expect("there") == fs::read(&image).expect("there"));

    let there = fail(&["restore", text(&snapshot), text(&back)]);
    assert!(there.contains("say --force"), "{there}");
    succeed(&["restore", "--force", text(&snapshot), text(&back)]);
    let odd = fail(&["save", text(&image), text(&back), "--force", "--region", "0:2M"]);
    assert!(odd.contains("the regions make 2097152"), "{odd}");
    assert!(fs::read(&back).expect("there") == fs::read(&image).expect("there"), "it stayed");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 3, "nothing is left over");
}

#[test]
fn deltas_have_what_changed_and_restore_with_their_base() {
    let folder = TempDir::new().expect("a folder");
    let place = |name: &str| folder.path().join(name);
    let first = image(folder.path(), "first", |_, _| {});
    let second = image(folder.path(), "second", |number, page| {
        if number % 100 < 2 {
            page.fill(if number % 3 == 0 { 0 } else { 77 });
        }
    });
    let (base, delta, back) = (place("base"), place("delta"), place("back"));
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
    assert!(fs::read(&back).expect("there") == fs::read(&second).expect("there"));
    let alone = fail(&["restore", text(&delta), text(&place("other"))]);
    assert!(alone.contains("give that one first"), "{alone}");
    assert!(!place("other").exists());
}

#[test]
fn snapshots_go_through_pipes() {
    let folder = TempDir::new().expect("a folder");
    let image = image(folder.path(), "image", |_, _| {});
    let output = run(&["save", text(&image), "-"]);
    assert!(output.status.success());
    let back = folder.path().join("back");
    let mut child = command(&["restore", "-", text(&back)])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("piped").write_all(&output.stdout).expect("it reads");
    assert!(child.wait().expect("it ends").success());
    assert!(fs::read(&back).expect("there") == fs::read(&image).expect("there"));
}

#[test]
fn damage_is_named_and_the_rest_restored_when_asked_for() {
    let folder = TempDir::new().expect("a folder");
    let image = image(folder.path(), "image", |_, _| {});
    let (snapshot, back) = (folder.path().join("snapshot"), folder.path().join("back"));
    succeed(&["save", text(&image), text(&snapshot)]);
    let whole = fs::read(&snapshot).expect("there");
    let mut damaged = whole.clone();
    damaged[1 << 20] ^= 4;
    fs::write(&snapshot, damaged).expect("written");
    let told = fail(&["verify", text(&snapshot)]);
    assert!(told.contains("guest memory from 0x"), "{told}");
    let refused = fail(&["restore", text(&snapshot), text(&back)]);
    assert!(refused.contains("guest memory from 0x") && !back.exists(), "{refused}");
    let partial = fail(&["restore", "--partial", text(&snapshot), text(&back)]);
    assert!(partial.contains("missing: guest memory from 0x") && back.exists(), "{partial}");

    fs::write(&snapshot, &whole[..whole.len() / 2]).expect("written");
    assert!(fail(&["verify", text(&snapshot)]).contains("incomplete"));
    assert!(fail(&["info", text(&snapshot)]).contains("incomplete"));
    let partial = fail(&["restore", "--force", "--partial", text(&snapshot), text(&back)]);
    assert!(partial.contains("missing: everything behind 0x"), "{partial}");
    let (back, image) = (fs::read(&back).expect("there"), fs::read(&image).expect("there"));
    assert_eq!(back.len(), image.len());
    assert!(back[..2 << 20] == image[..2 << 20]);
}

/// At a limit of one process. Root has no limit, so root runs it as another user.
#[test]
fn without_threads_the_same_is_saved_and_restored() {
    let folder = TempDir::new().expect("a folder");
    let all = fs::Permissions::from_mode(0o777);
    fs::set_permissions(folder.path(), all).expect("the test's own");
    let image = image(folder.path(), "image", |_, _| {});
    let (snapshot, back) = (folder.path().join("snapshot"), folder.path().join("back"));
    // Where everybody can run it.
    let program = folder.path().join("program");
    fs::copy(env!("CARGO_BIN_EXE_uadk-compress"), &program).expect("copied");
    let limited = |arguments: &[&str]| {
        let mut command = Command::new("prlimit");
        command.arg("--nproc=1:1").arg(&program).arg("pages").args(arguments);
        if fs::metadata(&program).expect("there").uid() == 0 {
            command.uid(65534).gid(65534);
        }
        let output = command.output().expect("this test needs prlimit: install util-linux");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    };
    limited(&["save", "--threads=8", text(&image), text(&snapshot)]);
    limited(&["restore", "--threads=8", text(&snapshot), text(&back)]);
    assert!(fs::read(&back).expect("there") == fs::read(&image).expect("there"));
}
