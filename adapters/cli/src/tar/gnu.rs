//! GNU tar's command line.

mod compression;
mod getopt;
mod help;
mod jobs;
mod names;
mod options;
mod owners;
mod settings;
mod usage;

use std::ffi::OsString;
use std::process::ExitCode;

use super::status::{FAILED, Status};
use crate::error::{self, Error};
use crate::streams::tell;
use settings::{Operation, Settings};
use usage::Usage;

/// The exit status of GNU tar for an unknown option.
const UNKNOWN_OPTION: u8 = 64;

/// Runs the command. An error in the command line is printed and returned as the exit code.
pub(super) fn run(arguments: &[OsString]) -> Result<Result<Status, Error>, ExitCode> {
    let events = getopt::with_environment(arguments);
    let settings = events.and_then(|events| Settings::new(&events));
    let settings = settings.map_err(|usage| fail(&usage))?;
    let operation = match settings.operation {
        Some(Operation::Help) => return Ok(error::print(&help::text()).map(|()| Status::default())),
        Some(Operation::Version) => {
            let text = format!("tar (uadk-compress) {}\n", env!("CARGO_PKG_VERSION"));
            return Ok(error::print(&text).map(|()| Status::default()));
        }
        Some(operation) => operation,
        None => {
            return Err(fail(&Usage::meaning("you must specify one of -c, -d, -r, -t, -u or -x")));
        }
    };
    jobs::run(operation, settings).map_err(|usage| fail(&usage))
}

fn fail(usage: &Usage) -> ExitCode {
    let (text, code) = match usage {
        Usage::Option(text) => (text, UNKNOWN_OPTION),
        Usage::Meaning(text) => (text, FAILED),
    };
    tell!("uadk-compress: {text}");
    tell!("  Try `uadk-compress tar -?' for more information.");
    ExitCode::from(code)
}
