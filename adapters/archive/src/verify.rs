//! Verification of archives.

use std::io::{Cursor, Read, Seek};

use crate::read::NO_END;
use crate::{ArchiveOptions, ArchiveReader, Entry, Error, Result, Warning, links};

/// The result of a verification.
///
/// ```
/// use std::io::Cursor;
/// use uadk_compress_archive::{ArchiveReader, ArchiveWriter};
///
/// let mut archive = ArchiveWriter::new(Vec::new())?;
/// archive.append_bytes("notes.txt", b"remember the milk")?;
/// let file = archive.finish()?;
///
/// let verified = ArchiveReader::new(Cursor::new(file))?.verify()?;
/// assert_eq!(verified.entries, 1);
/// assert!(verified.indexed && verified.ended);
/// # Ok::<(), uadk_compress_archive::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Number of entries, all of them intact.
    pub entries: u64,
    /// Size of the uncompressed tar in bytes.
    pub tar_len: u64,
    /// Whether there is an index that matches the tar.
    pub indexed: bool,
    /// Whether the tar ends with zeros, as it should.
    pub ended: bool,
}

impl<R: Read> ArchiveReader<R> {
    /// Reads the rest of the archive, and checks the checksum of each member and the headers of
    /// each entry. An index is skipped. Meant for pipes; if the file is seekable,
    /// [`verify`](Self::verify) checks more.
    ///
    /// # Errors
    ///
    /// If the archive is damaged or truncated. Damage limited to an attribute or an entry is not an
    /// error but a [warning](Self::take_warnings). So are hard links without a target, and plain
    /// tar without an end.
    pub fn verify_stream(&mut self) -> Result<Verified> {
        let index = self.scan()?;
        self.check_links(&index.entries);
        self.check_end();
        Ok(Verified {
            entries: index.entries.len() as u64,
            tar_len: index.tar_len,
            indexed: false,
            ended: self.walker.ended(),
        })
    }

    fn check_end(&mut self) {
        if self.lacks_end() {
            self.walker.warn(Warning::new(b"", self.walker.position(), NO_END));
        }
    }

    fn check_links(&mut self, entries: &[Entry]) {
        for warning in links::check(entries) {
            self.walker.warn(warning);
        }
    }
}

impl<R: Read + Seek> ArchiveReader<R> {
    /// Reads the whole archive, and checks the checksum of each member, the headers of each entry
    /// and, if there is an index, that it lists each entry with the right name, properties,
    /// position and checksum.
    ///
    /// # Errors
    ///
    /// If the archive is damaged or truncated; [`Error::Index`] with the first entry that differs
    /// in the index. Damage limited to an attribute or an entry is not an error but a
    /// [warning](Self::take_warnings). So are hard links without a target, and plain tar without an
    /// end.
    pub fn verify(&mut self) -> Result<Verified> {
        let stored = self.stored_index()?;
        self.walker.input_mut().pass_by_seeking(false)?;
        let made = self.scan_all()?;
        self.check_links(&made.entries);
        self.check_end();
        let ended = self.walker.ended();
        if let Some(stored) = &stored {
            for (listed, found) in stored.entries.iter().zip(&made.entries) {
                if listed != found {
                    return Err(Error::index(difference(listed, found)));
                }
            }
            if stored.entries.len() != made.entries.len() || stored.tar_len != made.tar_len {
                return Err(Error::index(format!(
                    "it lists {} entries in {} bytes, but the tar has {} in {}",
                    stored.entries.len(),
                    stored.tar_len,
                    made.entries.len(),
                    made.tar_len
                )));
            }
        }
        Ok(Verified {
            entries: made.entries.len() as u64,
            tar_len: made.tar_len,
            indexed: stored.is_some(),
            ended,
        })
    }
}

fn difference(listed: &Entry, found: &Entry) -> String {
    let name = String::from_utf8_lossy(&found.path);
    let what = if listed.path != found.path {
        return format!("it lists {}, not {name}", String::from_utf8_lossy(&listed.path));
    } else if listed.size != found.size {
        "size"
    } else if listed.checksum != found.checksum {
        "checksum"
    } else if listed.place != found.place || listed.start != found.start {
        "position"
    } else {
        "metadata"
    };
    format!("the {what} of {name} does not match the tar")
}

/// Checks that with any bytes, listed entries can be opened or return an error, and nothing panics.
#[doc(hidden)]
pub fn fuzz_archive(bytes: &[u8]) {
    let Ok(mut archive) = ArchiveOptions::new().threads(1).reader(Cursor::new(bytes)) else {
        return;
    };
    let _ = archive.verify();
    let Ok(entries) = archive.index().map(|index| index.entries().len()) else { return };
    for n in 0..entries.min(100) {
        if let Ok(mut entry) = archive.open_nth(n) {
            let _ = std::io::copy(&mut entry.by_ref().take(1 << 20), &mut std::io::sink());
        }
    }
    if archive.rewind().is_ok() {
        for _ in 0..100 {
            let Ok(Some(mut entry)) = archive.next_entry() else { return };
            let _ = std::io::copy(&mut entry.by_ref().take(1 << 20), &mut std::io::sink());
        }
    }
}
