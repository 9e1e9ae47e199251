//! Compiles the shim over ISA-L, if that peer was asked for, and notes the peers' versions.

fn main() {
    println!("cargo::rerun-if-changed=src/isal.c");
    println!("cargo::rerun-if-changed=build.rs");
    let version = lock_version("libdeflater").unwrap_or_else(|| "?".to_owned());
    println!("cargo::rustc-env=LIBDEFLATER_VERSION={version}");
    println!(
        "cargo::rustc-env=ISAL_VERSION={}",
        header_version().unwrap_or_else(|| "?".to_owned())
    );
    #[cfg(feature = "isal")]
    {
        cc::Build::new().file("src/isal.c").opt_level(3).compile("isalshim");
        println!("cargo::rustc-link-lib=isal");
    }
}

/// The version of a package in the workspace's lock file.
fn lock_version(package: &str) -> Option<String> {
    println!("cargo::rerun-if-changed=../../Cargo.lock");
    let lock = std::fs::read_to_string("../../Cargo.lock").ok()?;
    let rest = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?.1;
    Some(rest.split_once('"')?.0.to_owned())
}

/// The version that the installed header of ISA-L names.
fn header_version() -> Option<String> {
    let header = std::fs::read_to_string("/usr/include/isa-l.h").ok()?;
    let number = |name: &str| {
        let rest = header.split_once(name)?.1;
        rest.split_whitespace().next().map(str::to_owned)
    };
    let (major, minor) = (number("ISAL_MAJOR_VERSION")?, number("ISAL_MINOR_VERSION")?);
    Some(format!("{major}.{minor}"))
}
