//! `tar`: archives that every tar reads, and that list and give single files at once.
//!
//! There are two ways to say what is to be done, the subcommands and GNU tar's options. Both become one of the
//! jobs in [`job`], which does not know where it came from.

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

/// The arguments of a command line that is written as for GNU tar: behind `uadk-compress tar`, or
/// all if the program is called by the name of `tar`.
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
        // Help about the subcommands.
        [] => None,
        [only] if only == "--help" || only == "-h" => None,
        [first, ..] if commands::NAMES.iter().any(|name| first == name) => None,
        rest => Some(rest),
    }
}

/// Runs a command line that is written as for GNU tar.
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
