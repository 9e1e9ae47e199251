//! Files that archives are added to.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, Write};

/// A file that can be read, written and cut.
pub trait ArchiveFile: Read + Write + Seek {
    /// Cuts it off, or lengthens it with zeros.
    ///
    /// # Errors
    ///
    /// The system's.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}

impl ArchiveFile for File {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }
}

impl ArchiveFile for Cursor<Vec<u8>> {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.get_mut().resize(len, 0);
        Ok(())
    }
}

impl<F: ArchiveFile + ?Sized> ArchiveFile for &mut F {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        (**self).truncate(len)
    }
}
