//! The shared library exports the functions of the header, and nothing of what is linked into it.

use std::collections::BTreeSet;
use std::process::Command;

use crate::tools::{built, crate_dir, run};

/// The exported functions: symbols.txt, which packagers compare, too.
fn listed() -> BTreeSet<String> {
    let list = std::fs::read_to_string(crate_dir().join("symbols.txt")).expect("committed");
    list.lines().map(str::to_owned).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(crate_dir().join(path)).expect("committed")
}

#[test]
fn the_shared_library_exports_the_listed_functions_and_no_others() {
    let mut command = Command::new("nm");
    command.args(["-D", "--defined-only", "--format=posix"]);
    let output = run("binutils", command.arg(built("libuadk_compress_capi.so")));
    let exported: BTreeSet<_> =
        output.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert_eq!(exported, listed());
}

#[test]
fn the_shared_library_has_its_soname_and_is_never_unloaded() {
    let mut command = Command::new("readelf");
    let dynamic = run("binutils", command.arg("-d").arg(built("libuadk_compress_capi.so")));
    assert!(dynamic.contains("[libuadk_compress.so.0]"), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

#[test]
fn the_header_declares_each_listed_function() {
    let header = read("include/uadk_compress.h");
    for symbol in listed() {
        assert!(symbol.starts_with("uadk_"), "{symbol}");
        assert!(header.contains(&format!("{symbol}(")), "{symbol} is not in the header");
    }
}

#[test]
fn both_test_programs_call_each_function() {
    for path in ["tests/c/test.c", "tests/c/test.cc"] {
        // check.h is a part of both.
        let program = read(path) + &read("tests/c/check.h");
        for symbol in listed() {
            assert!(program.contains(&format!("{symbol}(")), "{path} does not call {symbol}");
        }
    }
}
