//! Writing archives.

mod plain;
mod stream;

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

use tar::{EntryType, Header};

use crate::checksum::Checksum;
use crate::gzip::{Layout, Place};
use crate::header::Fields;
use crate::index::{INSIDE_END, IndexBuilder};
use crate::{ArchiveOptions, Entry, EntryKind, Error, GzWriter, Result};
pub(crate) use plain::PlainWriter;
pub(crate) use stream::{Sink, TarStream};

/// Writes a tar.gz that any reader can read, with an index for
/// [`ArchiveReader`](crate::ArchiveReader); or, on request, [plain](ArchiveOptions::plain) tar.
///
/// Entries are added one after another. The `append_` methods return when the entry is queued, not
/// when it is written. Call [`finish`](Self::finish) at the end: an unfinished archive counts as
/// interrupted and can be [resumed](Self::resume). [`TreeWriter`](crate::TreeWriter) adds files
/// from disk.
///
/// Memory: that of a [`GzWriter`], plus about 20 bytes per entry.
///
/// ```
/// use uadk_compress_archive::ArchiveWriter;
/// use uadk_compress_archive::tar::Header;
///
/// let mut archive = ArchiveWriter::new(Vec::new())?;
/// archive.append_bytes("notes.txt", b"remember the milk")?;
/// let script = b"#!/bin/sh\n";
/// let mut header = Header::new_gnu();
/// header.set_mode(0o755);
/// header.set_size(script.len() as u64);
/// archive.append_data(header, "run.sh", &script[..])?;
/// assert_eq!(archive.entries(), 2);
/// let file = archive.finish()?;
/// # Ok::<(), uadk_compress_archive::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "an unfinished archive has no index and looks truncated"]
pub struct ArchiveWriter<W: Write> {
    stream: TarStream<W>,
    /// `None` for plain tar.
    index: Option<IndexBuilder>,
    /// Entries whose place in the file is not known yet.
    waiting: VecDeque<Entry>,
    entries: u64,
}

/// Bytes of zeros that end a tar.
const END_LEN: u64 = 1024;

/// The parts of an entry, besides its name.
pub(crate) struct Parts {
    /// Boxed because stacks may be small.
    pub(crate) fields: Box<Fields>,
    /// Bytes of contents, holes included.
    pub(crate) size: u64,
    /// Bytes of contents in the tar.
    pub(crate) stored: u64,
    /// The map of a sparse file, stored in whole blocks before its contents.
    pub(crate) sparse_map: Option<Vec<u8>>,
}

impl ArchiveOptions {
    /// Creates a writer of a new archive.
    ///
    /// # Errors
    ///
    /// See [`GzOptions::writer`](crate::GzOptions::writer).
    pub fn writer<W: Write>(&self, inner: W) -> Result<ArchiveWriter<W>> {
        if self.plain {
            return ArchiveWriter::with_sink(Sink::Plain(PlainWriter::new(inner, 0)));
        }
        ArchiveWriter::with_sink(Sink::Gzip(Box::new(self.gzip.writer(inner)?)))
    }
}

impl<W: Write> ArchiveWriter<W> {
    /// Creates an archive with the default [`ArchiveOptions`].
    ///
    /// # Errors
    ///
    /// See [`ArchiveOptions::writer`].
    pub fn new(inner: W) -> Result<Self> {
        ArchiveOptions::new().writer(inner)
    }

    pub(crate) fn with_sink(sink: Sink<W>) -> Result<Self> {
        let index = match &sink {
            Sink::Gzip(gzip) => Some(IndexBuilder::new(gzip.layout())?),
            Sink::Plain(_) => None,
        };
        let stream = TarStream::new(sink);
        Ok(Self { stream, index, waiting: VecDeque::new(), entries: 0 })
    }

    /// Continues after entries that are already in the file.
    pub(crate) fn adopt(&mut self, entries: &[Entry]) -> Result<()> {
        self.entries += entries.len() as u64;
        let Some(index) = &mut self.index else { return Ok(()) };
        entries.iter().try_for_each(|entry| index.push(entry))
    }

    /// Returns the number of bytes of the tar so far.
    #[must_use]
    pub fn tar_len(&self) -> u64 {
        self.stream.sink.position()
    }

    /// Returns the number of entries so far.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Adds a file with these contents, mode 0644 and modification time 0 (the beginning of 1970).
    ///
    /// # Errors
    ///
    /// See [`append_data`](Self::append_data).
    pub fn append_bytes(&mut self, path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
        let mut header = Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        self.append_data(header, path, bytes)
    }

