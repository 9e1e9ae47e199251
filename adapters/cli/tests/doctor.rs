//! Tests of the command `uadk-compress doctor`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn doctor(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_uadk-compress"))
        .arg("doctor")
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// Creates the files of a server on which nothing is missing.
fn server(root: &Path) {
    let device = "sys/class/uacce/hisi_zip-0";
    for (path, contents) in [
        ("proc/sys/kernel/arch", "aarch64\n"),
        ("proc/sys/kernel/osrelease", "6.6.0\n"),
        ("proc/cpuinfo", "CPU implementer\t: 0x48\nCPU part\t: 0xd01\n"),
        ("sys/class/iommu/smmu3.0x0000000148000000/x", ""),
        ("sys/bus/pci/devices/0000:75:00.0/vendor", "0x19e5\n"),
        ("sys/bus/pci/devices/0000:75:00.0/device", "0xa250\n"),
        ("sys/module/hisi_zip/parameters/uacce_mode", "1\n"),
        (&format!("{device}/flags"), "1\n"),
        (&format!("{device}/algorithms"), "zlib\ngzip\n"),
        (&format!("{device}/available_instances"), "256\n"),
        (&format!("{device}/device/numa_node"), "0\n"),
        ("dev/hisi_zip-0", ""),
        ("usr/lib64/libwd.so.2", ""),
        ("usr/lib64/uadk/libhisi_zip.so", ""),
        ("proc/self/status", "Uid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n"),
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("a directory");
        fs::write(path, contents).expect("a file");
    }
}

#[test]
fn a_machine_without_accelerator_works_in_software_only() {
    let root = tempfile::tempdir().expect("a directory");
    let output = doctor(&["--root", root.path().to_str().expect("UTF-8")]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("missing  libwd"), "{text}");
    assert!(text.contains("ok       engine software"), "{text}");
    assert!(text.lines().last().is_some_and(|line| line.starts_with("Works in software only: ")));
    assert!(output.stderr.is_empty());
}

#[test]
fn a_complete_machine_is_ready() {
    let root = tempfile::tempdir().expect("a directory");
    server(root.path());
    let output = doctor(&["--root", root.path().to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).ends_with("Ready: nothing is missing.\n"), "{}", text(&output));
}

#[test]
fn this_machine_is_examined_and_text_and_json_agree() {
    let (plain, json) = (doctor(&[]), doctor(&["--json"]));
    let json_text = text(&json);
    let value: Value = serde_json::from_str(&json_text).expect("JSON");
    assert_eq!(plain.status.code(), json.status.code());
    assert_eq!(value["exit_status"].as_i64(), json.status.code().map(i64::from));
    let text = text(&plain);
    for item in value["items"].as_array().expect("items") {
        let state = item["state"].as_str().expect("a state");
        assert!(["ok", "warning", "missing"].contains(&state), "{item}");
        assert!(state == "ok" || item["remedy"].is_string(), "{item}");
        assert!(text.contains(item["detail"].as_str().expect("a detail")), "{item}");
    }
    assert!(value["engines"][0]["round_trip"]["decompress_mb_per_s"].as_f64() > Some(0.0));
    assert_eq!(value["engines"][1]["engine"], "accelerator");
}

#[test]
fn a_file_that_is_not_a_library_is_broken() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("libwd.so.2"), "not a library").expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_uadk-compress"))
        .args(["doctor", "--json"])
        .env("UADK_COMPRESS_LIB_DIR", dir.path())
        .output()
        .expect("the program starts");
    let json: Value = serde_json::from_str(&text(&output)).expect("JSON");
    let items = json["items"].as_array().expect("items");
    let libwd = items.iter().find(|item| item["topic"] == "libwd").expect("it is always reported");
    // If the system has its own libwd, that one is loaded instead.
    if libwd["state"] == "missing" {
        assert_eq!((&libwd["broken"], output.status.code()), (&Value::Bool(true), Some(2)));
        assert_eq!(json["readiness"], "broken");
        let path = dir.path().to_str().expect("UTF-8");
        assert!(libwd["detail"].as_str().is_some_and(|detail| detail.contains(path)), "{libwd}");
    }
}

#[test]
fn a_wrong_argument_has_another_status() {
    let output = doctor(&["--jsno"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--json"));
    assert_eq!(doctor(&["--help"]).status.code(), Some(0));
}
