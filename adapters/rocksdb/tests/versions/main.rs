//! The shim with the headers of every RocksDB release that a crate brings, and the table of
//! versions in docs/rocksdb.md. Fetches nothing: `make setup` does.

#[path = "../../build/shim.rs"]
mod shim;

mod compile;
mod headers;
mod releases;
mod table;

use std::io::Write;

use uadk_compress::Compressor;
use uadk_compress_rocksdb::{Schema, register};

/// The release whose library this program is linked with. The build script has compiled the shim
/// with its headers.
const LINKED: &str = env!("UADK_COMPRESS_ROCKSDB_VERSION");

#[test]
fn the_shim_compiles_for_every_release_and_the_docs_have_the_table() {
    let releases = releases::all();
    compile::all(releases);
    let compressor = Compressor::builder().build().expect("software is always there");
    register(compressor, Schema::Stock)
        .expect("this program's shim and library are of one version");

    let current = table::current();
    let rows = table::rows(releases, LINKED, &current);
    // Not `print`, whose output only failing tests show.
    writeln!(std::io::stdout(), "\n{}", rows.join("\n")).expect("printed");
    if std::env::var_os("UPDATE_TABLE").is_some() {
        table::update(&rows);
    } else {
        assert!(
            rows == current,
            "the table in docs/rocksdb.md is outdated (set UPDATE_TABLE=1 to write it)"
        );
    }
}

/// The answers of the manager and its compressors to the calls of a table's builder and reader:
/// limits, blocks that are stored uncompressed, dictionaries, decompressors, names.
#[test]
fn the_shim_behaves_the_same_for_every_release() {
    let releases = releases::all();
    compile::all(releases);
    for release in releases {
        let answers = compile::run(release);
        assert_eq!(answers, include_str!("shapes.txt"), "RocksDB {}", release.name);
    }
}
