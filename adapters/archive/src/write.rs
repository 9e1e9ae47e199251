//! Writing archives.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use tar::{EntryType, Header};

use crate::checksum::Checksum;
use crate::gzip::Place;
use crate::index::IndexBuilder;
use crate::{ArchiveOptions, Entry, EntryKind, Error, GzWriter, Result};

/// Writes a tar.gz that everybody reads, with an index that [`ArchiveReader`](crate::ArchiveReader)
/// finds.
///
/// Entries are added one after the other; the `append_` methods return when the entry is taken, not when it
/// is written. [`finish`](Self::finish) it: an archive that was not is one that was interrupted, and
/// can be [resumed](Self::resume). [`TreeWriter`](crate::TreeWriter) adds what is on disk.
///
/// Memory: that of a [`GzWriter`], and some 20 bytes for each entry.
#[derive(Debug)]
#[must_use = "an archive that is not finished has no index and looks cut off"]
pub struct ArchiveWriter<W: Write> {
    builder: TarBuilder<W>,
    index: IndexBuilder,
    /// Entries whose place in the file is not known yet.
    waiting: VecDeque<Entry>,
    entries: u64,
}

/// The tar crate's builder, printable.
struct TarBuilder<W: Write>(tar::Builder<TarStream<W>>);

impl<W: Write> std::fmt::Debug for TarBuilder<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("tar::Builder")
    }
}

/// What the builder writes to.
pub(crate) struct TarStream<W: Write> {
    gzip: GzWriter<W>,
    crc: Checksum,
}

impl<W: Write> Write for TarStream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.gzip.write(bytes)?;
        self.crc.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.gzip.flush()
    }
}

/// Bytes of a link's target that a header has room for.
const LINK_LEN: usize = 100;

/// What an entry is made of, besides its name.
pub(crate) struct Parts<'a> {
    /// Boxed, for the sake of small stacks.
    pub(crate) header: Box<Header>,
    pub(crate) link: Option<&'a Path>,
    /// Keys and values of a PAX header before it.
    pub(crate) pax: Vec<(String, Vec<u8>)>,
    /// Bytes between the header and the contents.
    pub(crate) sparse_map: Vec<u8>,
    /// Bytes of contents, holes included.
    pub(crate) size: u64,
    /// Bytes of contents in the tar.
    pub(crate) stored: u64,
    /// The time of the last change, where the header has no way to say it.
    pub(crate) mtime: Option<i64>,
}

impl ArchiveOptions {
    /// A writer of a new archive.
    ///
    /// # Errors
    ///
    /// As [`GzOptions::writer`](crate::GzOptions::writer).
    pub fn writer<W: Write>(&self, inner: W) -> Result<ArchiveWriter<W>> {
        ArchiveWriter::with_writer(self.gzip.writer(inner)?)
    }
}

impl<W: Write> ArchiveWriter<W> {
    /// An archive with the default [`ArchiveOptions`].
    ///
    /// # Errors
    ///
    /// As [`ArchiveOptions::writer`].
    pub fn new(inner: W) -> Result<Self> {
        ArchiveOptions::new().writer(inner)
    }

    pub(crate) fn with_writer(gzip: GzWriter<W>) -> Result<Self> {
        let stream = TarStream { gzip, crc: Checksum::default() };
        Ok(Self {
            builder: TarBuilder(tar::Builder::new(stream)),
            index: IndexBuilder::new()?,
            waiting: VecDeque::new(),
            entries: 0,
        })
    }

    /// Goes on behind entries that are in the file.
    pub(crate) fn adopt(&mut self, entries: &[Entry]) -> Result<()> {
        self.entries += entries.len() as u64;
        entries.iter().try_for_each(|entry| self.index.push(entry))
    }

    /// Bytes of the tar so far.
    #[must_use]
    pub fn tar_len(&self) -> u64 {
        self.builder.0.get_ref().gzip.position()
    }

    /// Entries so far.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Adds a file of these bytes, which everybody may read, last changed at the beginning of 1970.
    ///
    /// # Errors
    ///
    /// As [`append_data`](Self::append_data).
    pub fn append_bytes(&mut self, path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
        let mut header = Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        self.append_data(header, path, bytes)
    }

