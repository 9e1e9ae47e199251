//! Compiles the managers as the adapter's shim is compiled.

use std::env;
use std::path::{Path, PathBuf};

#[path = "../../adapters/rocksdb/build/shim.rs"]
mod shim;

fn main() {
    println!("cargo:rerun-if-env-changed=ROCKSDB_INCLUDE_DIR");
    println!("cargo:rerun-if-changed=managers.cc");

    let include = env::var_os("ROCKSDB_INCLUDE_DIR").map_or_else(
        || {
            let sys = env::var_os("DEP_ROCKSDB_CARGO_MANIFEST_DIR").expect("from librocksdb-sys");
            Path::new(&sys).join("rocksdb/include")
        },
        PathBuf::from,
    );
    let (version, _) = shim::check(&include).unwrap_or_else(|error| panic!("{error}"));
    let mut build = cc::Build::new();
    build.cpp(true).std(shim::standard(version)).flag(shim::include(&include));
    for flag in shim::flags(&env::var("CARGO_CFG_TARGET_OS").unwrap_or_default()) {
        build.flag(flag);
    }
    build.file("managers.cc").compile("rocksdb_managers");
}
