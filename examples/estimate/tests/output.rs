//! What is printed.

use std::time::Duration;

use serde_json::Value;
use uadk_compress::{Compressor, Format, Offload, UadkConfig};
use uadk_sim::{Machine, Simulator};

use super::databases::{arguments, compacted};
use crate::report::Report;
use crate::{accelerator, estimate, table};

fn with_simulator(format: Format) -> Result<Compressor, uadk_compress::Error> {
    // The simulator's search takes long.
    let config = UadkConfig::default().with_deadline(Duration::from_secs(1000));
    let builder = Compressor::builder().format(format).offload(Offload::Require).uadk(config);
    builder.build_on(&uadk_sim::libwd_of("2.10"))
}

/// Returns a value of the report by its path in the JSON.
fn get<'a>(json: &'a Value, pointer: &str) -> &'a Value {
    json.pointer(pointer).unwrap_or_else(|| panic!("{pointer} in {json:#}"))
}

fn small_report(
    accelerator: impl Fn(Format) -> Result<Compressor, uadk_compress::Error>,
) -> Report {
    let dir = tempfile::tempdir().expect("a temporary directory");
    compacted(dir.path());
    let arguments = crate::Arguments { blocks: 50, ..arguments(dir.path(), &["default"]) };
    estimate(&arguments, accelerator).expect("estimated")
}

#[test]
fn json_has_the_documented_fields() {
    let report = small_report(accelerator);
    let json: Value = serde_json::from_str(&report.json().expect("printed")).expect("well-formed");
    let page = include_str!("../../../docs/rocksdb.md");
    let documented: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| name.starts_with('/'))
        .map(str::to_owned)
        .collect();
    assert!(documented.len() > 20, "{documented:?}");
    for pointer in &documented {
        get(&json, pointer);
    }
    // Nothing is printed that the page doesn't have.
    let mut found = Vec::new();
    fields(&json, "", &mut found);
    for pointer in found {
        assert!(documented.contains(&pointer), "{pointer} is not documented");
    }
    assert_eq!(get(&json, "/families/0/compression"), "kLZ4Compression");
    assert_eq!(get(&json, "/sample/blocks"), 50);
}

/// Lists the fields that hold no others, with the first entry of each list.
fn fields(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                fields(member, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(entries) => {
            if let Some(first) = entries.first() {
                fields(first, &format!("{at}/0"), found);
            }
        }
        _ => found.push(at.to_owned()),
    }
}

#[test]
fn an_accelerator_has_rows_of_its_own() {
    let _simulator = Simulator::acquire(Machine::lz77());
    let report = small_report(with_simulator);
    assert_eq!(report.accelerator_missing, None);
    let device = report.codecs.iter().filter(|codec| codec.engine.contains("accelerator"));
    let formats: Vec<_> = device.clone().map(|codec| codec.format).collect();
    assert_eq!(formats, ["zlib", "zstd", "lz4"]);
    for codec in device {
        assert!(codec.ratio > 1.2, "{codec:?}");
    }
}

#[test]
fn tables_have_a_row_for_each_codec_and_level() {
    let report = small_report(accelerator);
    let text = table::text(&report);
    for codec in &report.codecs {
        assert!(text.contains(&codec.engine), "{text}");
    }
    let rows = text.lines().filter(|line| line.starts_with("default ")).count();
    assert_eq!(rows, report.families[0].levels.len(), "{text}");
    if let Some(reason) = &report.accelerator_missing {
        assert!(text.contains(reason), "{text}");
    }
}
