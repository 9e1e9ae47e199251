//! The index of entries, and where it is in the file. docs/archive-index.md has the format.

mod footer;
mod member;
mod members;
mod record;

use std::io::{Read, Seek, SeekFrom};

use crate::entry::trimmed;
use crate::gzip::{END_MARKER, Place};
use crate::{Entry, Error, Result};
pub(crate) use footer::{Footer, MEMBER_LEN as FOOTER_LEN};
pub(crate) use members::IndexBuilder;

/// The entries of an archive, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    pub(crate) entries: Vec<Entry>,
    /// Where the zeros begin that end the tar.
    pub(crate) end: u64,
    /// Where they are in the file.
    pub(crate) end_place: Option<Place>,
    /// Bytes of the tar.
    pub(crate) tar_len: u64,
    pub(crate) stored: bool,
}

impl Index {
    /// The entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether it was in the file. If not, the whole archive had to be read for it.
    #[must_use]
    pub const fn is_stored(&self) -> bool {
        self.stored
    }

    /// Bytes of the tar, uncompressed.
    #[must_use]
    pub const fn tar_len(&self) -> u64 {
        self.tar_len
    }

    /// The entry of that name; the last one, if there are several, for that is what extracting the
    /// archive would leave. `./` before a name and `/` behind it don't matter.
    #[must_use]
    pub fn find(&self, path: impl AsRef<std::path::Path>) -> Option<&Entry> {
        self.position(path.as_ref().as_os_str().as_encoded_bytes()).map(|i| &self.entries[i])
    }

    pub(crate) fn position(&self, path: &[u8]) -> Option<usize> {
        let path = trimmed(path);
        self.entries.iter().rposition(|entry| trimmed(&entry.path) == path)
    }

    /// Where in the file the last block begins that an entry needs.
    pub(crate) fn last_block(&self, i: usize) -> Option<u64> {
        let end = match self.entries.get(i + 1) {
            Some(next) => next.place,
            None => self.end_place,
        }?;
        Some(if end.within == 0 { end.block.saturating_sub(1) } else { end.block })
    }
}

/// Reads the index at the end of a file. `None` if it has none; an error if it has one that is
/// damaged.
pub(crate) fn load<R: Read + Seek>(file: &mut R) -> Result<Option<Index>> {
    let Some((footer, footer_at)) = load_footer(file)? else { return Ok(None) };
    let len = footer_at - footer.index_start;
    file.seek(SeekFrom::Start(footer.index_start))?;
    let mut bytes = Vec::new();
    file.take(len).read_to_end(&mut bytes)?;
    let raw = members::unpack(&bytes, &footer)?;
    let entries = record::decode(&raw, &footer)?;
    Ok(Some(Index {
        entries,
        end: footer.end,
        end_place: Some(footer.end_place),
        tar_len: footer.tar_len,
        stored: true,
    }))
}

/// The footer, and where its member begins.
fn load_footer<R: Read + Seek>(file: &mut R) -> Result<Option<(Footer, u64)>> {
    const TAIL: usize = FOOTER_LEN + END_MARKER.len();
    let len = file.seek(SeekFrom::End(0))?;
    let Some(at) = len.checked_sub(TAIL as u64) else { return Ok(None) };
    file.seek(SeekFrom::Start(at))?;
    let mut tail = [0; TAIL];
    file.read_exact(&mut tail)?;
    let (member, marker) = tail.split_at(FOOTER_LEN);
    if marker != END_MARKER {
        return Ok(None);
    }
    match footer::decode(member) {
        None => Ok(None),
        Some(Err(what)) => Err(Error::index(what)),
        Some(Ok(footer)) if footer.index_start > at || footer.end_place.block > at => {
            Err(Error::index("it says that it begins behind its end"))
        }
        Some(Ok(footer)) => Ok(Some((footer, at))),
    }
}

pub(crate) fn fuzz(bytes: &[u8]) {
    let footer = Footer {
        index_start: 0,
        entries: 1000,
        raw_len: bytes.len() as u64,
        raw_crc: 0,
        tar_len: u64::MAX >> 1,
        end: u64::MAX >> 2,
        end_place: Place { block: u64::MAX >> 1, within: 0 },
    };
    let _ = record::decode(bytes, &footer);
    let _ = members::unpack(bytes, &footer);
    let _ = footer::decode(bytes);
    let _ = load(&mut std::io::Cursor::new(bytes));
}
