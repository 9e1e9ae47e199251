//! The output file: its name, and what to do if it exists.

use std::fs::{FileTimes, Metadata};
use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::header::Header;
use super::job::Job;
use super::messages::{self, Messages, about, reason};
use super::names;
use super::settings::Settings;
use crate::error::{Error, chain};
use crate::output::{Links, Nodes, Output, Rules};
use crate::signals;
use crate::streams::{tell, write_stderr};

/// Returns the name of the result. If the file stays unchanged, reports that and returns `None`.
pub(super) fn name(settings: &Settings, messages: &Messages, name: &Path) -> Option<PathBuf> {
    let Settings { decompress, force, list, test, quiet, recursive, verbose, .. } = *settings;
    // With --recursive, a message for every other file would be noise.
    let is_reported = verbose > 0 || (!recursive && !quiet);
    let own = &settings.suffix;
    if decompress {
        let target = names::decompressed(name, own);
        if target.is_none() {
            if !recursive && (list || test) {
                return Some(name.to_owned());
            }
            if is_reported {
                messages.warn(about(name, ": unknown suffix -- ignored"));
            }
        }
        return target;
    }
    if let Some(suffix) = names::suffix(name, own, false)
        && force == 0
    {
        if is_reported {
            let has = about(Path::new(&suffix), " suffix -- unchanged");
            messages.note([&about(name, " already has ")[..], &has].concat());
        }
        return None;
    }
    Some(names::with_suffix(name, own))
}

/// Begins the file for the result.
pub(super) fn create(settings: &Settings, messages: &Messages, target: &Path) -> Option<Output> {
    let force = settings.force > 0;
    let rules = |force| Rules { force, links: Links::Replace, nodes: Nodes::Refuse };
    let mut output = Output::create(target, rules(force));
    let exists_already = match &output {
        Err(Error::Exists { .. }) => true,
        // A directory or a special file: an error only with --force.
        Err(Error::Refused { .. }) => !force,
        _ => false,
    };
    if exists_already {
        messages::print(&exists(messages, target));
        if !may_overwrite() {
            tell!("\tnot overwritten");
            messages.set_warned();
            return None;
        }
        output = Output::create(target, rules(true));
    }
    output.map_err(|error| not_created(messages, target, &error)).ok()
}

pub(super) fn not_created(messages: &Messages, target: &Path, error: &Error) {
    match error {
        Error::Exists { .. } => {
            let line = [&exists(messages, target)[..], b"\tnot overwritten\n"].concat();
            messages::print(&line);
            messages.set_warned();
        }
        Error::Write { source, .. } => {
            messages.fail(about(target, format_args!(": {}", reason(source))));
        }
        error => messages.fail(chain(error)),
    }
}

fn exists(messages: &Messages, target: &Path) -> Vec<u8> {
    let prefix = format!("{}: ", messages.prefix).into_bytes();
    [prefix, about(target, " already exists;")].concat()
}

/// Returns the times to set on the file that replaces the original.
pub(super) fn times(metadata: &Metadata, job: &Job, settings: &Settings) -> FileTimes {
    let mut times = FileTimes::new();
    if let Ok(accessed) = metadata.accessed() {
        times = times.set_accessed(accessed);
    }
    let stored = match job {
        Job::Decompress(Header { mtime: seconds @ 1.., .. }) if settings.times => {
            Some(SystemTime::UNIX_EPOCH + Duration::from_secs((*seconds).into()))
        }
        _ => metadata.modified().ok(),
    };
    stored.map_or(times, |modified| times.set_modified(modified))
}

/// Asks the user, if there is a terminal.
fn may_overwrite() -> bool {
    if !signals::is_foreground() || !io::stdin().is_terminal() {
        return false;
    }
    write_stderr(format_args!(" do you wish to overwrite (y or n)? "));
    let mut answer = String::new();
    // No answer means no.
    let _ = io::stdin().lock().read_line(&mut answer);
    answer.trim_start().starts_with(['y', 'Y'])
}
