//! A short crash test, and the test's own test. `make crash-test` runs the long one.

use std::process::Command;

/// Runs the crash test, and returns what it prints if it succeeds.
fn crash_test(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_rocksdb-crash"))
        .args(arguments)
        .output()
        .expect("runs the crash test");
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
