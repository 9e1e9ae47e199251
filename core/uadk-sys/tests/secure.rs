//! A set-user-ID program must not load libraries from a directory that its caller chooses.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use uadk_sys::{LIB_DIR_VARIABLE, Libwd, secure};

/// Set in the child processes.
const CHILD: &str = "UADK_SYS_SECURE_CHILD";
const NOBODY: u32 = 65534;

/// Reports whether [`Libwd::load`] searches the directory. Does nothing unless another test starts
/// it.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let dir = std::env::var_os(LIB_DIR_VARIABLE).expect("variable set by the parent");
    let dir = dir.into_string().expect("UTF-8");
    let loaded = match Libwd::load() {
        Ok(libwd) => format!("{:?}", libwd.path()),
        Err(error) => error.to_string(),
    };
    println!(
        "secure={} variable={} searched={} [{loaded}]",
        secure::is_secure_execution(),
        secure::var_os(LIB_DIR_VARIABLE).is_some(),
        loaded.contains(&dir)
    );
}

/// Creates a world-accessible directory with a `libwd.so.2` that loads but isn't UADK's. The error
/// then shows whether it was tried, even where UADK is installed.
fn library_dir() -> tempfile::TempDir {
    let world_readable = std::fs::Permissions::from_mode(0o755);
    let dir = tempfile::Builder::new()
        .permissions(world_readable)
        .tempdir()
        .expect("a temporary directory");
    let maps = std::fs::read_to_string("/proc/self/maps").expect("reads the memory map");
    let mut files = maps.lines().filter_map(|line| line.find('/').map(|at| &line[at..]));
    let library = files.find(|path| path.contains("/libgcc_s.so"));
    std::fs::copy(library.expect("libgcc_s is linked by Rust"), dir.path().join("libwd.so.2"))
        .expect("copies the library");
    dir
}

fn run(program: &Path, dir: &Path, uid: Option<u32>) -> Output {
    let mut command = Command::new(program);
    command.args(["--exact", "child", "--nocapture"]).current_dir("/");
    command.env(CHILD, "1").env(LIB_DIR_VARIABLE, dir);
    if let Some(uid) = uid {
        command.uid(uid).gid(uid);
    }
    command.output().expect("starts the program")
}

fn text(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn an_ordinary_program_searches_the_directory() {
    let dir = library_dir();
    let program = std::env::current_exe().expect("the path of this program");
    let output = text(&run(&program, dir.path(), None));
    assert!(output.contains("secure=false variable=true searched=true"), "{output}");
}

/// Only root can create a program that belongs to root. For other users, the unit tests of `secure`
/// cover this.
#[test]
fn a_set_user_id_program_ignores_the_directory() {
    // SAFETY: no arguments, and it can't fail.
    if unsafe { libc::geteuid() } != 0 {
        return;
    }
    let dir = library_dir();
    let program: PathBuf = dir.path().join("set-user-id");
    let this = std::env::current_exe().expect("the path of this program");
    std::fs::copy(this, &program).expect("copies the program");
    std::os::unix::fs::chown(&program, Some(0), Some(0)).expect("root changes the owner");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o4755))
        .expect("root sets the mode");

    let output = text(&run(&program, dir.path(), Some(NOBODY)));
    assert!(
        output.contains("secure=true"),
        "the set-user-ID bit of {} has no effect: is the file system mounted nosuid, or \
         no_new_privs set? Set TMPDIR to use another directory\n{output}",
        program.display()
    );
    assert!(output.contains("secure=true variable=false searched=false"), "{output}");
}
