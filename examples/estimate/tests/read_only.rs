//! The database is left as it was, even while it is in use.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rocksdb::{DBCompressionType, MergeOperands};

use super::databases::{compacted, family, fill, open, options, report};

/// Returns the files of a directory, except for RocksDB's log, with their contents and times.
fn contents(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let entries = fs::read_dir(dir).expect("a directory").map(|entry| {
        let path = entry.expect("readable").path();
        let changed = fs::metadata(&path).and_then(|metadata| metadata.modified());
        (path.clone(), (fs::read(&path).expect("readable"), changed.expect("known")))
    });
    // A database that is in use may write to its log at any time.
    entries.filter(|(path, _)| !path.ends_with("LOG")).collect()
}

#[test]
fn no_file_is_added_removed_or_changed() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    compacted(dir.path());
    let before = contents(dir.path());
    let log = fs::read(dir.path().join("LOG")).expect("written by the test");
    report(dir.path());
    assert!(fs::read(dir.path().join("LOG")).expect("readable") == log, "the log has changed");
    assert_eq!(contents(dir.path()).keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert!(contents(dir.path()) == before, "a file has changed");
}

#[test]
fn a_database_that_is_in_use_is_estimated_without_its_lock() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut options = options(DBCompressionType::Zlib, 4096);
    options.set_disable_auto_compactions(true);
    let db = open(dir.path(), vec![("default", options)]);
    fill(&db, family(&db, "default"));
    // In the WAL alone.
    db.put(b"later", b"value").expect("written");
    let before = contents(dir.path());
    let report = report(dir.path());
    assert!(contents(dir.path()) == before, "a file has changed");
    assert!(report.sample.blocks > 100);
    assert_eq!(db.get(b"later").expect("readable"), Some(b"value".to_vec()));
}

#[test]
fn a_merge_operator_that_this_program_lacks_is_not_needed() {
    let sum = |_: &[u8], value: Option<&[u8]>, operands: &MergeOperands| {
        Some(vec![(value.map_or(0, <[u8]>::len) + operands.len()) as u8])
    };
    let dir = tempfile::tempdir().expect("a temporary directory");
    {
        let mut options = options(DBCompressionType::Zlib, 4096);
        options.set_merge_operator_associative("someone's", sum);
        options.set_disable_auto_compactions(true);
        let db = open(dir.path(), vec![("default", options)]);
        for n in 0..20_000_u32 {
            db.merge((n / 2).to_be_bytes(), b"an operand").expect("written");
        }
        db.flush().expect("flushed");
    }
    assert!(report(dir.path()).sample.blocks > 10);
}