    /// Adds an entry with a caller-provided header, whose size is the number of bytes of `data`.
    /// The header is written in POSIX format, with the name and the checksum filled in; values that
    /// don't fit are written to an extended header before it.
    ///
    /// # Errors
    ///
    /// Those of the underlying writer, after which nothing can be added; [`Error::Entry`] for a
    /// name that is absolute or contains `..`. If `data` is shorter or can't be read, zeros replace
    /// the missing bytes, and the error says so. The archive stays intact, and more entries can be
    /// added.
    #[expect(clippy::needless_pass_by_value, reason = "callers don't need it afterwards")]
    pub fn append_data(
        &mut self,
        header: Header,
        path: impl AsRef<Path>,
        mut data: impl Read,
    ) -> Result<()> {
        let path = path.as_ref();
        let name = path.as_os_str().as_encoded_bytes();
        let (fields, size) = Fields::from_header(&header)
            .map_err(|error| error.for_entry(name, "can't be added"))?;
        let parts = Parts { fields: Box::new(fields), size, stored: size, sparse_map: None };
        let missing = self.append_parts(path, parts, |stream| stream.copy(&mut data, size))?;
        if missing > 0 {
            let zeros = zeros_for(missing);
            return Err(Error::entry(name, format!("shorter than its header says; {zeros}")));
        }
        Ok(())
    }

    /// Adds a link: a hard link if `header` is that of one, a symbolic link otherwise.
    ///
    /// # Errors
    ///
    /// See [`append_data`](Self::append_data).
    pub fn append_link(
        &mut self,
        mut header: Header,
        path: impl AsRef<Path>,
        target: impl AsRef<Path>,
    ) -> Result<()> {
        if !header.entry_type().is_hard_link() {
            header.set_entry_type(EntryType::Symlink);
        }
        header.set_size(0);
        let (mut fields, _) = Fields::from_header(&header)?;
        fields.link = target.as_ref().as_os_str().as_encoded_bytes().to_vec();
        let parts = Parts { fields: Box::new(fields), size: 0, stored: 0, sparse_map: None };
        self.append_parts(path.as_ref(), parts, |_| Ok(0)).map(drop)
    }

    /// Adds an entry; `write` writes its contents and returns their length. Zeros replace missing
    /// bytes. Returns their number.
    pub(crate) fn append_parts(
        &mut self,
        path: &Path,
        parts: Parts,
        write: impl FnOnce(&mut TarStream<W>) -> Result<u64>,
    ) -> Result<u64> {
        let Parts { mut fields, size, stored, sparse_map } = parts;
        let path = &tidy(path);
        let name = path.as_os_str().as_encoded_bytes();
        if let Some(reason) = reject_reason(path, &fields.link) {
            return Err(Error::entry(name, format!("can't be archived: {reason}")));
        }
        if fields.uid.max(fields.gid) > u64::from(u32::MAX) {
            let owner = format!("the owner {}:{} is out of range", fields.uid, fields.gid);
            return Err(Error::entry(name, format!("can't be archived: {owner}")));
        }
        let mut kind = EntryKind::from_byte(fields.kind);
        if kind == EntryKind::File && name.ends_with(b"/") {
            // Readers take it for a directory.
            if size > 0 {
                return Err(Error::entry(name, "the name of a file can't end in /"));
            }
            kind = EntryKind::Directory;
            fields.kind = kind.byte();
        }
        if !matches!(kind, EntryKind::HardLink | EntryKind::Symlink) {
            fields.link.clear();
        }
        let start = self.tar_len();
        let stream = &mut self.stream;
        stream.sink.mark();
        stream.crc = Checksum::default();
        let mut headers = match &sparse_map {
            Some(map) => fields.encode_sparse(name, map.len() as u64 + stored, size),
            None => fields.encode(name, stored),
        };
        headers.extend(sparse_map.unwrap_or_default());
        stream.write_all(&headers)?;
        let header_len = headers.len() as u64;
        let written = write(stream);
        if let Err(error) = &written
            && stream.sink.has_failed()
        {
            return Err(error.clone());
        }
        let missing = match &written {
            Ok(n) => stored - n,
            Err(_) => start + header_len + stored - stream.sink.position(),
        };
        let padding = stored.next_multiple_of(512) - stored;
        stream.write_zeros(missing + padding)?;

        self.entries += 1;
        self.waiting.push_back(Entry {
            path: name.into(),
            link: fields.link.into(),
            kind,
            size,
            mode: fields.mode,
            mtime: fields.mtime.seconds,
            uid: fields.uid,
            gid: fields.gid,
            start,
            tar_len: stream.sink.position() - start,
            header_len,
            checksum: stream.crc.sum(),
            place: None,
            details: None,
        });
        self.index_found()?;
        match written {
            Err(error) => Err(Error::entry_from(name, zeros_for(missing), error)),
            Ok(_) => Ok(missing),
        }
    }

