//! The committed header is that of the sources.

use crate::tools::{crate_dir, scratch};

#[test]
fn the_committed_header_is_what_cbindgen_generates() {
    let mut config =
        cbindgen::Config::from_file(crate_dir().join("cbindgen.toml")).expect("a valid file");
    // Only the sources of this crate: its dependencies have nothing for C.
    config.parse.parse_deps = false;
    let mut generated = Vec::new();
    cbindgen::generate_with_config(crate_dir(), config)
        .expect("valid sources")
        .write(&mut generated);
    let generated = String::from_utf8(generated).expect("UTF-8");

    let path = crate_dir().join("include/uadk_compress.h");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if committed != generated {
        let new = scratch("header").join("uadk_compress.h");
        std::fs::write(&new, generated).expect("a new directory");
        panic!(
            "the sources have changed the header: compare {} with {}, and copy it there",
            new.display(),
            path.display()
        );
    }
}

#[test]
fn lines_of_the_header_are_short() {
    let header = std::fs::read_to_string(crate_dir().join("include/uadk_compress.h"));
    for line in header.expect("committed").lines() {
        assert!(line.len() <= 100, "{line}");
    }
}
