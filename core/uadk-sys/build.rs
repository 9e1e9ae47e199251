//! With the feature `link`: finds `libwd` and `libwd_comp` through pkg-config.

fn main() {
    #[cfg(feature = "link")]
    for library in ["libwd", "libwd_comp"] {
        if let Err(error) = pkg_config::Config::new().atleast_version("2.5").probe(library) {
            panic!(
                "the feature `link` needs UADK 2.5 or newer, with its pkg-config files: {error}\n\
                 Install UADK's development package, or set PKG_CONFIG_PATH to the folder that has \
                 {library}.pc; without the feature, UADK is looked for when the program runs."
            );
        }
    }
}
