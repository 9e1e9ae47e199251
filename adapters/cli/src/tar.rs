//! `tar`: archives that every tar reads, with instant listing and access to single files.
//!
//! There are two front ends, the subcommands and GNU tar's options. Both create one of the jobs in
//! [`job`].

mod archive;
mod commands;
mod compare;
mod create;
mod extract;
mod files_from;
mod gnu;
mod job;
mod library;
mod list;
mod lister;
mod long;
mod matching;
mod members;
mod meter;
mod names;
mod status;
mod target;
mod times;
mod transform;
mod undo;
mod walk;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::error::Error;
use crate::report;
use crate::signals;
pub(crate) use commands::Command;
use status::{FAILED, Status};

/// Runs a subcommand.
pub(crate) fn run(command: Command) -> ExitCode {
    exit_code(commands::run(command))
}

/// Returns the arguments of a GNU tar command line: those after `uadk-compress tar`, or all if the
/// program is called as `tar`.
pub(crate) fn gnu_arguments(all: &[OsString]) -> Option<&[OsString]> {
    let (program, rest) = all.split_first()?;
    let name = std::path::Path::new(program).file_name();
    if name.is_some_and(|name| name == "tar") {
        return Some(rest);
    }
    let (command, rest) = rest.split_first()?;
    if command != "tar" {
        return None;
    }
    match rest {
        // These show the help of the subcommands.
        [] => None,
        [only] if only == "--help" || only == "-h" => None,
        [first, ..] if commands::NAMES.iter().any(|name| first == name) => None,
        rest => Some(rest),
    }
}

/// Runs a GNU tar command line.
pub(crate) fn run_gnu(arguments: &[OsString]) -> ExitCode {
    match gnu::run(arguments) {
        Ok(result) => exit_code(result),
        Err(code) => code,
    }
}

fn exit_code(result: Result<Status, Error>) -> ExitCode {
    match result {
        Ok(status) => status.exit_code(),
        Err(error) if error.is_broken_pipe() => signals::end_by_broken_pipe(),
        Err(error) => {
            report::report(&error);
            ExitCode::from(FAILED)
        }
    }
}
