//! The index of entries and its location in the file. docs/archive-index.md specifies the format.

mod footer;
mod inside;
mod member;
mod members;
mod record;

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

use uadk_compress::{Format, Level, SoftwareCompressor};

use crate::entry::trimmed;
use crate::gzip::{
    END_MARKER, MAX_DEFLATED, Place, STORED_HEADER_LEN, Segments, Source, TRAILER_LEN,
};
use crate::{Entry, EntryKind, Error, GzOptions, Result};
pub(crate) use footer::{Footer, MEMBER_LEN as FOOTER_LEN};
pub(crate) use inside::FOOTER_LEN as INSIDE_FOOTER_LEN;
use inside::Footer as InsideFooter;
pub(crate) use members::IndexBuilder;

/// The entries of an archive, in archive order.
///
/// ```
/// use std::io::Cursor;
/// use uadk_compress_archive::{ArchiveReader, ArchiveWriter, Entry};
///
/// let mut archive = ArchiveWriter::new(Vec::new())?;
/// archive.append_bytes("a.txt", b"one")?;
/// archive.append_bytes("b.txt", b"three")?;
///
/// let mut archive = ArchiveReader::new(Cursor::new(archive.finish()?))?;
/// let index = archive.index()?;
/// assert!(index.is_stored());
/// assert_eq!(index.entries().len(), 2);
/// assert_eq!(index.find("./b.txt").map(Entry::size), Some(5));
/// # Ok::<(), uadk_compress_archive::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    pub(crate) entries: Vec<Entry>,
    /// Offset in the tar of the zeros that end it.
    pub(crate) end: u64,
    /// Their place in the file.
    pub(crate) end_place: Option<Place>,
    /// Bytes of the tar.
    pub(crate) tar_len: u64,
    pub(crate) stored: bool,
    /// The segments of the tar, if it is in one member.
    pub(crate) segments: Option<Arc<Segments>>,
}

impl Index {
    /// Returns the entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns whether the index was stored in the file. If not, the whole archive was read to
    /// build it.
    #[must_use]
    pub const fn is_stored(&self) -> bool {
        self.stored
    }

    /// Returns the number of bytes of the uncompressed tar.
    #[must_use]
    pub const fn tar_len(&self) -> u64 {
        self.tar_len
    }

    /// Returns the entry with this name. If there are several, returns the last one, which
    /// extraction leaves on disk. A leading `./` and a trailing `/` don't matter.
    #[must_use]
    pub fn find(&self, path: impl AsRef<std::path::Path>) -> Option<&Entry> {
        self.position(path.as_ref().as_os_str().as_encoded_bytes()).map(|i| &self.entries[i])
    }

    pub(crate) fn position(&self, path: &[u8]) -> Option<usize> {
        let path = trimmed(path);
        self.entries.iter().rposition(|entry| trimmed(&entry.path) == path)
    }

    /// Returns the entry before entry `i`, if the former is a hard link.
    pub(crate) fn hard_link_before(&self, i: usize) -> Option<&Entry> {
        let before = self.entries.get(i.checked_sub(1)?)?;
        (before.kind == EntryKind::HardLink).then_some(before)
    }

    /// Returns the file offset of the last block that an entry needs.
    pub(crate) fn last_block(&self, i: usize) -> Option<u64> {
        let end = match self.entries.get(i + 1) {
            Some(next) => next.place,
            None => self.end_place,
        }?;
        Some(if end.within == 0 { end.block.saturating_sub(1) } else { end.block })
    }
}

/// Bytes after the data of an index inside the stream: its footer, in a stored block, and the
/// trailer of the member.
pub(crate) const INSIDE_END: usize = STORED_HEADER_LEN + inside::FOOTER_LEN + TRAILER_LEN;

/// Reads the index at the end of a file. Returns `None` if there is none, and an error if it is
/// damaged.
pub(crate) fn load<R: Read + Seek>(file: &mut R) -> Result<Option<Index>> {
    match load_inside(file)? {
        None => load_members(file),
        index => Ok(index),
    }
}

/// Returns the length of the tar in a stream of `data_len` bytes that ends in `tail`, if `tail` is
/// the footer of an index.
pub(crate) fn tar_len_before(tail: &[u8], data_len: u64) -> Option<u64> {
    let footer = InsideFooter::decode(tail)?.ok()?;
    let after = inside::wrapped_len(footer.packed_len).checked_add(INSIDE_FOOTER_LEN as u64)?;
    (footer.tar_len.checked_add(after)? == data_len).then_some(footer.tar_len)
}

