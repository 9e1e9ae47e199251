//! A short crash test, and the test's own test. `make crash-test` runs the long one.

use std::process::Command;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_rocksdb-crash"))
}

/// Runs the crash test, and returns what it prints if it succeeds.
fn crash_test(arguments: &[&str]) -> String {
    let output = program().args(arguments).output().expect("runs the crash test");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{error}");
    text
}

#[test]
fn acknowledged_writes_survive_five_kills() {
    let text = crash_test(&["--seed", "1", "--kills", "5"]);
    assert!(text.contains("5 kills: "), "{text}");
    assert!(text.contains("every acknowledged write was there, and nothing else"), "{text}");
}

#[test]
fn errors_made_on_purpose_are_found() {
    let text = crash_test(&["--self-test"]);
    assert_eq!(text.lines().filter(|line| line.contains("is found: ")).count(), 5, "{text}");
}

#[test]
fn a_run_makes_the_same_choices_again_and_another_seed_makes_others() {
    let list = |seed| crash_test(&["--list", "--kills", "200", "--seed", seed]);
    assert_eq!(list("1"), list("1"));
    assert_ne!(list("1"), list("2"));
    assert_eq!(list("1").lines().filter(|line| line.starts_with("round ")).count(), 201);
}

#[test]
fn a_failure_names_seed_round_settings_and_key_and_keeps_the_database() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let output = program()
        .args(["--seed", "3", "--kills", "20", "--sabotage", "stray"])
        .env("TMPDIR", dir.path())
        .output()
        .expect("runs the crash test");
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    for part in [
        "seed 3, round ",
        " threads, killed ",
        "the key stray, which was never written",
        "block_size=",
        "the database is in ",
        "the same choices again: --seed 3 --kills ",
    ] {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    let kept = std::fs::read_dir(dir.path()).expect("readable").next().expect("a directory");
    assert!(kept.expect("readable").path().join("database/CURRENT").exists());
}
