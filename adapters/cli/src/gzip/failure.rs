//! Reports failures in gzip's words.

use std::io;
use std::path::Path;

use uadk_compress_archive::Error;

use super::messages::{Messages, about, reason};
use super::settings::Settings;
use super::work::Failure;
use crate::error::chain;
use crate::report::hint;
use crate::signals;
use crate::streams::tell;

/// Ends the run; the reason has been reported.
#[derive(Debug)]
pub(super) struct Stop;

/// Reports why a file failed.
pub(super) fn report(messages: &Messages, name: &Path, failure: &Failure) {
    match failure {
        Failure::Read(error) | Failure::Write(error) => {
            messages.fail_on_new_line(about(name, format_args!(": {}", reason(error))));
        }
        Failure::Data(Error::Truncated { .. }) => {
            messages.fail_on_new_line(about(name, ": unexpected end of file"));
        }
        Failure::Data(error @ Error::Damaged { .. }) => {
            let what = chain(error);
            messages
                .fail_on_new_line(about(name, format_args!(": invalid compressed data--{what}")));
        }
        Failure::Data(error) => {
            messages.fail(about(name, format_args!(": {}", chain(error))));
            if let Some(hint) = hint(error) {
                tell!("  {hint}");
            }
        }
    }
}

/// Handles a failure to write to stdout: a broken pipe ends the program as SIGPIPE would; other
/// errors are reported.
pub(super) fn stdout_failed(settings: &Settings, messages: &Messages, error: &io::Error) -> Stop {
    if error.kind() == io::ErrorKind::BrokenPipe {
        if !settings.quiet {
            signals::end_by_broken_pipe();
        }
        messages.set_warned();
    } else {
        messages.fail_on_new_line(format!("stdout: {}", reason(error)));
    }
    Stop
}
