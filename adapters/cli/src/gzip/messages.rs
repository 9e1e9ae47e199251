//! Messages on stderr, and the exit status that follows from them.

use std::cell::Cell;
use std::fmt::Display;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use super::program::Program;

/// Prints messages and tracks the exit status.
#[derive(Debug)]
pub(super) struct Messages {
    pub(super) prefix: &'static str,
    quiet: Cell<bool>,
    /// The status after a warning.
    warned: Status,
    status: Cell<Status>,
}

/// The exit statuses of gzip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Good,
    Error = 1,
    Warning = 2,
}

impl Messages {
    pub(super) fn new(program: Program) -> Self {
        // bgzip has no status for warnings.
        let warned = if program == Program::Bgzip { Status::Error } else { Status::Warning };
        let (quiet, status) = (Cell::new(false), Cell::new(Status::Good));
        Self { prefix: program.prefix(), quiet, warned, status }
    }

    /// Suppresses warnings, which still set the status.
    pub(super) fn set_quiet(&self, quiet: bool) {
        self.quiet.set(quiet);
    }

    /// Prints a message that does not change the status.
    pub(super) fn note(&self, what: impl AsRef<[u8]>) {
        let line = [self.prefix.as_bytes(), b": ", what.as_ref(), b"\n"].concat();
        print(&line);
    }

    /// Prints a warning: status 2, or 1 for bgzip.
    pub(super) fn warn(&self, what: impl AsRef<[u8]>) {
        if !self.quiet.get() {
            self.note(what);
        }
        self.set_warned();
    }

    /// Prints a warning after a newline, as gzip does for warnings about the data in a file.
    pub(super) fn warn_on_new_line(&self, what: impl AsRef<[u8]>) {
        if !self.quiet.get() {
            self.note_on_new_line(what.as_ref());
        }
        self.set_warned();
    }

    /// Sets the status for a warning that is printed elsewhere.
    pub(super) fn set_warned(&self) {
        if self.status.get() == Status::Good {
            self.status.set(self.warned);
        }
    }

    /// Prints an error: status 1.
    pub(super) fn fail(&self, what: impl AsRef<[u8]>) {
        self.note(what);
        self.status.set(Status::Error);
    }

    /// Prints an error after a newline, as gzip does for errors in the data of a file.
    pub(super) fn fail_on_new_line(&self, what: impl AsRef<[u8]>) {
        self.note_on_new_line(what.as_ref());
        self.status.set(Status::Error);
    }

    fn note_on_new_line(&self, what: &[u8]) {
        let line = [b"\n", self.prefix.as_bytes(), b": ", what, b"\n"].concat();
        print(&line);
    }

    pub(super) fn status(&self) -> ExitCode {
        ExitCode::from(self.status.get() as u8)
    }
}

/// Returns a name, which need not be UTF-8, followed by text.
pub(super) fn about(name: &Path, text: impl Display) -> Vec<u8> {
    let mut about = name.as_os_str().as_bytes().to_vec();
    about.extend(text.to_string().as_bytes());
    about
}

/// Prints to stderr. If that fails, there is nowhere to report it.
pub(super) fn print(bytes: &[u8]) {
    let _ = io::stderr().write_all(bytes);
}

/// Returns the text of a system error, as other programs print it.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
