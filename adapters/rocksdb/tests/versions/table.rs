//! The table of versions in docs/rocksdb.md.

use std::fs;
use std::path::PathBuf;

use crate::releases::Release;
use crate::shim;

const BEGIN: &str = "<!-- The table is written by the test `versions` with UPDATE_TABLE=1. -->\n";
const END: &str = "<!-- The end of the table. -->\n";
const HEADER: &str =
    "| RocksDB | headers from | compiled as | run | `format_version` | writes | reads |";

/// Returns the rows for releases that the shim compiles for.
///
/// Those that `current`, the table in the docs, says have been run keep that: this program runs one
/// of them.
pub(crate) fn rows(releases: &[Release], linked: &str, current: &[String]) -> Vec<String> {
    let mut rows = vec![HEADER.to_owned(), "|---|---|---|---|---|---|---|".to_owned()];
    for release in releases {
        let Release { name, from } = release;
        let start = format!("| {name} | {from} | {} |", shim::standard(release.version()));
        let was_run = current.iter().any(|row| row.starts_with(&format!("{start} yes |")));
        let run = if name == linked || was_run { "yes" } else { "" };
        let format_version = release.format_version();
        // RocksDB reads older format versions with its own codecs.
        let reads = if format_version < 7 { "with `format_version` 7" } else { "yes" };
        rows.push(format!("{start} {run} | {format_version} | yes | {reads} |"));
    }
    rows
}

/// Returns the rows in the docs.
pub(crate) fn current() -> Vec<String> {
    split().1.lines().map(str::to_owned).collect()
}

/// Writes the rows into the docs.
pub(crate) fn update(rows: &[String]) {
    let (before, _, after) = split();
    let table = rows.join("\n");
    fs::write(page(), format!("{before}{BEGIN}{table}\n{END}{after}")).expect("written");
}

fn split() -> (String, String, String) {
    let text = fs::read_to_string(page()).expect("docs/rocksdb.md is readable");
    let parts = text
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?)))
        .expect("docs/rocksdb.md has markers around the table");
    let (before, (table, after)) = parts;
    (before.into(), table.into(), after.into())
}

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/rocksdb.md")
}
