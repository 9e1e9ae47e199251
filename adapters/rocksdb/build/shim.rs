//! The RocksDB versions that the shim compiles for, and how. The build script and the test of all
//! versions share this.

use std::ffi::OsString;
use std::path::Path;

/// A version of RocksDB: major, minor, patch.
pub(crate) type Version = [u32; 3];

/// The first version with `rocksdb/advanced_compression.h`.
pub(crate) const OLDEST: Version = [10, 4, 0];
/// The last version that the shim has been compiled for. The interface is experimental and changes
/// between versions.
pub(crate) const NEWEST: Version = [11, 12, 0];

/// Returns the supported versions as a text: "10.4 to 11.12".
pub(crate) fn supported() -> String {
    let [[oldest_major, oldest_minor, _], [major, minor, _]] = [OLDEST, NEWEST];
    format!("{oldest_major}.{oldest_minor} to {major}.{minor}")
}

/// Reads the version of the headers in `include`.
pub(crate) fn header_version(include: &Path) -> Result<Version, String> {
    let path = include.join("rocksdb/version.h");
    let header = std::fs::read_to_string(&path).map_err(|error| {
        format!("failed to read RocksDB's version from {}: {error}", path.display())
    })?;
    let number = |name: &str| {
        header
            .lines()
            .find_map(|line| line.strip_prefix("#define ")?.strip_prefix(name)?.trim().parse().ok())
            .ok_or_else(|| format!("{} does not define {name} as a number", path.display()))
    };
    Ok([number("ROCKSDB_MAJOR")?, number("ROCKSDB_MINOR")?, number("ROCKSDB_PATCH")?])
}

/// Returns the version of the headers in `include`, and a warning if they are newer than any that
/// the shim has been compiled for. Headers without the interface are an error.
pub(crate) fn check(include: &Path) -> Result<(Version, Option<String>), String> {
    let version = header_version(include)?;
    let [major, minor, _] = version;
    let supported = supported();
    let place = include.display();
    if version < OLDEST {
        return Err(format!(
            "uadk-compress-rocksdb supports RocksDB {supported}, but the headers in {place} are \
             from {major}.{minor}, which has no compression managers: use the librocksdb-sys that \
             this crate depends on, or point ROCKSDB_INCLUDE_DIR and ROCKSDB_LIB_DIR to a newer \
             RocksDB"
        ));
    }
    let warning = ([major, minor] > [NEWEST[0], NEWEST[1]]).then(|| {
        format!(
            "uadk-compress-rocksdb supports RocksDB {supported}, and the headers in {place} are \
             from {major}.{minor}, whose interface may have changed"
        )
    });
    Ok((version, warning))
}

/// Returns the C++ standard that RocksDB itself is compiled as.
pub(crate) fn standard(version: Version) -> &'static str {
    if version < [10, 7, 0] { "c++17" } else { "c++20" }
}

/// Returns the flag for an include directory, as one word. With `-I` as a word of its own, ccache
/// would return objects that were compiled with other headers: tools/setup lets it ignore `-I DIR`.
pub(crate) fn include(dir: &Path) -> OsString {
    let mut flag = OsString::from("-I");
    flag.push(dir);
    flag
}

/// Returns the compiler's other flags.
pub(crate) fn flags(target_os: &str) -> Vec<&'static str> {
    let mut flags = vec![
        // As in librocksdb-sys's build of RocksDB, even in debug builds, so that layouts agree.
        "-DNDEBUG",
        // Links against RocksDB with and without type information.
        "-fno-rtti",
        // RocksDB's headers have unused parameters.
        "-Wno-unused-parameter",
    ];
    if target_os == "linux" {
        // Macros that select code in RocksDB's headers must be the same as in the library.
        flags.extend(["-DOS_LINUX", "-DROCKSDB_PLATFORM_POSIX"]);
    }
    flags
}
