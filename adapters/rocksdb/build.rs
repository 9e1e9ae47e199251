//! Compiles the C++ shim against the headers of the RocksDB that is linked.

use std::env;
use std::path::{Path, PathBuf};

/// The interface (`rocksdb/advanced_compression.h`) is experimental and changes between versions.
const SUPPORTED: &str = "11.8";

fn main() {
    println!("cargo:rerun-if-env-changed=ROCKSDB_INCLUDE_DIR");
    println!("cargo:rerun-if-changed=shim");

    let include = rocksdb_include();
    check_version(&include);

    let mut build = cc::Build::new();
    build
        .cpp(true)
        .std("c++20")
        .include(&include)
        // As in librocksdb-sys's build of RocksDB, even in debug builds, so that layouts agree.
        .define("NDEBUG", None)
        // Links against RocksDB with and without type information.
        .flag("-fno-rtti")
        // RocksDB's headers have unused parameters.
        .flag("-Wno-unused-parameter");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // Macros that select code in RocksDB's headers must be the same as in the library.
        build.define("OS_LINUX", None).define("ROCKSDB_PLATFORM_POSIX", None);
    }
    build.files(["shim/manager.cc", "shim/options.cc"]).compile("uadk_compress_rocksdb_shim");
}

/// Returns the directory of the headers that librocksdb-sys uses: its own, or those of a library
/// built elsewhere.
fn rocksdb_include() -> PathBuf {
    if let Some(dir) = env::var_os("ROCKSDB_INCLUDE_DIR") {
        return dir.into();
    }
    let sys = env::var_os("DEP_ROCKSDB_CARGO_MANIFEST_DIR").expect(
        "librocksdb-sys did not report its source directory; set ROCKSDB_INCLUDE_DIR to the \
         directory that contains rocksdb/advanced_compression.h",
    );
    Path::new(&sys).join("rocksdb").join("include")
}

fn check_version(include: &Path) {
    let path = include.join("rocksdb/version.h");
    println!("cargo:rerun-if-changed={}", path.display());
    let header = std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("can't read RocksDB's version from {}: {error}", path.display())
    });
    let number = |name: &str| {
        header
            .lines()
            .find_map(|line| line.strip_prefix("#define ")?.strip_prefix(name)?.trim().parse().ok())
            .unwrap_or_else(|| panic!("{} does not define {name} as a number", path.display()))
    };
    let (major, minor): (u32, u32) = (number("ROCKSDB_MAJOR"), number("ROCKSDB_MINOR"));
    assert!(
        format!("{major}.{minor}") == SUPPORTED,
        "uadk-compress-rocksdb supports RocksDB {SUPPORTED}, but {} is from {major}.{minor}: use \
         the librocksdb-sys that this crate depends on, or point ROCKSDB_INCLUDE_DIR and \
         ROCKSDB_LIB_DIR to RocksDB {SUPPORTED}",
        path.display(),
    );
}
