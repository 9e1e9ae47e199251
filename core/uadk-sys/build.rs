//! With the feature `link`: finds `libwd` and `libwd_comp` through pkg-config and links them.
//!
//! If they aren't found, the build succeeds, so that `--all-features` builds everywhere;
//! `Libwd::linked` then returns an error.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(uadk_linked)");
    #[cfg(feature = "link")]
    link();
}

#[cfg(feature = "link")]
fn link() {
    const LIBRARIES: [&str; 2] = ["libwd", "libwd_comp"];
    let probe = |library: &str, link: bool| {
        pkg_config::Config::new().atleast_version("2.5").cargo_metadata(link).probe(library)
    };
    // Both or neither.
    match LIBRARIES.iter().try_for_each(|library| probe(library, false).map(drop)) {
        Ok(()) => {
            for library in LIBRARIES {
                probe(library, true).expect("already found");
            }
            println!("cargo::rustc-cfg=uadk_linked");
        }
        Err(error) => {
            let error = error.to_string();
            let reason = error.lines().find(|line| !line.is_empty()).unwrap_or_default();
            println!(
                "cargo::warning=feature `link`: UADK 2.5 or newer not found, so `Libwd::linked` \
                 will fail ({reason})"
            );
        }
    }
}
