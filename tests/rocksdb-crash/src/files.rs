//! Files in the directory of a run.

use std::path::{Path, PathBuf};

/// The directory of a run: the database, and what the processes leave for each other.
#[derive(Clone, Debug)]
pub(crate) struct Files(pub(crate) PathBuf);

impl Files {
    pub(crate) fn new(dir: &Path) -> Self {
        Self(dir.to_owned())
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("database")
    }

    /// What the parent expects of the database.
    pub(crate) fn expected(&self) -> PathBuf {
        self.0.join("expected.json")
    }

    /// What the last child wrote to its standard error.
    pub(crate) fn messages(&self) -> PathBuf {
        self.0.join("messages")
    }

    /// A table file to be ingested by one of the writer's threads.
    pub(crate) fn ingested(&self, thread: u32) -> PathBuf {
        self.0.join(format!("ingested-{thread}.sst"))
    }
}
