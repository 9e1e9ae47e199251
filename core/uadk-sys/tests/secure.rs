//! A set-user-ID program must not load libraries from a folder that its caller names.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use uadk_sys::{LIB_DIR_VARIABLE, Libwd, secure};

/// Set in the processes that this one starts.
const CHILD: &str = "UADK_SYS_SECURE_CHILD";
const NOBODY: u32 = 65534;

/// Does nothing unless another test starts it: reports what [`Libwd::load`] makes of the folder.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let folder = std::env::var_os(LIB_DIR_VARIABLE).expect("set by the parent");
    let folder = folder.into_string().expect("UTF-8");
    let loaded = match Libwd::load() {
        Ok(libwd) => format!("{:?}", libwd.path()),
        Err(error) => error.to_string(),
    };
    println!(
        "secure={} variable={} folder={} [{loaded}]",
        secure::is_secure_execution(),
        secure::var_os(LIB_DIR_VARIABLE).is_some(),
        loaded.contains(&folder)
    );
}

/// A folder that everybody can enter, with a `libwd.so.2` that loads and is not UADK's: whether it
/// was tried shows in the error, also where UADK is installed.
fn folder() -> tempfile::TempDir {
    let everybody = std::fs::Permissions::from_mode(0o755);
    let folder = tempfile::Builder::new().permissions(everybody).tempdir().expect("a folder");
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux");
    let mut files = maps.lines().filter_map(|line| line.find('/').map(|at| &line[at..]));
    let library = files.find(|path| path.contains("/libgcc_s.so"));
    std::fs::copy(library.expect("linked by Rust"), folder.path().join("libwd.so.2"))
        .expect("a copy");
    folder
}

fn run(program: &Path, folder: &Path, uid: Option<u32>) -> Output {
    let mut command = Command::new(program);
    command.args(["--exact", "child", "--nocapture"]).current_dir("/");
    command.env(CHILD, "1").env(LIB_DIR_VARIABLE, folder);
    if let Some(uid) = uid {
        command.uid(uid).gid(uid);
    }
    command.output().expect("starts")
}

fn text(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn the_folder_is_searched_by_an_ordinary_program() {
    let folder = folder();
    let program = std::env::current_exe().expect("a path");
    let said = text(&run(&program, folder.path(), None));
    assert!(said.contains("secure=false variable=true folder=true"), "{said}");
}

/// Only root can make a program that belongs to root; for others the unit tests of `secure` stand
/// in.
#[test]
fn the_folder_is_ignored_by_a_set_user_id_program() {
    // SAFETY: no arguments, and it can't fail.
    if unsafe { libc::geteuid() } != 0 {
        return;
    }
    let folder = folder();
    let program: PathBuf = folder.path().join("set-user-id");
    std::fs::copy(std::env::current_exe().expect("a path"), &program).expect("a copy");
    std::os::unix::fs::chown(&program, Some(0), Some(0)).expect("root may");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o4755)).expect("root may");

    let said = text(&run(&program, folder.path(), Some(NOBODY)));
    assert!(
        said.contains("secure=true"),
        "the set-user-ID bit of {} has no effect: is the file system mounted nosuid, or \
         no_new_privs set? TMPDIR can name another folder\n{said}",
        program.display()
    );
    assert!(said.contains("secure=true variable=false folder=false"), "{said}");
}