    /// Adds an entry with a header of your own, whose size says how many bytes of `data` follow. The
    /// name and the checksum of the header are filled in.
    ///
    /// # Errors
    ///
    /// Those of what is written to, after which nothing can follow; [`Error::Entry`] for a name that is
    /// absolute or has `..` in it. If `data` is shorter or can't be read, zeros take the place of
    /// what is missing, and the error says so; the archive is whole, and others can follow.
    pub fn append_data(
        &mut self,
        header: Header,
        path: impl AsRef<Path>,
        mut data: impl Read,
    ) -> Result<()> {
        let path = path.as_ref();
        let name = path.as_os_str().as_encoded_bytes();
        let kind = EntryKind::from_byte(header.entry_type().as_byte());
        let wrong = |error: io::Error| Error::entry_from(name, "its header is wrong", error);
        let size = if kind.has_data() { header.entry_size().map_err(wrong)? } else { 0 };
        let link = header.link_name().map_err(wrong)?.map(std::borrow::Cow::into_owned);
        let parts = Parts {
            header: Box::new(header),
            link: link.as_deref(),
            pax: Vec::new(),
            sparse_map: Vec::new(),
            size,
            stored: size,
            mtime: None,
        };
        self.append_parts(path, parts, |stream| stream.copy(&mut data, size))
    }

    /// Adds a symbolic or hard link. `header` says which, if it is not to be a symbolic one.
    ///
    /// # Errors
    ///
    /// As [`append_data`](Self::append_data).
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
        let parts = Parts {
            header: Box::new(header),
            link: Some(target.as_ref()),
            pax: Vec::new(),
            sparse_map: Vec::new(),
            size: 0,
            stored: 0,
            mtime: None,
        };
        self.append_parts(path.as_ref(), parts, |_| Ok(0))
    }

    /// Adds an entry; `write` writes its contents and gives their number of bytes.
    pub(crate) fn append_parts(
        &mut self,
        path: &Path,
        mut parts: Parts<'_>,
        write: impl FnOnce(&mut TarStream<W>) -> Result<u64>,
    ) -> Result<()> {
        let path = &tidy(path);
        let name = path.as_os_str().as_encoded_bytes();
        // The builder would only find out when it has begun.
        parts.header.clone().set_path(path).or_else(|error| {
            let long = name.len() >= 100 && !has_forbidden_parts(path);
            if long {
                Ok(())
            } else {
                Err(Error::entry_from(name, "its name can't be in an archive", error))
            }
        })?;
        fill_blanks(&mut parts.header);
        let start = self.tar_len();
        let stream = self.builder.0.get_mut();
        stream.gzip.mark();
        stream.crc = Checksum::default();

        let mut header = parts.header;
        let mut pax: Vec<_> =
            parts.pax.iter().map(|(key, value)| (key.as_str(), value.as_slice())).collect();
        if let Some(target) = parts.link {
            // Not the builder's way, GNU's `K`: libarchive takes a symbolic link for a hard one then.
            let target = target.as_os_str().as_encoded_bytes();
            if target.len() > LINK_LEN {
                pax.push(("linkpath", target));
            }
            header.set_link_name_literal(&target[..target.len().min(LINK_LEN)])?;
        }
        self.builder.0.append_pax_extensions(pax)?;
        self.builder.0.append_data(&mut header, path, io::empty())?;
        let stream = self.builder.0.get_mut();
        stream.write_all(&parts.sparse_map)?;
        let header_len = stream.gzip.position() - start;
        let written = write(stream);
        if let Err(error) = &written
            && stream.gzip.has_failed()
        {
            return Err(error.clone());
        }
        let missing = match &written {
            Ok(n) => parts.stored - n,
            Err(_) => start + header_len + parts.stored - stream.gzip.position(),
        };
        let padding = parts.stored.next_multiple_of(512) - parts.stored;
        stream.write_zeros(missing + padding)?;

        self.entries += 1;
        self.waiting.push_back(Entry {
            path: name.into(),
            link: parts.link.map_or(&[][..], |link| link.as_os_str().as_encoded_bytes()).into(),
            kind: EntryKind::from_byte(header.entry_type().as_byte()),
            size: parts.size,
            mode: header.mode()? & 0o7777,
            mtime: parts.mtime.map_or_else(|| Ok(header.mtime()?.cast_signed()), io::Result::Ok)?,
            uid: header.uid()?,
            gid: header.gid()?,
            start,
            tar_len: stream.gzip.position() - start,
            header_len,
            checksum: stream.crc.sum(),
            place: None,
            details: None,
        });
        self.index_found()?;
        let zeros = format!("its last {missing} bytes are zeros in the archive");
        match written {
            Err(error) => Err(Error::entry_from(name, zeros, error)),
            Ok(_) if missing > 0 => {
                Err(Error::entry(name, format!("it is shorter than it was said to be; {zeros}")))
            }
            Ok(_) => Ok(()),
        }
    }

    /// Puts entries into the index whose blocks are written.
    fn index_found(&mut self) -> Result<()> {
        let gzip = &mut self.builder.0.get_mut().gzip;
        while !self.waiting.is_empty()
            && let Some(place) = gzip.found()
            && let Some(mut entry) = self.waiting.pop_front()
        {
            entry.place = Some(place);
            self.index.push(&entry)?;
        }
        Ok(())
    }

    /// Has all entries so far written, so that a reader at the other end of a pipe or socket gets
    /// them. Often, it costs ratio.
    ///
    /// # Errors
    ///
    /// Those of what is written to.
    pub fn flush(&mut self) -> Result<()> {
        self.builder.0.get_mut().flush()?;
        self.index_found()
    }

    /// Writes the end of the tar, the index and the end marker, and gives back what was written to.
    ///
    /// # Errors
    ///
    /// Those of what is written to.
    pub fn finish(mut self) -> Result<W> {
        let end = self.tar_len();
        self.builder.0.get_mut().gzip.mark();
        let stream = self.builder.0;
        let mut gzip = stream.into_inner()?.gzip;
        let tar_len = gzip.position();
        gzip.drain()?;
        for mut entry in self.waiting {
            entry.place = gzip.found();
            self.index.push(&entry)?;
        }
        let end_place: Place = gzip.found().unwrap_or_default();
        let members = self.index.finish(gzip.file_position(), tar_len, end, end_place)?;
        gzip.write_file(&members)?;
        gzip.finish()
    }
}

