//! Files that may be `-`, messages on stderr, and arguments that several commands parse.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use uadk_compress::Level;

use crate::descriptors;
use crate::error::Error;

/// Returns whether a name stands for stdin or stdout.
pub(crate) fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Opens the file to read; `-` is stdin.
pub(crate) fn input(path: &Path) -> Result<File, Error> {
    let file = if is_dash(path) { stdin() } else { File::open(path) };
    let file = file.map_err(|source| Error::read(path, source))?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(Error::refused(format!("{} is a directory", path.display()), None));
    }
    Ok(file)
}

/// Returns stdin, unbuffered.
///
/// # Errors
///
/// If the program was started without stdin.
pub(crate) fn stdin() -> io::Result<File> {
    descriptors::stdin()?;
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

/// Returns stdout, unbuffered: callers write large chunks anyway.
///
/// # Errors
///
/// If the program was started without stdout.
pub(crate) fn stdout() -> io::Result<File> {
    descriptors::stdout()?;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Prints a line to stderr and ignores failures, where `eprintln!` would panic: a log on a full
/// disk is not a reason to stop.
macro_rules! tell {
    ($($text:tt)*) => {
        $crate::streams::write_stderr(format_args!("{}\n", format_args!($($text)*)))
    };
}
pub(crate) use tell;

/// Writes to stderr; failures are ignored.
pub(crate) fn write_stderr(text: fmt::Arguments<'_>) {
    // In one write, so that lines of several programs are not interleaved.
    let _ = io::stderr().write_all(text.to_string().as_bytes());
}

/// Returns stderr, unbuffered.
pub(crate) fn stderr() -> io::Result<File> {
    Ok(io::stderr().as_fd().try_clone_to_owned()?.into())
}

/// Creates a progress bar in bytes, hidden if stderr is not a terminal.
pub(crate) fn progress(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} {wide_msg}",
        ),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes} {bytes_per_sec} {wide_msg}"),
    };
    let style = ProgressStyle::with_template(template);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Parses a level: 1 to 12, 0 or `fastest`.
pub(crate) fn level(text: &str) -> Result<Level, String> {
    if text == "fastest" {
        return Ok(Level::FASTEST);
    }
    match text.parse() {
        Ok(level @ 0..=12) => Ok(Level::nearest(level)),
        _ => Err("must be from 0 (or fastest) to 12".to_owned()),
    }
}

/// Parses a level of any format.
pub(crate) fn any_level(text: &str) -> Result<Level, String> {
    if text == "fastest" {
        return Ok(Level::FASTEST);
    }
    let level = text.parse().ok().and_then(Level::new);
    level.ok_or_else(|| "must be fastest, or from -131072 to 22".to_owned())
}

/// Parses a number of threads.
pub(crate) fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(threads @ 1..=1024) => Ok(threads),
        _ => Err("must be a number from 1 to 1024".to_owned()),
    }
}

/// Returns the given number of threads, or the number of processors.
pub(crate) fn threads_or_all(count: Option<usize>) -> usize {
    count.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}
