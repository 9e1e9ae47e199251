//! Commands with an accelerator, which is a stand-in for `libwd`: healthy and failing.

use std::process::{Command, Output};

use serde_json::Value;

/// Runs a command with a stand-in that is controlled by `script`.
fn run(script: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_uadk-compress"))
        .args(arguments)
        .env("UADK_COMPRESS_LIB_DIR", uadk_sim::library_dir().expect("the simulator is built"))
        .env("UADK_SIM_SCRIPT", script)
        .output()
        .expect("the program starts")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error} in {output:?}");
    })
}

#[test]
fn a_working_accelerator_is_ready_whatever_is_missing() {
    let output = run("", &["doctor", "--json"]);
    let json = json(&output);
    assert_eq!(output.status.code(), Some(0), "{json:#}");
    let trip = &json["engines"][1]["round_trip"];
    assert!(trip["compress_mb_per_s"].as_f64() > Some(0.0), "{json:#}");
    let libwd =
        json["items"].as_array().expect("items").iter().find(|item| item["topic"] == "libwd");
    assert_eq!(libwd.expect("it is always reported")["state"], "ok");
}

#[test]
fn doctor_reports_what_decompresses_raw_deflate() {
    // The stand-in has the functions of version 2.10, in a file without a version number.
    let output = run("", &["doctor"]);
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.contains("raw deflate")).expect("a line");
    assert!(line.contains("decompressed in software (UADK 2.10;"), "{line}");
    let json = json(&run("", &["doctor", "--json"]));
    assert_eq!(json["uadk"]["raw_deflate_decompression"], false, "{json:#}");
}

#[test]
fn a_missing_required_accelerator_is_an_error_with_a_remedy() {
    let output = Command::new(env!("CARGO_BIN_EXE_uadk-compress"))
        .args(["gzip", "--stdout", "/proc/self/status"])
        .env("UADK_COMPRESS_LIB_DIR", uadk_sim::library_dir().expect("the simulator is built"))
        .env("UADK_SIM_SCRIPT", "machine=no-device")
        .env("UADK_COMPRESS_OFFLOAD", "require")
        .output()
        .expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains("no accelerator") && errors.contains("doctor"), "{errors}");
}

#[test]
fn a_failing_accelerator_is_broken() {
    for script in ["reset=1/1", "flip=1/1", "status=1/1:67", "return=1/1:-5", "lost=1/1:0"] {
        let output = run(script, &["doctor", "--json"]);
        let json = json(&output);
        assert_eq!(output.status.code(), Some(2), "{script}: {json:#}");
        assert!(
            json["engines"][1]["error"].is_string() && json["engines"][1]["remedy"].is_string()
        );
    }
}

#[test]
fn an_unavailable_accelerator_leaves_software() {
    // The stand-in comes without a driver, so something is missing on any machine.
    for script in ["machine=no-device", "machine=no-permission", "queues=taken", "busy=1/1"] {
        let output = run(script, &["doctor"]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{script}: {text}");
        assert!(text.contains("\nWorks in software only: "), "{script}: {text}");
    }
}

#[test]
fn clusters_of_snapshots_are_compressed_by_an_accelerator_that_finds_matches() {
    let folder = tempfile::TempDir::new().expect("a directory");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let memory: Vec<u8> = (0..1_u32 << 18).flat_map(|i| (i / 3).to_le_bytes()).collect();
    std::fs::write(path("image"), &memory).expect("a file");
    for (format, script) in [("zstd", "machine=lz77"), ("lz4", "machine=lz77"), ("deflate", "")] {
        let output = Command::new(env!("CARGO_BIN_EXE_uadk-compress"))
            .args(["pages", "save", "--force", "--stats", "--json", "--format", format])
            .args([path("image"), path("snapshot")])
            .env("UADK_COMPRESS_LIB_DIR", uadk_sim::library_dir().expect("the simulator is built"))
            .env("UADK_SIM_SCRIPT", script)
            .env("UADK_COMPRESS_OFFLOAD", "require")
            .output()
            .expect("the program starts");
        let stats = &json(&output)["stats"];
        let blocks = |engine: &str| stats[engine]["compress"]["blocks"].as_u64().expect("a count");
        // Software takes some while the queue is full.
        assert_eq!(blocks("accelerator") + blocks("software"), 64, "{format}: {stats}");
        assert!(blocks("accelerator") > 0, "{format}: {stats}");
        let restored = run("machine=no-device", &["pages", "restore", &path("snapshot"), "-"]);
        assert!(restored.stdout == memory, "{format}");
    }
}

#[test]
fn bench_measures_the_accelerator_and_software() {
    let arguments = ["bench", "--json", "--seconds", "1", "--levels", "1", "/proc/self/exe"];
    let json = json(&run("machine=lz77", &arguments));
    let rows = json["rows"].as_array().expect("rows");
    let accelerator: Vec<_> = rows.iter().filter(|row| row["engine"] == "accelerator").collect();
    // Formats, block sizes, modes.
    assert_eq!(accelerator.len(), 3 * 3 * 2, "{json:#}");
    for row in accelerator {
        assert!(row["error"].is_null() && row["level"].is_null(), "{row}");
        assert!(row["compress_mb_per_s"].as_f64() > Some(0.0), "{row}");
    }
}

#[test]
fn bench_has_no_speed_if_a_device_only_compresses() {
    let formats = ["--formats", "deflate,zlib,zstd"];
    let arguments = ["bench", "--json", "--seconds", "1", "--levels", "1", "/proc/self/exe"];
    let arguments = [&arguments[..], &formats].concat();
    let script = "machine=lz77; algorithms=zlib,lz77_zstd";
    let json = json(&run(script, &arguments));
    for row in json["rows"].as_array().expect("rows") {
        let one_way = row["engine"] == "accelerator" && row["format"] != "zlib";
        assert!(row["error"].is_null(), "{row}");
        assert_eq!(row["decompress_mb_per_s"].is_null(), one_way, "{row}");
    }
}

#[test]
fn bench_reports_wrong_bytes_and_continues() {
    let arguments = ["bench", "--json", "--seconds", "1", "--levels", "1", "/proc/self/exe"];
    let output = run("flip=1/5", &arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("decompressed data differs"));
    let json = json(&output);
    let rows = json["rows"].as_array().expect("rows");
    assert!(rows.iter().any(|row| row["engine"] == "accelerator" && row["error"].is_string()));
    assert!(rows.iter().all(|row| row["engine"] == "accelerator" || row["error"].is_null()));
}
