//! Compiles the shim, and the program that calls it, for releases.

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, Once};
use std::thread;

use crate::releases::Release;
use crate::shim;

/// The sources, relative to the crate's directory. The last one is that of the C++ plugin's files
/// which uses RocksDB.
const SOURCES: [&str; 5] = [
    "shim/manager.cc",
    "shim/options.cc",
    "tests/versions/library.cc",
    "tests/versions/shapes.cc",
    "plugin/register.cc",
];

/// Those that call the library themselves.
const UNLINKED: [&str; 2] = ["shim/options.cc", "plugin/register.cc"];

/// Compiles all sources for each release, with warnings as errors, once in this process.
///
/// # Panics
///
/// Panics with the compiler's messages if one fails.
pub(crate) fn all(releases: &[Release]) {
    static ALL: Once = Once::new();
    ALL.call_once(|| {
        let jobs = releases.iter().flat_map(|release| SOURCES.map(|source| (release, source)));
        let jobs = Mutex::new(jobs);
        let failures = Mutex::new(Vec::new());
        let work = || {
            loop {
                let job = jobs.lock().expect("not poisoned").next();
                let Some((release, source)) = job else { return };
                if let Err(messages) = compile(release, source) {
                    let failure = format!("RocksDB {}, {source}:\n{messages}", release.name);
                    failures.lock().expect("not poisoned").push(failure);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
                scope.spawn(work);
            }
        });
        let failures = failures.into_inner().expect("not poisoned");
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    });
}

/// Links the program that calls the shim, runs it and returns its output.
pub(crate) fn run(release: &Release) -> String {
    let program = directory(release).join("shapes");
    let objects = SOURCES.iter().filter(|source| !UNLINKED.contains(source));
    output(compiler().arg("-o").arg(&program).args(objects.map(|source| object(release, source))))
        .unwrap_or_else(|messages| panic!("RocksDB {}: {messages}", release.name));
    output(&mut Command::new(&program))
        .unwrap_or_else(|messages| panic!("RocksDB {}: {messages}", release.name))
}

fn compile(release: &Release, source: &str) -> Result<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(directory(release)).expect("created");
    output(
        compiler()
            .arg(format!("-std={}", shim::standard(release.version())))
            .args(shim::flags(std::env::consts::OS))
            .args(["-O1", "-Wall", "-Wextra", "-Werror"])
            .arg(shim::include(&release.include()))
            .arg(shim::include(&root.join("shim")))
            .arg(shim::include(&root.join("../capi/include")))
            .arg("-c")
            .arg(root.join(source))
            .arg("-o")
            .arg(object(release, source)),
    )
}

/// Returns the compiler that builds the shim, too: `CXX`, which may have arguments, or `c++`.
fn compiler() -> Command {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
    let mut words = compiler.split_whitespace();
    let mut command = Command::new(words.next().expect("CXX is not empty"));
    command.args(words);
    command
}

fn directory(release: &Release) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("versions").join(&release.name)
}

fn object(release: &Release, source: &str) -> PathBuf {
    let name = Path::new(source).with_extension("o");
    directory(release).join(name.file_name().expect("a file"))
}

/// Runs a command. Returns what it printed, or its messages if it failed.
fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("failed to run {command:?}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
    }
}
