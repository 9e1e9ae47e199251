//! Finding the built shared library.

use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

const LIBRARY: &str = "libuadk_sim.so";
const NAMES: [&str; 2] = ["libwd.so.2", "libwd_comp.so.2"];

/// Returns a directory where `libwd.so.2` and `libwd_comp.so.2` are this library, to be loaded like
/// the real ones (`Libwd::load_from`, or the environment variable `UADK_COMPRESS_LIB_DIR`).
///
/// The directory is created in the running program's target directory. Cargo builds the library
/// with the tests of every crate that depends on this one.
///
/// # Errors
///
/// If the library was not built, or the directory can't be created.
pub fn library_dir() -> Result<PathBuf> {
    dir_beside(&std::env::current_exe()?)
}

fn dir_beside(program: &Path) -> Result<PathBuf> {
    let parent = program
        .parent()
        .ok_or_else(|| Error::other("the path of the running program has no parent directory"))?;
    // target/<profile>/, or its subdirectory deps or examples.
    let profile = match parent.file_name().and_then(|name| name.to_str()) {
        Some("deps" | "examples") => parent.parent().unwrap_or(parent),
        _ => parent,
    };
    let library =
        newest([profile.join("deps").join(LIBRARY), profile.join(LIBRARY)]).ok_or_else(|| {
            let dir = profile.display();
            let hint =
                format!("{LIBRARY} not found in {dir}: build it with `cargo build -p uadk-sim`");
            Error::new(ErrorKind::NotFound, hint)
        })?;
    let dir = profile.join("uadk-sim");
    std::fs::create_dir_all(&dir)?;
    for name in NAMES {
        link(&library, &dir.join(name))?;
    }
    Ok(dir)
}

fn newest(candidates: [PathBuf; 2]) -> Option<PathBuf> {
    let built = |path: PathBuf| Some((path.metadata().ok()?.modified().ok()?, path));
    candidates.into_iter().filter_map(built).max().map(|(_, path)| path)
}

/// Atomically makes `link` point to `target`, so that another process never finds it missing.
fn link(target: &Path, link: &Path) -> Result<()> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    if std::fs::read_link(link).is_ok_and(|found| found == target) {
        return Ok(());
    }
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let temporary = link.with_extension(format!("{}-{count}", std::process::id()));
    std::os::unix::fs::symlink(target, &temporary)?;
    std::fs::rename(&temporary, link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_link_to_the_built_library() {
        let root = std::env::temp_dir().join(format!("uadk-sim-{}", std::process::id()));
        let deps = root.join("deps");
        std::fs::create_dir_all(&deps).unwrap();
        let program = deps.join("some_test");

        let error = dir_beside(&program).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("cargo build -p uadk-sim"), "{error}");

        std::fs::write(root.join(LIBRARY), "built").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let dir = dir_beside(&program).unwrap();
                        for name in NAMES {
                            assert_eq!(std::fs::read_to_string(dir.join(name)).unwrap(), "built");
                        }
                    }
                });
            }
        });
        assert_eq!(dir_beside(&root.join("some_program")).unwrap(), root.join("uadk-sim"));
        // Only the links are left.
        assert_eq!(std::fs::read_dir(root.join("uadk-sim")).unwrap().count(), 2);
        std::fs::remove_dir_all(&root).unwrap();
    }
}
