//! Files that archives can be appended to.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, Write};

/// A file that can be read, written and truncated.
///
/// ```
/// use std::io::Cursor;
/// use uadk_compress_archive::{ArchiveFile, ArchiveReader, ArchiveWriter, Result};
///
/// /// Adds a file to an archive on disk or in memory. An empty one becomes a new archive.
/// fn add<F: ArchiveFile>(archive: F, name: &str, contents: &[u8]) -> Result<F> {
///     let mut archive = ArchiveWriter::append(archive)?;
///     archive.append_bytes(name, contents)?;
///     archive.finish()
/// }
///
/// let archive = add(Cursor::new(Vec::new()), "first", b"1")?;
/// let archive = add(archive, "second", b"2")?;
/// let archive = Cursor::new(archive.into_inner());
/// assert_eq!(ArchiveReader::new(archive)?.verify()?.entries, 2);
/// # Ok::<(), uadk_compress_archive::Error>(())
/// ```
pub trait ArchiveFile: Read + Write + Seek {
    /// Truncates the file to `len` bytes, or extends it with zeros.
    ///
    /// # Errors
    ///
    /// Those of the system.
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
