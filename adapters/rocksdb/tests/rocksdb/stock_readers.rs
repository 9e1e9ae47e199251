//! Readers without the adapter: RocksDB 7.8 from Debian, and the linked RocksDB as it is.

use std::process::Command;

use rocksdb::{DB, Options};

use crate::common::{
    RECORDS, assert_full, builtin_zlib, compact, compressor, fill, set_table, sst_files, stock,
};

const BLOCK_SIZES: [usize; 3] = [4096, 16_384, 65_536];
const LEVELS: [i32; 3] = [1, 6, 12];

/// Calls `check` with a database directory for each block size and level.
fn for_each_database(version: i32, check: impl Fn(&std::path::Path, &str)) {
    for block_size in BLOCK_SIZES {
        for level in LEVELS {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let mut options = stock(compressor());
            set_table(&mut options, block_size, version, true);
            options.set_compression_options(-14, level, 0, 0);
            {
                let db = DB::open(&options, dir.path()).expect("opened");
                fill(&db);
                compact(&db);
            }
            let case = format!("version {version}, {block_size} bytes, level {level}");
            check(dir.path(), &case);
        }
    }
}

#[test]
fn rocksdb_7_8_verifies_every_block_size_and_level_of_format_version_5() {
    for_each_database(5, |dir, case| {
        for file in sst_files(dir) {
            let (_, text) = sst_dump(&file, &["--command=verify"]);
            assert!(text.contains("The file is ok"), "{case}: {text}");
            let (_, text) = sst_dump(&file, &["--command=none", "--show_properties"]);
            assert!(text.contains("SST file compression algo: Zlib"), "{case}: {text}");
            assert!(text.contains(&format!("# entries: {RECORDS}")), "{case}: {text}");
        }
    });
}

/// Format version 6 came with RocksDB 8.6 (its include/rocksdb/table.h). Version 7.8 refuses all
/// such files, so the oracle for them is the linked RocksDB.
#[test]
fn rocksdb_7_8_refuses_format_version_6_with_and_without_the_adapter() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (name, mut options) in [("ours", stock(compressor())), ("builtin", builtin_zlib())] {
        set_table(&mut options, 16_384, 6, true);
        let dir = dir.path().join(name);
        fill(&DB::open(&options, &dir).expect("opened"));
        let (success, text) = sst_dump(&sst_files(&dir)[0], &["--command=verify"]);
        assert!(!success && text.contains("unsupported format_version: 6"), "{name}: {text}");
    }
}

#[test]
fn rocksdb_without_the_adapter_verifies_every_format_version() {
    for version in [5, 6, 7] {
        for_each_database(version, |dir, case| {
            let mut paranoid = Options::default();
            paranoid.set_paranoid_checks(true);
            let db = DB::open(&paranoid, dir).unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_full(&db);
        });
    }
}

/// Returns whether Debian's `sst_dump` succeeds on a file, and its output.
pub(crate) fn sst_dump(file: &std::path::Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("sst_dump")
        .arg(format!("--file={}", file.display()))
        .args(arguments)
        .output()
        .expect("sst_dump can be run (install the package rocksdb-tools, as make setup does)");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
