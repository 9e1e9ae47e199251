//! What goes wrong with a file, in gzip's words.

use std::io;
use std::path::Path;

use uadk_compress_archive::Error;

use super::messages::{Messages, about, reason};
use super::settings::Settings;
use super::work::Wrong;
use crate::error::chain;
use crate::report::hint;
use crate::signals;
use crate::streams::tell;

/// The run ends; why has been said.
#[derive(Debug)]
pub(super) struct Stop;

/// Says what kept a file from being done.
pub(super) fn say(messages: &Messages, name: &Path, wrong: &Wrong) {
    match wrong {
        Wrong::Read(error) | Wrong::Write(error) => {
            messages.fail_of_data(about(name, format_args!(": {}", reason(error))));
        }
        Wrong::Data(Error::Truncated { .. }) => {
            messages.fail_of_data(about(name, ": unexpected end of file"));
        }
        Wrong::Data(error @ Error::Damaged { .. }) => {
            let what = chain(error);
            messages.fail_of_data(about(name, format_args!(": invalid compressed data--{what}")));
        }
        Wrong::Data(error) => {
            messages.fail(about(name, format_args!(": {}", chain(error))));
            if let Some(hint) = hint(error) {
                tell!("  {hint}");
            }
        }
    }
}

/// Where nobody reads on, the program ends as others do; other errors are said.
pub(super) fn stdout_failed(settings: &Settings, messages: &Messages, error: &io::Error) -> Stop {
    if error.kind() == io::ErrorKind::BrokenPipe {
        if !settings.quiet {
            signals::end_by_broken_pipe();
        }
        messages.set_warned();
    } else {
        messages.fail_of_data(format!("stdout: {}", reason(error)));
    }
    Stop
}
