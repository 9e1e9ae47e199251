//! The releases and their headers, which tools/rocksdb-headers fetches.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use crate::shim;

/// A release whose headers are in the user's cache.
pub(crate) struct Release {
    /// For example "11.8.1".
    pub(crate) name: String,
    /// The crate that brings it, and the crate's version.
    pub(crate) from: String,
}

/// Returns the releases of headers.txt, the oldest first.
///
/// # Panics
///
/// Panics if the headers of one are missing.
pub(crate) fn all() -> &'static [Release] {
    static ALL: LazyLock<Vec<Release>> = LazyLock::new(read);
    &ALL
}

fn read() -> Vec<Release> {
    let lines = include_str!("headers.txt").lines().filter(|line| !line.starts_with('#'));
    let releases: Vec<_> = lines
        .map(|line| {
            let fields: Vec<_> = line.split(' ').collect();
            let [name, package, version, _checksum] = fields[..] else {
                panic!("a line of headers.txt has four fields: {line}");
            };
            Release { name: name.into(), from: format!("{package} {version}") }
        })
        .collect();
    for release in &releases {
        let header = release.include().join("rocksdb/advanced_compression.h");
        assert!(
            header.exists(),
            "the headers of RocksDB {} are missing: {} (`make setup` fetches them)",
            release.name,
            header.display()
        );
        let [major, minor, patch] = release.version();
        assert_eq!(release.name, format!("{major}.{minor}.{patch}"));
    }
    assert!(releases.is_sorted_by_key(Release::version));
    releases
}

impl Release {
    /// Returns the directory of the headers.
    pub(crate) fn include(&self) -> PathBuf {
        let cache = env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map_or_else(
            || PathBuf::from(env::var_os("HOME").expect("HOME is set")).join(".cache"),
            PathBuf::from,
        );
        cache.join("uadk-compress/rocksdb-headers").join(&self.name)
    }

    pub(crate) fn version(&self) -> shim::Version {
        shim::header_version(&self.include()).expect("a version")
    }

    /// Returns the format version of files that this release writes by default.
    pub(crate) fn format_version(&self) -> u32 {
        let path = self.include().join("rocksdb/table.h");
        let header = fs::read_to_string(path).expect("readable");
        let (_, rest) = header.split_once("uint32_t format_version = ").expect("an option");
        let (number, _) = rest.split_once(';').expect("a number");
        number.parse().expect("a number")
    }
}
