//! Compiles the ISA-L shim, if its headers are installed, and records the peers' versions.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=src/isal.c");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(isal)");
    let version = lock_version("libdeflater").unwrap_or_else(|| "?".to_owned());
    println!("cargo::rustc-env=LIBDEFLATER_VERSION={version}");
    for header in ["/usr/include/isa-l.h", "/usr/local/include/isa-l.h"].map(Path::new) {
        // A missing file counts as changed, so this runs again and finds the header once installed.
        println!("cargo::rerun-if-changed={}", header.display());
        if header.exists() {
            let version = header_version(header).unwrap_or_else(|| "?".to_owned());
            println!("cargo::rustc-env=ISAL_VERSION={version}");
            println!("cargo::rustc-cfg=isal");
            cc::Build::new().file("src/isal.c").opt_level(3).compile("isalshim");
            println!("cargo::rustc-link-lib=isal");
            break;
        }
    }
}

/// Returns the version of a package in the workspace's lock file.
fn lock_version(package: &str) -> Option<String> {
    println!("cargo::rerun-if-changed=../../Cargo.lock");
    let lock = std::fs::read_to_string("../../Cargo.lock").ok()?;
    let rest = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?.1;
    Some(rest.split_once('"')?.0.to_owned())
}

/// Returns the version defined in the header.
fn header_version(header: &Path) -> Option<String> {
    let header = std::fs::read_to_string(header).ok()?;
    let number = |name: &str| {
        let rest = header.split_once(name)?.1;
        rest.split_whitespace().next().map(str::to_owned)
    };
    let (major, minor) = (number("ISAL_MAJOR_VERSION")?, number("ISAL_MINOR_VERSION")?);
    Some(format!("{major}.{minor}"))
}
