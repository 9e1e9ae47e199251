//! What is said on stderr, and the status that follows from it.

use std::cell::Cell;
use std::fmt::Display;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use super::program::Program;

/// Says what is wrong, and remembers the status.
#[derive(Debug)]
pub(super) struct Messages {
    pub(super) prefix: &'static str,
    quiet: Cell<bool>,
    /// The status after a warning.
    warned: Status,
    status: Cell<Status>,
}

/// As gzip has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Good,
    Error = 1,
    Warning = 2,
}

impl Messages {
    pub(super) fn new(program: Program) -> Self {
        // bgzip knows no other.
        let warned = if program == Program::Bgzip { Status::Error } else { Status::Warning };
        let (quiet, status) = (Cell::new(false), Cell::new(Status::Good));
        Self { prefix: program.prefix(), quiet, warned, status }
    }

    /// Leaves warnings out; the status stays the same.
    pub(super) fn set_quiet(&self, quiet: bool) {
        self.quiet.set(quiet);
    }

    /// What does not change the status.
    pub(super) fn note(&self, what: impl AsRef<[u8]>) {
        let line = [self.prefix.as_bytes(), b": ", what.as_ref(), b"\n"].concat();
        print(&line);
    }

    /// Nothing is lost, but not everything is as it might be expected: status 2, of bgzip 1.
    pub(super) fn warn(&self, what: impl AsRef<[u8]>) {
        if !self.quiet.get() {
            self.note(what);
        }
        self.set_warned();
    }

    /// A warning about the data in a file, which stands on a line of its own.
    pub(super) fn warn_of_data(&self, what: impl AsRef<[u8]>) {
        if !self.quiet.get() {
            self.note_of_data(what.as_ref());
        }
        self.set_warned();
    }

    /// The status of a warning that is said elsewhere.
    pub(super) fn set_warned(&self) {
        if self.status.get() == Status::Good {
            self.status.set(self.warned);
        }
    }

    /// Something is not done: status 1.
    pub(super) fn fail(&self, what: impl AsRef<[u8]>) {
        self.note(what);
        self.status.set(Status::Error);
    }

    /// What is wrong with the data in a file, which stands on a line of its own.
    pub(super) fn fail_of_data(&self, what: impl AsRef<[u8]>) {
        self.note_of_data(what.as_ref());
        self.status.set(Status::Error);
    }

    fn note_of_data(&self, what: &[u8]) {
        let line = [b"\n", self.prefix.as_bytes(), b": ", what, b"\n"].concat();
        print(&line);
    }

    pub(super) fn status(&self) -> ExitCode {
        ExitCode::from(self.status.get() as u8)
    }
}

/// A name as it is, which need not be UTF-8, and text behind it.
pub(super) fn about(name: &Path, text: impl Display) -> Vec<u8> {
    let mut about = name.as_os_str().as_bytes().to_vec();
    about.extend(text.to_string().as_bytes());
    about
}

/// Prints on stderr. Where that fails, there is nowhere to say it.
pub(super) fn print(bytes: &[u8]) {
    let _ = io::stderr().write_all(bytes);
}

/// The text of an error of the system, as other programs have it.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
