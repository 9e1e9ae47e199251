//! Command lines as for GNU tar.

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

/// An option that is not known, as GNU tar ends then.
const UNKNOWN_OPTION: u8 = 64;

/// Runs the command; an error of the command line itself is printed, and is the exit code.
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
            return Err(fail(&Usage::meaning("one of -c, -d, -r, -t, -u and -x has to be given")));
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
    tell!("  `uadk-compress tar -?` lists the options");
    ExitCode::from(code)
}
