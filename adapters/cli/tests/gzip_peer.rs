//! Runs the same command lines with GNU gzip and with our program: status, stdout, stderr and the
//! resulting files must be the same.

#[path = "gzip_peer/cases.rs"]
mod cases;
#[path = "gzip_peer/state.rs"]
mod state;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use cases::{CASES, SETUP};
use state::{Outcome, state};
use tempfile::TempDir;

/// The search path with the programs of Debian's package gzip.
const SYSTEM: &str = "/usr/bin:/bin";

/// Creates a directory with our program under the names of gzip's programs.
fn ours() -> TempDir {
    let folder = TempDir::new().expect("a directory");
    for name in ["gzip", "gunzip", "zcat", "gzcat"] {
        symlink(env!("CARGO_BIN_EXE_uadk-compress"), folder.path().join(name)).expect("a link");
    }
    folder
}

/// Makes stdin non-blocking, and executes another program.
const UNBLOCK: &str =
    "import os, sys; os.set_blocking(0, False); os.execvp(sys.argv[1], sys.argv[1:])";

fn shell(script: &str, folder: &Path, path: &str) -> std::process::Output {
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(folder).env("PATH", path).env("TZ", "UTC");
    command.env("UNBLOCK", UNBLOCK);
    command.env_remove("GZIP").stdin(Stdio::null()).output().expect("this test needs bash")
}

/// Creates the directory that all command lines start with.
fn prepared() -> TempDir {
    let folder = TempDir::new().expect("a directory");
    let made = shell(SETUP, folder.path(), SYSTEM);
    assert!(made.status.success(), "this test needs gzip 1.12: install gzip ({made:?})");
    folder
}

/// Runs a command line in a copy of the directory.
fn run(script: &str, prepared: &Path, path: &str) -> Outcome {
    let folder = TempDir::new().expect("a directory");
    let at = folder.path().join("at");
    let copied = Command::new("cp").arg("-a").arg(prepared).arg(&at).status();
    assert!(copied.expect("this test needs cp: install coreutils").success());
    let output = shell(script, &at, path);
    Outcome { output, state: state(&at) }
}

#[test]
fn every_command_line_does_what_gzip_does() {
    let (ours, prepared) = (ours(), prepared());
    let path = format!("{}:{SYSTEM}", ours.path().display());
    let different = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for cases in CASES.chunks(CASES.len() / 4 + 1) {
            let (prepared, path, different) = (prepared.path(), &path, &different);
            scope.spawn(move || {
                for script in cases {
                    let (gzip, own) = (run(script, prepared, SYSTEM), run(script, prepared, path));
                    let differences = gzip.differences(&own);
                    if !differences.is_empty() {
                        let mut different = different.lock().expect("no panic");
                        different.push(format!("{script}\n{differences}"));
                    }
                }
            });
        }
    });
    let different = different.into_inner().expect("no panic");
    assert!(different.is_empty(), "{} differ:\n\n{}", different.len(), different.join("\n"));
}
