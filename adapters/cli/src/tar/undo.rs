//! Restores an archive if appending to it fails.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use parking_lot::Mutex;
use uadk_compress_archive::ArchiveFile;

use crate::signals::{self, Revert};
use crate::streams::tell;

/// A file whose changes are undone if it is dropped before they are [kept](Self::keep), or if a
/// signal ends the program.
#[derive(Debug)]
pub(super) struct Undo {
    changes: Arc<Mutex<Changes>>,
    _on_signal: Option<signals::RevertOnSignal>,
}

#[derive(Debug)]
struct Changes {
    file: File,
    /// The original length of the file; `None` if changes are always kept.
    old_len: Option<u64>,
    /// The original tail of the file that was overwritten or cut off, and its offset.
    old: Option<(u64, Vec<u8>)>,
}

impl Undo {
    /// Wraps a file that is appended to.
    pub(super) fn new(file: File) -> io::Result<Self> {
        let old_len = Some(file.metadata()?.len());
        let changes = Arc::new(Mutex::new(Changes { file, old_len, old: None }));
        let on_signal = signals::RevertOnSignal::new(Arc::clone(&changes) as Arc<dyn Revert>);
        Ok(Self { changes, _on_signal: Some(on_signal) })
    }

    /// Wraps a file whose changes are always kept.
    pub(super) fn without(file: File) -> Self {
        let changes = Arc::new(Mutex::new(Changes { file, old_len: None, old: None }));
        Self { changes, _on_signal: None }
    }

    /// Keeps the changes.
    pub(super) fn keep(&self) {
        self.changes.lock().old_len = None;
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        self.changes.revert();
    }
}

impl Changes {
    /// Saves the contents of the file from `from` on, unless they are saved already.
    fn save(&mut self, from: u64) -> io::Result<()> {
        let Some(old_len) = self.old_len else { return Ok(()) };
        let (saved_from, saved) = self.old.take().unwrap_or((old_len, Vec::new()));
        let missing = saved_from.saturating_sub(from);
        let mut bytes = vec![0; usize::try_from(missing).map_err(io::Error::other)?];
        let read = self.file.read_exact_at(&mut bytes, from);
        bytes.extend(saved);
        self.old = Some((saved_from.min(from), bytes));
        read
    }

    fn restore(&mut self) -> io::Result<()> {
        if let Some(old_len) = self.old_len.take()
            && let Some((from, bytes)) = self.old.take()
        {
            // Free space first: the disk may be full.
            self.file.set_len(from)?;
            self.file.write_all_at(&bytes, from)?;
            self.file.set_len(old_len)?;
        }
        Ok(())
    }
}

impl Revert for Mutex<Changes> {
    fn revert(&self) {
        if let Err(error) = self.lock().restore() {
            tell!(
                "uadk-compress: the old end of the archive can't be restored: {error}; \
                 `tar create --resume` repairs it"
            );
        }
    }
}

impl Read for Undo {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.changes.lock().file.read(buffer)
    }
}

impl Write for Undo {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut changes = self.changes.lock();
        if changes.old_len.is_some() {
            let position = changes.file.stream_position()?;
            changes.save(position)?;
        }
        changes.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.changes.lock().file.flush()
    }
}

impl Seek for Undo {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.changes.lock().file.seek(to)
    }
}

impl ArchiveFile for Undo {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let mut changes = self.changes.lock();
        changes.save(len)?;
        changes.file.set_len(len)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn changes_are_undone_unless_they_are_kept() {
        let folder = tempfile::tempdir().expect("creates a temporary directory");
        let path = folder.path().join("file");
        let open = || File::options().read(true).write(true).open(&path).expect("opens the file");
        let change = |undo: &mut Undo| {
            undo.seek(SeekFrom::Start(6)).expect("seeks in the file");
            undo.write_all(b"XX").expect("writes to the file");
            undo.truncate(8).expect("truncates the file");
            undo.write_all(&[b'Y'; 100]).expect("writes to the file");
            undo.seek(SeekFrom::Start(2)).expect("seeks in the file");
            undo.write_all(b"ZZ").expect("writes to the file");
            assert_eq!(fs::read(&path).expect("reads the file").len(), 108);
        };
        fs::write(&path, b"0123456789").expect("writes a temporary file");
        let mut undo = Undo::new(open()).expect("a regular file");
        change(&mut undo);
        drop(undo);
        assert_eq!(fs::read(&path).expect("reads the file"), b"0123456789");
        let mut undo = Undo::new(open()).expect("a regular file");
        undo.truncate(20).expect("extends the file");
        drop(undo);
        assert_eq!(fs::read(&path).expect("reads the file"), b"0123456789");
        let mut undo = Undo::new(open()).expect("a regular file");
        change(&mut undo);
        undo.keep();
        drop(undo);
        assert!(fs::read(&path).expect("reads the file").starts_with(b"01ZZ45XXYY"));
    }
}
