//! Compiles the C++ shim against the headers of the RocksDB that is linked.

use std::env;
use std::path::{Path, PathBuf};

#[path = "build/shim.rs"]
mod shim;

fn main() {
    println!("cargo:rerun-if-env-changed=ROCKSDB_INCLUDE_DIR");
    println!("cargo:rerun-if-changed=build");
    println!("cargo:rerun-if-changed=shim");

    let include = rocksdb_include();
    println!("cargo:rerun-if-changed={}", include.join("rocksdb/version.h").display());
    let (version, warning) = shim::check(&include).unwrap_or_else(|error| panic!("{error}"));
    if let Some(warning) = warning {
        println!("cargo:warning={warning}");
    }
    println!("cargo:rustc-env=UADK_COMPRESS_ROCKSDB_SUPPORTED={}", shim::supported());
    let [major, minor, patch] = version;
    println!("cargo:rustc-env=UADK_COMPRESS_ROCKSDB_VERSION={major}.{minor}.{patch}");

    let mut build = cc::Build::new();
    build.cpp(true).std(shim::standard(version)).flag(shim::include(&include));
    for flag in shim::flags(&env::var("CARGO_CFG_TARGET_OS").unwrap_or_default()) {
        build.flag(flag);
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
