//! What the build script does with headers of other versions.

use std::fs;

use crate::shim;

#[test]
fn headers_that_lack_the_interface_are_refused_and_newer_ones_reported() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().to_str().expect("UTF-8");
    let check = |[major, minor, patch]: shim::Version| {
        fs::create_dir_all(dir.path().join("rocksdb")).expect("created");
        let header = format!(
            "#define ROCKSDB_MAJOR {major}\n#define ROCKSDB_MINOR {minor}\n\
             #define ROCKSDB_PATCH {patch}\n"
        );
        fs::write(dir.path().join("rocksdb/version.h"), header).expect("written");
        shim::check(dir.path())
    };
    for version in [[7, 8, 3], [9, 9, 3], [10, 3, 0]] {
        let error = check(version).expect_err("has no compression managers");
        let name = format!("{}.{}", version[0], version[1]);
        for part in ["10.4 to 11.12", &name, path, "ROCKSDB_INCLUDE_DIR"] {
            assert!(error.contains(part), "{error}");
        }
    }
    for version in [[10, 4, 0], [10, 10, 1], [11, 12, 7]] {
        assert_eq!(check(version), Ok((version, None)));
    }
    for version in [[11, 13, 0], [12, 0, 0]] {
        let (_, warning) = check(version).expect("may compile");
        let warning = warning.expect("nothing is known of it");
        assert!(warning.contains("10.4 to 11.12") && warning.contains(path), "{warning}");
    }
    fs::remove_file(dir.path().join("rocksdb/version.h")).expect("removed");
    let error = shim::check(dir.path()).expect_err("no header");
    assert!(error.contains("version.h"), "{error}");
}
