//! GNU tar and bsdtar, extracting many archives in one run.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The user `nobody`, who can neither create device nodes nor change owners.
const NOBODY: u32 = 65534;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    program: &'static str,
    /// The Debian package of the program.
    package: &'static str,
}

pub(crate) const GNU: Peer = Peer { name: "gnu", program: "tar", package: "tar" };
pub(crate) const BSD: Peer = Peer { name: "bsd", program: "bsdtar", package: "libarchive-tools" };

/// Extracts each archive named on standard input (`DIR/in/NAME`) into `DIR/PEER/NAME`. The messages
/// of the program go to `NAME.log`, and its status is the last line there.
const SCRIPT: &str = r#"
umask 022
ulimit -t 20
while read -r name; do
    mkdir "$2/$name"
    "$1" -x -f "in/$name" -C "$2/$name" >/dev/null 2>"$2/$name.log" </dev/null
    echo "status $?" >>"$2/$name.log"
done
"#;

/// Creates a scratch directory, in memory if `/dev/shm` exists.
pub(crate) fn scratch() -> io::Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::Builder::new().prefix("uadk-corpus-").tempdir_in(memory)
    } else {
        tempfile::tempdir()
    }?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

impl Peer {
    /// Starts extracting these archives, which are in `folder/in`.
    pub(crate) fn start(self, folder: &Path, names: &[String]) -> Run {
        assert!(
            Command::new(self.program).arg("--version").output().is_ok(),
            "{} is missing; `make setup` installs {}",
            self.program,
            self.package
        );
        let work = folder.join(self.name);
        fs::create_dir(&work).expect("enough space");
        // A file with the names of the archives, for the script.
        let list = folder.join(format!("{}.list", self.name));
        fs::write(&list, names.join("\n") + "\n").expect("enough space");
        let mut command = unprivileged(&work);
        command.args(["sh", "-c", SCRIPT, "sh", self.program, self.name]);
        command.stdin(fs::File::open(list).expect("just written"));
        let child = command
            .current_dir(folder)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("TAR_OPTIONS")
            .env("TZ", "UTC")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("sh: {error}; root needs setpriv of util-linux"));
        Run { child, folder: work }
    }
}

/// Returns a command that runs as `nobody` if we are root. That user then owns `writable`.
fn unprivileged(writable: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new("env");
    }
    chown(writable, Some(NOBODY), Some(NOBODY)).expect("root may change owners");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command
}

/// A running peer.
#[derive(Debug)]
pub(crate) struct Run {
    child: Child,
    folder: PathBuf,
}

/// The results of a peer.
#[derive(Debug)]
pub(crate) struct Done {
    folder: PathBuf,
}

impl Run {
    pub(crate) fn wait(self) -> Done {
        let output = self.child.wait_with_output().expect("it runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the script failed: {errors}");
        Done { folder: self.folder }
    }
}

impl Done {
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns the messages of the program, and its status.
    pub(crate) fn log(&self, name: &str) -> String {
        let log = fs::read(self.folder.join(format!("{name}.log"))).expect("the script writes it");
        String::from_utf8_lossy(&log).into_owned()
    }
}