    /// Adds entries to the index; in block gzip, those whose blocks have been written.
    fn index_found(&mut self) -> Result<()> {
        let (Sink::Gzip(gzip), Some(index)) = (&mut self.stream.sink, &mut self.index) else {
            self.waiting.clear();
            return Ok(());
        };
        if gzip.layout() == Layout::OneMember {
            return self.waiting.drain(..).try_for_each(|entry| index.push(&entry));
        }
        while !self.waiting.is_empty()
            && let Some(place) = gzip.pop_place()
            && let Some(mut entry) = self.waiting.pop_front()
        {
            entry.place = Some(place);
            index.push(&entry)?;
        }
        Ok(())
    }

    /// Writes all entries so far, so that a reader at the other end of a pipe or socket receives
    /// them. Frequent flushes cost compression ratio.
    ///
    /// # Errors
    ///
    /// Those of the underlying writer.
    pub fn flush(&mut self) -> Result<()> {
        self.stream.flush()?;
        self.index_found()
    }

    /// Writes the end of the tar, the index and the end of the file, and returns the underlying
    /// writer.
    ///
    /// # Errors
    ///
    /// Those of the underlying writer.
    pub fn finish(mut self) -> Result<W> {
        let end = self.tar_len();
        self.index_found()?;
        self.stream.sink.mark();
        self.stream.write_zeros(END_LEN)?;
        let (mut gzip, mut index) = match (self.stream.sink, self.index) {
            (Sink::Gzip(gzip), Some(index)) => (*gzip, index),
            (Sink::Gzip(gzip), None) => return gzip.finish(),
            (Sink::Plain(plain), _) => return Ok(plain.finish()?),
        };
        let tar_len = gzip.position();
        gzip.drain()?;
        match gzip.layout() {
            Layout::Bgzf => {
                for mut entry in self.waiting {
                    entry.place = gzip.pop_place();
                    index.push(&entry)?;
                }
                let end_place: Place = gzip.pop_place().unwrap_or_default();
                let members = index.finish(gzip.file_position(), tar_len, end, end_place)?;
                gzip.write_file(&members)?;
                gzip.finish()
            }
            Layout::OneMember => finish_inside(gzip, index, tar_len, end),
        }
    }
}

/// Writes the index of a complete tar, and the end of the file.
pub(crate) fn finish_inside<W: Write>(
    mut gzip: GzWriter<W>,
    index: IndexBuilder,
    tar_len: u64,
    end: u64,
) -> Result<W> {
    let (wrapped, mut footer) = index.finish_inside(gzip.segments(), tar_len, end)?;
    footer.index_start = gzip.file_position();
    gzip.write_all(&wrapped)?;
    gzip.drain()?;
    footer.file_len = gzip.file_position() + INSIDE_END as u64;
    gzip.finish_with_stored(&footer.encode())
}

/// Normalises a name: removes `.` components and doubled slashes, but keeps a leading `./`.
pub(crate) fn tidy(path: &Path) -> PathBuf {
    // `components` keeps `.` only at the beginning.
    let mut tidy: PathBuf = path.components().collect();
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        tidy.push("");
    }
    tidy
}

/// Returns the reason no entry can have this name and target; `None` if they are valid.
fn reject_reason(path: &Path, link: &[u8]) -> Option<&'static str> {
    let name = path.as_os_str().as_encoded_bytes();
    if name.is_empty() {
        return Some("its name is empty");
    }
    if name.contains(&0) || link.contains(&0) {
        return Some("its name or target contains a NUL byte");
    }
    path.components().find_map(|part| match part {
        Component::Normal(_) | Component::CurDir => None,
        Component::ParentDir => Some("its name contains .."),
        Component::RootDir | Component::Prefix(_) => Some("its name is absolute"),
    })
}

fn zeros_for(missing: u64) -> String {
    format!("its last {missing} bytes are zeros in the archive")
}
