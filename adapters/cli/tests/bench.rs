//! Tests of the command `uadk-compress bench`.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_uadk-compress"))
        .arg("bench")
        .args(["--seconds", "1"])
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn file(contents: &[u8]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("data");
    fs::write(&path, contents).expect("a file");
    (dir, path)
}

fn log() -> Vec<u8> {
    (0..5000).flat_map(|n| format!("request {n} took {} us\n", n * 7 % 991).into_bytes()).collect()
}

#[test]
fn a_small_file_yields_a_row_for_each_case() {
    let (_dir, path) = file(&log());
    let output = bench(&["--json", path.to_str().expect("UTF-8")]);
    let json: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let rows = json["rows"].as_array().expect("rows");
    let software: Vec<_> = rows.iter().filter(|row| row["engine"] == "software").collect();
    // Formats, levels, block sizes, modes.
    assert_eq!(software.len(), 3 * 4 * 3 * 2);
    for row in software {
        assert!(row["error"].is_null(), "{row}");
        assert!(row["ratio"].as_f64() > Some(1.5), "{row}");
        for speed in ["compress", "decompress"] {
            for per in ["cpu_s", "s"] {
                assert!(row[format!("{speed}_mb_per_{per}")].as_f64() > Some(0.0), "{row}");
            }
        }
    }
    assert_eq!(json["bytes"], log().len());
}

#[test]
fn the_table_has_the_requested_rows() {
    let (_dir, path) = file(&log());
    let arguments = ["--levels", "3", "--block-sizes", "8K", "--formats", "gzip", "--limit", "16K"];
    let output = bench(&[&arguments[..], &[path.to_str().expect("UTF-8")]].concat());
    let text = stdout(&output);
    assert!(text.contains(path.to_str().expect("UTF-8")), "{text}");
    assert!(text.contains("there is more; see --limit"), "{text}");
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("software")).collect();
    assert_eq!(rows.len(), 2, "{text}");
    for (row, mode) in rows.iter().zip(["single", "batch"]) {
        let fields: Vec<_> = row.split_whitespace().collect();
        assert_eq!(fields[..5], ["software", "gzip", "3", "8K", mode]);
        assert_eq!(fields.len(), 10);
    }
    assert!(output.stderr.is_empty(), "no progress if stderr is not a terminal");
}

#[test]
fn data_can_come_from_stdin() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_uadk-compress"))
        .args(["bench", "--json", "--seconds", "1", "--levels", "1", "--formats", "zlib", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(&log()).expect("the program reads");
    let output = child.wait_with_output().expect("it exits");
    let json: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(json["bytes"], log().len());
}

#[test]
fn unreadable_files_are_named_with_a_remedy() {
    let (dir, empty) = file(b"");
    for (path, hint) in [
        (PathBuf::from("/nonexistent/data"), "pass a file that this user may read"),
        (dir.path().to_owned(), "tar c"),
        (empty, "pass a file that is not empty"),
    ] {
        let path = path.to_str().expect("UTF-8");
        let output = bench(&[path]);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1));
        assert!(message.contains(path) && message.contains(hint), "{message}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn an_unknown_level_is_refused_with_the_range() {
    let output = bench(&["--levels", "23", "/etc/passwd"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&output.stderr).contains("fastest, or from -131072 to 22"));
}
