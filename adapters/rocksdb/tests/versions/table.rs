//! The table of versions in docs/rocksdb.md.

use std::env;
use std::fs;
use std::path::PathBuf;

use crate::releases::Release;
use crate::shim;

const BEGIN: &str = "<!-- The table is written by the test `versions` with UPDATE_TABLE=1. -->\n";
const END: &str = "<!-- The end of the table. -->\n";
const HEADER: &str =
    "| RocksDB | headers from | compiled as | run | `format_version` | writes | reads |";

/// Returns what this program's version has run: the other tests, which cargo runs before this one.
/// `tools/test-rocksdb` runs those by name, and sets the variable.
fn has_run() -> &'static str {
    if env::var_os("TESTS_BY_NAME").is_some() { "by name" } else { "yes" }
}

/// Returns the rows for releases that the shim compiles for.
///
/// This program runs one of them. For the others, `current`, the table in the docs, says what was
/// run.
pub(crate) fn rows(releases: &[Release], linked: &str, current: &[String]) -> Vec<String> {
    let mut rows = vec![HEADER.to_owned(), "|---|---|---|---|---|---|---|".to_owned()];
    for release in releases {
        let Release { name, from } = release;
        let start = format!("| {name} | {from} | {} |", shim::standard(release.version()));
        let run = if name == linked { has_run() } else { was_run(current, &start) };
        let format_version = release.format_version();
        // RocksDB reads older format versions with its own codecs.
        let reads = if format_version < 7 { "with `format_version` 7" } else { "yes" };
        rows.push(format!("{start} {run} | {format_version} | yes | {reads} |"));
    }
    rows
}

/// Returns what the row that begins with `start` says was run.
fn was_run<'a>(current: &'a [String], start: &str) -> &'a str {
    let rest = current.iter().find_map(|row| row.strip_prefix(start));
    rest.and_then(|rest| rest.split('|').next()).map_or("", str::trim)
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
