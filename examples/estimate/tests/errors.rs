//! Errors name what is wrong, and say what to do.

use std::cmp::Ordering;
use std::path::Path;

use rocksdb::DBCompressionType;
use uadk_compress_rocksdb::{OptionsExt, Schema};

use super::databases::{arguments, compacted, family, fill, open, options};
use crate::error::chain;
use crate::{accelerator, estimate};

/// Returns the message and the hint of an estimate that must fail.
fn failure(dir: &Path, families: &[&str]) -> (String, String) {
    let error = estimate(&arguments(dir, families), accelerator).expect_err("refused");
    (chain(&error), error.hint().expect("a hint"))
}

#[test]
fn a_missing_path_is_named() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("nothing");
    let (message, hint) = failure(&path, &[]);
    assert!(message.contains("nothing does not exist"), "{message}");
    assert!(hint.contains("directory of a database"), "{hint}");
    assert!(!path.exists(), "it must not be created");
}

#[test]
fn a_directory_without_a_database_is_named_and_left_empty() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (message, _) = failure(dir.path(), &[]);
    assert!(message.contains("not a RocksDB database"), "{message}");
    assert_eq!(std::fs::read_dir(dir.path()).expect("a directory").count(), 0);
}

#[test]
fn an_unknown_family_is_named_with_those_that_exist() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    compacted(dir.path());
    let (message, hint) = failure(dir.path(), &["users"]);
    assert!(message.contains("users") && hint.contains("default"), "{message}: {hint}");
}

#[test]
fn a_database_without_table_files_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    open(dir.path(), vec![("default", options(DBCompressionType::None, 4096))])
        .put(b"in the WAL", b"alone")
        .expect("written");
    let (message, hint) = failure(dir.path(), &[]);
    assert!(message.contains("no table files") && hint.contains("flush"), "{message}: {hint}");
}

#[test]
fn a_family_with_another_comparator_is_named_and_can_be_left_out() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    {
        let mut reverse = options(DBCompressionType::None, 4096);
        let order = |a: &[u8], b: &[u8]| -> Ordering { b.cmp(a) };
        reverse.set_comparator("backwards", Box::new(order));
        let plain = options(DBCompressionType::None, 4096);
        let db = open(dir.path(), vec![("default", plain), ("log", reverse)]);
        fill(&db, family(&db, "default"));
        fill(&db, family(&db, "log"));
    }
    let (message, hint) = failure(dir.path(), &[]);
    assert!(message.contains("\"log\"") && message.contains("backwards"), "{message}");
    assert!(hint.contains("--cf"), "{hint}");
    let report = estimate(&arguments(dir.path(), &["default"]), accelerator).expect("estimated");
    assert_eq!(report.families.len(), 1);
}

#[test]
fn a_family_with_blob_files_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    {
        let mut blobs = options(DBCompressionType::None, 4096);
        blobs.set_enable_blob_files(true);
        let db = open(dir.path(), vec![("default", blobs)]);
        fill(&db, family(&db, "default"));
    }
    let (message, _) = failure(dir.path(), &[]);
    assert!(message.contains("blob files"), "{message}");
}

#[test]
fn files_of_a_codec_that_this_program_lacks_are_named_with_the_codec() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    {
        let gzip = uadk_compress::Compressor::builder().format(uadk_compress::Format::Gzip);
        let mut custom = options(DBCompressionType::None, 4096);
        let schema = Schema::custom("EstimateLacksThis");
        custom.set_block_compressor(gzip.build().expect("software"), schema).expect("a valid name");
        let db = open(dir.path(), vec![("default", custom)]);
        fill(&db, family(&db, "default"));
    }
    let (message, hint) = failure(dir.path(), &[]);
    assert!(message.contains("EstimateLacksThis"), "{message}");
    assert!(hint.contains("register"), "{hint}");
}
