//! Notes about files that were added.

use std::fmt;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use crate::Error;

/// The outcome of adding a file or directory.
///
/// ```
/// use std::path::Path;
/// use uadk_compress_archive::{ArchiveWriter, TreeWriter};
///
/// let mut archive = ArchiveWriter::new(Vec::new())?;
/// let mut tree = TreeWriter::new();
/// // Adds the directory, but nothing in it.
/// let appended = tree.append_path(&mut archive, Path::new("."), Path::new("project"))?;
/// for note in &appended.notes {
///     eprintln!("{note}");
/// }
/// assert!(appended.stored && appended.metadata.is_dir());
/// # Ok::<(), uadk_compress_archive::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "its notes say what differs between the archive and the disk"]
pub struct Appended {
    /// Its metadata on disk.
    pub metadata: Metadata,
    /// Whether an entry was written. `false` for sockets, and for a file with several names that is
    /// already in the archive under this name.
    pub stored: bool,
    /// Notes for the user.
    pub notes: Vec<Note>,
}

/// A note for the user about a file on disk. Its [`Display`](fmt::Display) is one line,
/// "NAME: what".
///
/// ```
/// use std::path::Path;
/// use uadk_compress_archive::{ArchiveWriter, Note, TreeWriter};
///
/// let mut archive = ArchiveWriter::new(Vec::new())?;
/// let mut tree = TreeWriter::new();
/// let notes = tree.append_tree(&mut archive, Path::new("/no/such/file"), Path::new("file"))?;
/// for note in &notes {
///     eprintln!("{note}");
/// }
/// let status = notes.iter().map(Note::status).max();
/// assert_eq!(status, Some(2));
/// # Ok::<(), uadk_compress_archive::Error>(())
/// ```
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

    /// Creates a note about a file that [`TreeWriter`](crate::TreeWriter) failed to add. Its status
    /// is 2, or 1 if the file no longer exists but `was_there` when its directory was read.
    #[must_use]
    pub fn from_failure(disk: &Path, error: &Error, was_there: bool) -> Self {
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

    /// Returns the path on disk.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the message, without the path.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Returns the exit status that GNU tar uses in this case: 0 for a mere notice, 1 if the stored
    /// file differs from the one on disk, 2 if a file could not be read and was skipped.
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
