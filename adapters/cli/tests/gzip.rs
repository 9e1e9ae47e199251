//! `uadk-compress gzip`, `gunzip`, and what clap makes of the command line.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use common::feed;

fn run(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_uadk-compress"));
    feed(program.args(arguments).current_dir(folder), input)
}

fn gunzip(file: &[u8]) -> Vec<u8> {
    feed(Command::new("gzip").arg("-dc"), file).stdout
}

#[test]
fn filters_go_both_ways_with_gzip_at_the_other_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = b"line after line\n".repeat(100_000);
    for arguments in
        [&["gzip"][..], &["gzip", "-1"], &["gzip", "-c9", "--threads", "1"], &["gzip", "-"]]
    {
        let output = run(folder.path(), arguments, &data);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        assert!(gunzip(&output.stdout) == data, "{arguments:?}");
        let back = run(folder.path(), &["gunzip"], &output.stdout);
        assert!(back.stdout == data);
        assert!(run(folder.path(), &["gzip", "-t"], &output.stdout).status.success());
    }
    let cut = run(folder.path(), &["gzip"], &data).stdout;
    let output = run(folder.path(), &["gunzip"], &cut[..cut.len() - 1]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("too early"), "{output:?}");
}

#[test]
fn files_are_replaced_as_gzip_does_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let path = at.join("notes.txt");
    fs::write(&path, "my notes").expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("a mode");
    let modified = fs::metadata(&path).and_then(|file| file.modified()).expect("a time");

    assert!(run(at, &["gzip", "notes.txt"], b"").status.success());
    let metadata = fs::metadata(at.join("notes.txt.gz")).expect("it is there");
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o640);
    assert_eq!(metadata.modified().expect("a time"), modified);
    assert!(!path.exists());
    assert_eq!(gunzip(&fs::read(at.join("notes.txt.gz")).expect("there")), b"my notes");

    assert_eq!(run(at, &["gunzip", "-c", "notes.txt.gz"], b"").stdout, b"my notes");
    assert!(run(at, &["gunzip", "-k", "notes.txt.gz"], b"").status.success());
    assert!(path.exists() && at.join("notes.txt.gz").exists());
    let again = run(at, &["gunzip", "notes.txt.gz"], b"");
    assert!(String::from_utf8_lossy(&again.stderr).contains("--force"), "{again:?}");
    assert!(at.join("notes.txt.gz").exists());
    assert!(run(at, &["gunzip", "-f", "notes.txt.gz"], b"").status.success());
    assert!(path.exists() && !at.join("notes.txt.gz").exists());
}

#[test]
fn a_damaged_file_stays_and_leaves_nothing_half_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let numbers: Vec<u8> =
        (0..50_000_u32).flat_map(|i| i.wrapping_mul(i).to_string().into_bytes()).collect();
    let mut file = run(at, &["gzip"], &numbers).stdout;
    let middle = file.len() / 2;
    file[middle] ^= 1;
    fs::write(at.join("x.gz"), file).expect("a file");
    let output = run(at, &["gunzip", "x.gz"], b"");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("x.gz") && errors.contains("byte"), "{errors}");
    assert!(at.join("x.gz").exists() && !at.join("x").exists());
}

#[test]
fn completions_and_man_pages_are_made() {
    let folder = tempfile::tempdir().expect("a folder");
    for shell in ["bash", "zsh", "fish"] {
        let script = run(folder.path(), &["completions", shell], b"").stdout;
        assert!(String::from_utf8_lossy(&script).contains("gunzip"), "{shell}");
    }
    let page = run(folder.path(), &["man"], b"").stdout;
    assert!(String::from_utf8_lossy(&page).contains(".TH uadk-compress"));
    assert!(run(folder.path(), &["man", "--output", "pages"], b"").status.success());
    assert!(folder.path().join("pages/uadk-compress-tar-create.1").is_file());
}
