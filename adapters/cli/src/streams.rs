//! Files that may be `-`, and what happens on the way.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use uadk_compress::Level;

use crate::descriptors;
use crate::error::Error;

/// Whether a name stands for stdin or stdout.
pub(crate) fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The file to read; `-` is stdin.
pub(crate) fn input(path: &Path) -> Result<File, Error> {
    let file = if is_dash(path) { stdin() } else { File::open(path) };
    let file = file.map_err(|source| Error::read(path, source))?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(Error::refused(format!("{} is a folder, not a file", path.display()), None));
    }
    Ok(file)
}

/// Stdin, unbuffered.
///
/// # Errors
///
/// If the program was started without one.
pub(crate) fn stdin() -> io::Result<File> {
    descriptors::stdin()?;
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

/// Stdout, unbuffered: what is written to it is large already.
///
/// # Errors
///
/// If the program was started without one.
pub(crate) fn stdout() -> io::Result<File> {
    descriptors::stdout()?;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Prints a line to stderr, where `eprintln!` panics if that can't be done: a full disk under a log is no
/// reason to stop.
macro_rules! tell {
    ($($text:tt)*) => { $crate::streams::write_stderr(format_args!("{}\n", format_args!($($text)*))) };
}
pub(crate) use tell;

/// Writes to stderr, as long as that can be done.
pub(crate) fn write_stderr(text: fmt::Arguments<'_>) {
    // In one piece, so that lines of several programs are not mixed.
    let _ = io::stderr().write_all(text.to_string().as_bytes());
}

/// Stderr, unbuffered.
pub(crate) fn stderr() -> io::Result<File> {
    Ok(io::stderr().as_fd().try_clone_to_owned()?.into())
}

/// Bytes on a progress bar, which is hidden where stderr is no terminal.
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

/// Reads a level: 1 to 12, 0 or `fastest`.
pub(crate) fn level(text: &str) -> Result<Level, String> {
    if text == "fastest" {
        return Ok(Level::FASTEST);
    }
    let level = text.parse().ok().and_then(Level::new);
    level.ok_or_else(|| "levels are 0 (or fastest) to 12".to_owned())
}

/// Reads a number of threads.
pub(crate) fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(threads @ 1..=1024) => Ok(threads),
        _ => Err("a number from 1 to 1024".to_owned()),
    }
}

/// The number of threads if it was given, or else that of processors.
pub(crate) fn threads_or_all(count: Option<usize>) -> usize {
    count.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}
