//! Compilers and other programs, and the libraries that cargo has built.

use std::path::{Path, PathBuf};
use std::process::Command;

/// This crate's directory.
pub(crate) fn crate_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A compiler and its flags for one language. All warnings are errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compiler {
    pub(crate) program: &'static str,
    pub(crate) package: &'static str,
    standard: &'static str,
    language: &'static str,
}

pub(crate) const GCC: Compiler =
    Compiler { program: "gcc", package: "gcc", standard: "-std=c11", language: "c" };
pub(crate) const GXX: Compiler =
    Compiler { program: "g++", package: "g++", standard: "-std=c++17", language: "c++" };
pub(crate) const CLANG: Compiler =
    Compiler { program: "clang", package: "clang", standard: "-std=c11", language: "c" };
pub(crate) const CLANGXX: Compiler =
    Compiler { program: "clang++", package: "clang", standard: "-std=c++17", language: "c++" };

/// What a program is linked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Shared,
    Static,
    SharedWithAsan,
}

impl Compiler {
    /// Compiles a source to a program named `name`, in a directory of its own.
    pub(crate) fn compile(self, source: &Path, name: &str, link: Link) -> PathBuf {
        let dir = scratch(&format!("{name}-{}-{link:?}", self.program));
        let program = dir.join(name);
        let mut command = Command::new(self.program);
        command.args([self.standard, "-x", self.language, "-g", "-O1", "-pthread"]);
        command.args(["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]);
        command.arg("-I").arg(crate_dir().join("include"));
        command.arg(source).args(["-x", "none", "-o"]).arg(&program);
        match link {
            Link::Static => {
                command.arg(built("libuadk_compress_capi.a")).args(["-ldl", "-lm"]);
            }
            Link::Shared | Link::SharedWithAsan => {
                // As installed.
                for name in ["libuadk_compress.so", "libuadk_compress.so.0"] {
                    std::os::unix::fs::symlink(built("libuadk_compress_capi.so"), dir.join(name))
                        .expect("a new directory");
                }
                command.arg("-L").arg(&dir).arg("-luadk_compress");
                command.arg(format!("-Wl,-rpath,{}", dir.display()));
            }
        }
        if link == Link::SharedWithAsan {
            command.args(["-fsanitize=address,undefined", "-fno-omit-frame-pointer"]);
        }
        run(self.package, &mut command);
        program
    }
}

/// Runs a program of a package to success, and returns its standard output.
pub(crate) fn run(package: &str, command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; `make setup` installs {package}"));
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{stdout}\n{stderr}", output.status);
    stdout
}

/// Returns an empty directory of this name.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("cargo's directory is writable");
    dir
}

/// Returns the path of a library that cargo has built with these tests.
pub(crate) fn built(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("this program has a path");
    let deps = tests.parent().expect("it is in a directory");
    let candidates = [deps.join(name), deps.join("..").join(name)];
    let modified = |path: &PathBuf| Some(path.metadata().ok()?.modified().ok());
    candidates
        .into_iter()
        .filter(|path| path.exists())
        .max_by_key(modified)
        .unwrap_or_else(|| panic!("cargo has not built {name} in {}", deps.display()))
}
