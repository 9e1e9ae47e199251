//! Debian's RocksDB, which knows nothing of us.

use std::process::Command;

use crate::error::Result;

/// Has `sst_dump` verify the checksums of a table file, and then read all its records.
pub(crate) fn verify(path: &str) -> Result<()> {
    run(path, "verify", "The file is ok")?;
    run(path, "check", "from [] to []")
}

fn run(path: &str, command: &str, expected: &str) -> Result<()> {
    let output = Command::new("sst_dump")
        .args([format!("--file={path}"), format!("--command={command}")])
        .output()
        .map_err(|error| {
            format!("sst_dump: {error} (install the package rocksdb-tools, as make setup does)")
        })?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let says = |words: &str| text.to_lowercase().contains(words);
    let is_bad = ["corruption", "not supported", "error:", "mismatch"].into_iter().any(says);
    if output.status.success() && text.contains(expected) && !is_bad {
        Ok(())
    } else {
        Err(format!("sst_dump --command={command} --file={path}: {text}").into())
    }
}
