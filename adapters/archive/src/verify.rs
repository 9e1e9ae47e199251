//! Whether an archive is what it should be.

use std::io::{Cursor, Read, Seek};

use crate::read::NO_END;
use crate::{ArchiveOptions, ArchiveReader, Entry, Error, Result, Warning, links};

/// What was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Entries, all of them whole.
    pub entries: u64,
    /// Bytes of the tar, uncompressed.
    pub tar_len: u64,
    /// Whether there is an index, which agrees with the tar.
    pub indexed: bool,
    /// Whether zeros end the tar, as they should.
    pub ended: bool,
}

impl<R: Read> ArchiveReader<R> {
    /// Reads all that is left, and checks each member's checksum and each entry's headers; an index
    /// is passed over. For pipes; where the file can be sought in, [`verify`](Self::verify) does more.
    ///
    /// # Errors
    ///
    /// Where the archive is damaged or cut off. What costs no more than an attribute or an entry is no error:
    /// see [`take_warnings`](Self::take_warnings), which tells of hard links without a target, too, and of
    /// plain tar that has no end.
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
    /// Reads the whole archive, and checks each member's checksum, each entry's headers, and that the
    /// index, if there is one, tells each entry's name, properties, place and checksum as they are.
    ///
    /// # Errors
    ///
    /// Where the archive is damaged or cut off; [`Error::Index`] with the first entry that the index
    /// tells otherwise. What costs no more than an attribute or an entry is no error: see
    /// [`take_warnings`](Self::take_warnings), which tells of hard links without a target, too, and of plain
    /// tar that has no end.
    pub fn verify(&mut self) -> Result<Verified> {
        let stored = self.stored_index()?;
        self.walker.input_mut().pass_by_seeking(false)?;
        let made = self.scan_all()?;
        self.check_links(&made.entries);
        self.check_end();
        let ended = self.walker.ended();
        if let Some(stored) = &stored {
            for (told, found) in stored.entries.iter().zip(&made.entries) {
                if told != found {
                    return Err(Error::index(difference(told, found)));
                }
            }
            if stored.entries.len() != made.entries.len() || stored.tar_len != made.tar_len {
                return Err(Error::index(format!(
                    "it tells of {} entries in {} bytes, and there are {} in {}",
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

fn difference(told: &Entry, found: &Entry) -> String {
    let name = String::from_utf8_lossy(&found.path);
    let what = if told.path != found.path {
        return format!("it says {} where {name} is", String::from_utf8_lossy(&told.path));
    } else if told.size != found.size {
        "size"
    } else if told.checksum != found.checksum {
        "checksum"
    } else if told.place != found.place || told.start != found.start {
        "place"
    } else {
        "properties"
    };
    format!("it tells another {what} of {name} than there is")
}

/// Whatever the bytes are: what can be listed can be opened or gives an error, and nothing panics.
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
