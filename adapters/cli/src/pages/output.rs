//! Files that appear under their names when they are whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A file that is written beside its place, and put there at the end.
#[derive(Debug)]
pub(crate) struct Output {
    path: PathBuf,
    partial: PathBuf,
    file: File,
    done: bool,
}

impl Output {
    /// Begins a file; what is at its place stays until [`finish`](Self::finish).
    pub(crate) fn create(path: &Path, force: bool) -> Result<Self, Error> {
        if !force && path.exists() {
            return Err(Error::Exists { path: path.to_owned() });
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(format!(".partial-{}", std::process::id()));
        let partial = PathBuf::from(partial);
        let file =
            File::options().read(true).write(true).create(true).truncate(true).open(&partial);
        let file = file.map_err(|source| Error::write(&partial, source))?;
        Ok(Self { path: path.to_owned(), partial, file, done: false })
    }

    pub(crate) const fn file(&self) -> &File {
        &self.file
    }

    /// Puts the file at its place, safe from a crash of the machine.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let put = self
            .file
            .sync_all()
            .and_then(|()| fs::rename(&self.partial, &self.path))
            .and_then(|()| File::open(folder)?.sync_all());
        put.map_err(|source| Error::write(&self.path, source))?;
        self.done = true;
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.done {
            // It may be gone already, which is what is wanted.
            let _ = fs::remove_file(&self.partial);
        }
    }
}
