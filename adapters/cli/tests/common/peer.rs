//! Runs the same command lines with GNU tar and with our program.

use std::path::Path;
use std::process::{Command, Output};

/// The program that runs a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Gnu,
    Ours,
}

/// Runs `tar` with these arguments in a directory. Both programs sort directories and print times
/// in UTC.
pub(crate) fn tar(who: Who, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = match who {
        Who::Gnu => Command::new("tar"),
        Who::Ours => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_uadk-compress"));
            command.arg("tar");
            command
        }
    };
    command.args(arguments).current_dir(folder).env("TZ", "UTC").env("LC_ALL", "C.UTF-8");
    command.env("TAR_OPTIONS", "--sort=name").env("UADK_COMPRESS_OFFLOAD", "off");
    command.output().expect("GNU tar is missing: install the package tar")
}