/// Skips the end of a tar: zeros, which are passed to `inspect`, and an index. Returns the block
/// that follows, which is empty if there is none.
pub(crate) fn skip_end(
    input: &mut impl Read,
    mut inspect: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<Vec<u8>> {
    let mut block = Vec::new();
    loop {
        block.clear();
        input.by_ref().take(inside::BLOCK as u64).read_to_end(&mut block)?;
        if let Some(len) = inside::piece_len(&block) {
            io::copy(&mut input.by_ref().take(len), &mut io::sink())?;
        } else if block.is_empty() || block.iter().any(|byte| *byte != 0) {
            return Ok(block);
        } else {
            inspect(&block)?;
        }
    }
}

/// Reads an index inside the stream.
fn load_inside<R: Read + Seek>(file: &mut R) -> Result<Option<Index>> {
    let len = file.seek(SeekFrom::End(0))?;
    let Some(at) = len.checked_sub(INSIDE_END as u64) else { return Ok(None) };
    file.seek(SeekFrom::Start(at))?;
    let mut tail = [0; INSIDE_END];
    file.read_exact(&mut tail)?;
    let footer = match InsideFooter::decode(&tail[STORED_HEADER_LEN..][..inside::FOOTER_LEN]) {
        None => return Ok(None),
        Some(footer) => footer.map_err(Error::index)?,
    };
    // Something, maybe another archive, was prepended to the archive.
    if footer.file_len != len {
        return Ok(None);
    }
    let Some(compressed_len) = at.checked_sub(footer.index_start) else {
        return Err(Error::index("it starts after its own end"));
    };
    // Packed data hardly shrinks when it is compressed again.
    if footer.packed_len > 2 * compressed_len + (1 << 10) {
        return Err(Error::index("implausible length"));
    }
    check_sizes(footer.raw_len, footer.packed_len, footer.tar_len, footer.index_start)?;
    let packed_len = footer.packed_len as usize;
    let damaged = || Error::index("damaged segments");
    let wrapped = inflate(file, &footer, damaged)?;
    let packed = inside::unwrap(wrapped, packed_len).ok_or_else(damaged)?;
    let raw = members::unpack_pieces(&packed, footer.raw_len, footer.raw_crc)?;
    let records_len = footer.records_len as usize;
    let segments = record::decode_segments(&raw[records_len..], footer.data_start)
        .filter(|segments| segments.end() == Some((footer.index_start, footer.tar_len)))
        .ok_or_else(|| Error::index("inconsistent table of segments"))?;
    let places = record::Places::Segments(segments.ahead());
    let expected = record::Expected { entries: footer.entries, end: footer.end, places };
    let entries = record::decode(&raw[..records_len], expected)?;
    Ok(Some(Index {
        entries,
        end: footer.end,
        end_place: segments.place(footer.end),
        tar_len: footer.tar_len,
        stored: true,
        segments: Some(Arc::new(segments)),
    }))
}

/// Inflates the wrapped index piece by piece, and no more bytes than the footer declares.
fn inflate<R: Read + Seek>(
    file: &mut R,
    footer: &InsideFooter,
    damaged: impl Fn() -> Error,
) -> Result<Vec<u8>> {
    let software = SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED);
    let software = Arc::new(software.map_err(Error::Compressor)?);
    let options = GzOptions::new().threads(1).compressor(software);
    let mut reader = options.reader_of(Source::new(file))?;
    reader.seek_to(Place { block: footer.index_start, within: 0 }, footer.tar_len)?;
    let mut wrapped = Vec::new();
    let read = reader.take(inside::wrapped_len(footer.packed_len)).read_to_end(&mut wrapped);
    read.map_err(|error| match Error::from(error) {
        Error::Io(error) => Error::Io(error),
        _ => damaged(),
    })?;
    Ok(wrapped)
}

/// Checks that an index of `raw_len` bytes can be packed into `packed_len` bytes, and a tar of
/// `tar_len` bytes into `file_len`. A few bytes could otherwise claim more than fits in memory.
fn check_sizes(raw_len: u64, packed_len: u64, tar_len: u64, file_len: u64) -> Result<()> {
    /// Maximum ratio: a packed record is never shorter than the checksum in it.
    const MAX_PACKED: u64 = 64;
    let is_possible = raw_len <= packed_len.saturating_mul(MAX_PACKED).saturating_add(1 << 20)
        && tar_len <= file_len.saturating_mul(MAX_DEFLATED);
    if is_possible { Ok(()) } else { Err(Error::index("implausible length")) }
}

/// Reads an index in members of block gzip.
fn load_members<R: Read + Seek>(file: &mut R) -> Result<Option<Index>> {
    let Some((footer, footer_at)) = load_footer(file)? else { return Ok(None) };
    let len = footer_at - footer.index_start;
    check_sizes(footer.raw_len, len, footer.tar_len, footer.index_start)?;
    file.seek(SeekFrom::Start(footer.index_start))?;
    let raw = members::unpack(BufReader::new(file.take(len)), &footer)?;
    let entries = record::decode(&raw, footer.expected())?;
    Ok(Some(Index {
        entries,
        end: footer.end,
        end_place: Some(footer.end_place),
        tar_len: footer.tar_len,
        stored: true,
        segments: None,
    }))
}

/// Reads the footer, and returns it with the offset of its member.
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
        Some(Ok(footer))
            if footer.index_start > at || footer.end_place.block > footer.index_start =>
        {
            Err(Error::index("it starts after its own end"))
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
    let _ = record::decode(bytes, footer.expected());
    let _ = InsideFooter::decode(bytes);
    let _ = inside::unwrap(bytes.to_vec(), bytes.len() / 2);
    let _ = members::unpack_pieces(bytes, bytes.len() as u64, 0);
    if let Some(segments) = record::decode_segments(bytes, 10) {
        let places = record::Places::Segments(segments.ahead());
        let _ = record::decode(bytes, record::Expected { entries: 9, end: 1 << 20, places });
    }
    let _ = members::unpack(bytes, &footer);
    let _ = footer::decode(bytes);
    let _ = load(&mut std::io::Cursor::new(bytes));
}