impl<W: Write> TarStream<W> {
    /// Copies `len` bytes; gives how many there were.
    pub(crate) fn copy(&mut self, data: &mut impl Read, len: u64) -> Result<u64> {
        let crc = &mut self.crc;
        Ok(self.gzip.copy_from(data, len, |bytes| crc.update(bytes))?)
    }

    fn write_zeros(&mut self, mut len: u64) -> io::Result<()> {
        static ZEROS: [u8; 4096] = [0; 4096];
        while len > 0 {
            let step = len.min(ZEROS.len() as u64);
            self.write_all(&ZEROS[..step as usize])?;
            len -= step;
        }
        Ok(())
    }
}

/// The name as the builder writes it, so that the index has the same: without `.` and doubled slashes.
fn tidy(path: &Path) -> PathBuf {
    let parts = path.components().filter(|part| !matches!(part, Component::CurDir));
    let mut tidy: PathBuf = parts.collect();
    if tidy.as_os_str().is_empty() && !path.as_os_str().is_empty() {
        tidy.push(".");
    }
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        tidy.push("");
    }
    tidy
}

/// Numbers that were not set: not every reader takes a blank for 0.
fn fill_blanks(header: &mut Header) {
    if header.mode().is_err() {
        header.set_mode(0o644);
    }
    if header.mtime().is_err() {
        header.set_mtime(0);
    }
    if header.uid().is_err() {
        header.set_uid(0);
    }
    if header.gid().is_err() {
        header.set_gid(0);
    }
}

fn has_forbidden_parts(path: &Path) -> bool {
    path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir))
}
