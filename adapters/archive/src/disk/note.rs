//! What a person should know of what was added.

use std::fmt;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use crate::Error;

/// What is known of a file or folder that was to be added.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "its notes tell what is not in the archive as it is on disk"]
pub struct Appended {
    /// What the system says of it.
    pub metadata: Metadata,
    /// Whether an entry was written. None is for sockets, and for a further mention of a file that is in the
    /// archive under this name already and has several names.
    pub stored: bool,
    /// What a person should know.
    pub notes: Vec<Note>,
}

/// Something about a file on disk that a person should know. Its [`Display`](fmt::Display) is one line,
/// "NAME: what".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    path: PathBuf,
    what: String,
    status: u8,
}

impl Note {
    pub(super) fn new(path: &Path, what: impl Into<String>, status: u8) -> Self {
        Self { path: path.to_owned(), what: what.into(), status }
    }

    /// That of what [`TreeWriter`](crate::TreeWriter) failed at, which is left out: status 2, or 1 if it is gone
    /// and `was_there` when its folder was read.
    #[must_use]
    pub fn of_failure(disk: &Path, error: &Error, was_there: bool) -> Self {
        let Error::Entry { what, source, .. } = error else {
            return Self::new(disk, error.to_string(), 2);
        };
        match source.as_deref() {
            Some(Error::Io(source)) if was_there && source.kind() == io::ErrorKind::NotFound => {
                Self::new(disk, "file removed before we read it", 1)
            }
            Some(source) => Self::new(disk, format!("{what}: {source}"), 2),
            None => Self::new(disk, what.clone(), 2),
        }
    }

    /// Where it is on disk.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What there is to know of it.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The status that GNU tar ends with after such a thing: 0 if it is only worth a line, 1 if what is
    /// stored is not what is on disk, 2 if something could not be read and is left out.
    #[must_use]
    pub const fn status(&self) -> u8 {
        self.status
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}
