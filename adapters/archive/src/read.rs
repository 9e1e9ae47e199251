//! Reading archives.

use std::io::{self, BufRead, Read, Seek};
use std::path::Path;

use crate::gzip::Place;
use crate::input::Input;
use crate::scan::{Head, Walker};
use crate::{ArchiveOptions, Entry, Error, GzWarning, Index, Inflated, Result, Warning, index};

/// Reads any tar, plain or compressed with gzip, zstd or xz, regardless of the file's name:
/// sequentially, or by name if the file is seekable.
///
/// With the index that [`ArchiveWriter`](crate::ArchiveWriter) writes, listing reads only the
/// index, and opening an entry reads only the entry's blocks. Without it, the first call of
/// [`index`](Self::index) or [`open`](Self::open) reads the whole archive once and builds an index
/// in memory.
///
/// ```
/// use uadk_compress_archive::{ArchiveReader, ArchiveWriter};
///
/// let mut archive = ArchiveWriter::new(Vec::new())?;
/// archive.append_bytes("a.txt", b"one")?;
/// archive.append_bytes("b.txt", b"three")?;
/// let file = archive.finish()?;
///
/// let mut archive = ArchiveReader::new(&file[..])?;
/// let mut names = Vec::new();
/// while let Some(entry) = archive.next_entry()? {
///     names.push(entry.entry().path().display().to_string());
/// }
/// assert_eq!(names, ["a.txt", "b.txt"]);
/// # Ok::<(), uadk_compress_archive::Error>(())
/// ```
#[derive(Debug)]
pub struct ArchiveReader<R> {
    /// Boxed because it is large and stacks may be small.
    pub(crate) walker: Box<Walker<Input<R>>>,
    index: Option<Index>,
    index_error: Option<Error>,
    /// The last bytes of the data after the end of the tar.
    tail: Vec<u8>,
}

/// An entry, with its contents as [`Read`]; holes read as zeros.
///
/// Contents that are not read are skipped.
///
/// ```
/// use std::io::{Cursor, Read};
/// use uadk_compress_archive::{ArchiveReader, ArchiveWriter};
///
/// let mut archive = ArchiveWriter::new(Vec::new())?;
/// archive.append_bytes("notes/today.txt", b"remember the milk")?;
///
/// let mut archive = ArchiveReader::new(Cursor::new(archive.finish()?))?;
/// let mut entry = archive.open("notes/today.txt")?;
/// assert_eq!(entry.entry().size(), 17);
/// let mut text = String::new();
/// entry.read_to_string(&mut text)?;
/// assert_eq!(text, "remember the milk");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct EntryReader<'a, R> {
    walker: &'a mut Walker<Input<R>>,
    head: Head,
    entry: Entry,
    /// The entry as the index describes it.
    expected: Option<Entry>,
    /// Bytes of contents returned so far.
    position: u64,
    /// Data segments of a sparse file that are done.
    segments_done: usize,
    finished: bool,
}

/// The next piece of a file's contents.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece<'a> {
    Data(&'a [u8]),
    Hole(u64),
    End,
}

impl ArchiveOptions {
    /// Creates a reader of any tar, plain or compressed with gzip, zstd or xz. Reads the first
    /// bytes to detect the format.
    ///
    /// # Errors
    ///
    /// Those of [`GzOptions::reader`](crate::GzOptions::reader) and of the file;
    /// [`Error::Unsupported`] for another known format, and [`Error::NotArchive`].
    pub fn reader<R: Read>(&self, inner: R) -> Result<ArchiveReader<R>> {
        let gzip = self.gzip.clone().trailing_garbage(true);
        Input::new(inner, self, &gzip).map(ArchiveReader::with_input)
    }

    /// Creates a reader that rejects archives that are truncated or followed by other data.
    pub(crate) fn strict_reader<R: Read>(&self, inner: R) -> Result<ArchiveReader<R>> {
        Input::new(inner, self, &self.gzip).map(ArchiveReader::with_input)
    }
}

impl<R: Read> ArchiveReader<R> {
    /// Creates a reader with the default [`ArchiveOptions`].
    ///
    /// # Errors
    ///
    /// See [`ArchiveOptions::reader`].
    pub fn new(inner: R) -> Result<Self> {
        ArchiveOptions::new().reader(inner)
    }

    // In a stack frame of its own, because its locals are large.
    #[inline(never)]
    fn with_input(input: Input<R>) -> Self {
        let walker = Box::new(Walker::new(input));
        Self { walker, index: None, index_error: None, tail: Vec::new() }
    }

    /// Returns the next entry in archive order. At the end, reads the data after the tar too,
    /// because gzip's checksum comes last, and returns `None`.
    ///
    /// # Errors
    ///
    /// Those of the file; an error if it is damaged or not a tar. No entry can follow then.
    pub fn next_entry(&mut self) -> Result<Option<EntryReader<'_, R>>> {
        self.walker.input_mut().end_after_block(None);
        self.walker.pass(Input::pass)?;
        self.walker.finish()?;
        let Some((head, entry)) = next(&mut self.walker)? else {
            self.skip_rest()?;
            if self.lacks_end() {
                self.walker.warn(Warning::notice(b"", self.walker.position(), NO_END));
            }
            return Ok(None);
        };
        Ok(Some(EntryReader::new(&mut self.walker, head, entry, None)))
    }

    /// Sets whether to continue after the zeros that end an archive: of concatenated archives, all
    /// entries are read, not only those of the first one.
    pub fn ignore_zeros(&mut self, ignore: bool) {
        self.walker.ignore_zeros(ignore);
    }

    /// Returns the warnings since the last call: damaged attributes that were dropped and damaged
    /// headers that were skipped. Each warning is returned only once, even if its entry is read
    /// again.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        self.walker.take_warnings()
    }

    /// Reads the rest of the archive and returns its entries from here on.
    pub(crate) fn scan(&mut self) -> Result<Index> {
        let mut entries = Vec::new();
        let mut end_place = None;
        while let Some((_, mut entry)) = next(&mut self.walker)? {
            self.walker.pass(Input::pass)?;
            let tail = self.walker.finish()?;
            end_place = self.walker.input().place();
            (entry.tar_len, entry.checksum) = (tail.tar_len, tail.checksum);
            if self.walker.input().is_plain() {
                // Its contents may have been skipped by seeking.
                entry.checksum = 0;
            }
            entries.push(entry);
        }
        let end = entries.last().map_or(0, Entry::end);
        if entries.is_empty() && self.walker.input().place().is_some() {
            end_place = Some(Place::default());
        }
        // The rest must be intact too.
        let data_len = self.walker.position() + self.skip_rest()?;
        let input = self.walker.input();
        for entry in &mut entries {
            let begins = |place: &Place| entry.start.saturating_sub(u64::from(place.within));
            entry.place = entry.place.filter(|place| input.can_begin_at(begins(place)));
        }
        let tar_len = index::tar_len_before(&self.tail, data_len).unwrap_or(data_len);
        Ok(Index { entries, end, end_place, tar_len, stored: false, segments: None })
    }

    /// Reads or skips what follows the end of the tar. Returns its length and keeps its last bytes.
    fn skip_rest(&mut self) -> Result<u64> {
        self.tail.clear();
        let input = self.walker.input_mut();
        let unread = input.unread_len().saturating_sub(index::INSIDE_FOOTER_LEN as u64);
        let mut rest = input.pass(unread)?;
        loop {
            let has_ended = self.walker.ended();
            let input = self.walker.input_mut();
            let ready = match input.fill_buf().map(<[u8]>::len) {
                // The tar is complete: nothing is cut off.
                Err(_) if has_ended && input.lacks_end_marker() => return Ok(rest),
                ready => ready?,
            };
            let ready = &input.fill_buf()?[..ready];
            let n = ready.len();
            if n == 0 {
                return Ok(rest);
            }
            self.tail.extend(&ready[n.saturating_sub(index::INSIDE_FOOTER_LEN)..]);
            let excess = self.tail.len().saturating_sub(index::INSIDE_FOOTER_LEN);
            self.tail.drain(..excess);
            input.consume(n);
            rest += n as u64;
        }
    }

    /// Returns whether all of a plain tar has been read without finding an end-of-archive marker.
    pub(crate) fn lacks_end(&self) -> bool {
        self.walker.input().is_plain() && !self.walker.has_seen_zeros()
    }

    /// Returns warnings about oddities of the compressed file that did not prevent reading. The
    /// list is complete once everything has been read.
    #[must_use]
    pub fn gz_warnings(&self) -> &[GzWarning] {
        self.walker.input().warnings()
    }

    /// See [`crate::GzReader::inflated`].
    #[must_use]
    pub fn inflated(&self) -> Inflated {
        self.walker.input().inflated()
    }

    /// Returns the underlying reader.
    #[must_use]
    pub fn into_inner(self) -> R {
        self.walker.into_input().into_inner()
    }
}

/// Some writers omit the zeros. Nothing else marks the end of a plain tar.
pub(crate) const NO_END: &str =
    "the zeros that end a tar are missing: it may have been cut off between two entries";

/// Reads the next entry's headers, and records their location.
pub(crate) fn next<R: Read>(walker: &mut Walker<Input<R>>) -> Result<Option<(Head, Entry)>> {
    if walker.ended() {
        return Ok(None);
    }
    // The place is known once data has been read.
    walker.input_mut().fill_buf()?;
    let place = walker.input().place();
    Ok(walker.next()?.map(|head| {
        let entry = Entry::from_head(&head, place);
        (head, entry)
    }))
}

impl<R: Read + Seek> ArchiveReader<R> {
    /// Returns the archive's entries: from its index or, if it has none, by reading all of it.
    /// Then rewinds to the first entry.
    ///
    /// # Errors
    ///
    /// Those of the file. A damaged index is not used: see [`index_error`](Self::index_error).
    pub fn index(&mut self) -> Result<&Index> {
        self.load_index()?;
        match &self.index {
            Some(index) => Ok(index),
            None => Err(Error::index("could not be built")),
        }
    }

    fn load_index(&mut self) -> Result<()> {
        if !self.load_stored_index()? {
            let scanned = self.scan_all()?;
            if self.lacks_end() {
                self.walker.warn(Warning::notice(b"", self.walker.position(), NO_END));
            }
            self.index = Some(scanned);
        }
        self.rewind()
    }

    /// Loads the index stored in the file, and returns whether there is an intact one. From then on
    /// the archive is read on several threads, and no byte is returned before its checksum is
    /// verified, not even by [`next_entry`](Self::next_entry). Rewinds to the first entry.
    ///
    /// # Errors
    ///
    /// Those of the file. A damaged index is a [warning](Self::index_error).
    pub fn load_stored_index(&mut self) -> Result<bool> {
        if self.index.is_none() {
            match self.stored_index() {
                Ok(index) => self.index = index,
                Err(error @ Error::Index { .. }) => self.index_error = Some(error),
                Err(error) => return Err(error),
            }
            self.walker.input_mut().pass_by_seeking(true)?;
            self.rewind()?;
        }
        Ok(self.index.is_some())
    }

    /// Returns the reason the stored index is not used, if it is damaged and the archive was read
    /// without it.
    #[must_use]
    pub const fn index_error(&self) -> Option<&Error> {
        self.index_error.as_ref()
    }

    /// Reads the index stored in the file.
    pub(crate) fn stored_index(&mut self) -> Result<Option<Index>> {
        let Some(gzip) = self.walker.input_mut().gzip_mut() else { return Ok(None) };
        let index = gzip.with_inner(index::load)??;
        let segments = index.as_ref().and_then(|index| index.segments.clone());
        gzip.set_known_segments(segments);
        Ok(index)
    }

    /// Builds the index by reading the whole archive.
    pub(crate) fn scan_all(&mut self) -> Result<Index> {
        self.rewind()?;
        self.scan()
    }

    /// Rewinds to the first entry.
    ///
    /// # Errors
    ///
    /// Those of the file.
    pub fn rewind(&mut self) -> Result<()> {
        let input = self.walker.input_mut();
        input.end_after_block(None);
        input.seek_to(Some(Place::default()), 0)?;
        self.walker.restart(0);
        Ok(())
    }

    /// Opens the last entry of that name for reading. With an index, only its own blocks are read.
    /// In plain tar, the contents of other entries are skipped by seeking; zstd and xz are
    /// decompressed up to the entry.
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] if there is none; [`Error::Index`] if it is not where the index says.
    /// Reading the entry fails at its end if the checksum differs from that in the index.
    pub fn open(&mut self, path: impl AsRef<Path>) -> Result<EntryReader<'_, R>> {
        let name = path.as_ref().as_os_str().as_encoded_bytes();
        self.load_index()?;
        let found = self.index.as_ref().and_then(|index| index.position(name));
        self.open_nth(found.ok_or_else(|| Error::entry(name, "no such entry"))?)
    }

    /// Opens the entry at that position of the [`index`](Self::index) for reading.
    ///
    /// # Errors
    ///
    /// See [`open`](Self::open).
    pub fn open_nth(&mut self, n: usize) -> Result<EntryReader<'_, R>> {
        if self.index.is_none() {
            self.load_index()?;
        }
        let known = self.index.as_ref().and_then(|index| {
            index.entries.get(n).map(|entry| (Box::new(entry.clone()), index.last_block(n)))
        });
        let Some((expected, last_block)) = known else {
            return Err(Error::index(format!("no entry {n}")));
        };
        self.walker.input_mut().end_after_block(last_block);
        match self.find(n, &expected) {
            Ok(Some(found)) => Ok(EntryReader::from_index(&mut self.walker, found, expected)),
            Ok(None) => {
                let name = String::from_utf8_lossy(&expected.path);
                Err(Error::index(format!("{name} is elsewhere or does not match its record")))
            }
            Err(error) => Err(error.for_entry(&expected.path, "can't be read")),
        }
    }

    /// Finds an entry where the index says it is; `None` if a different one is there.
    fn find(&mut self, n: usize, expected: &Entry) -> Result<Option<Box<Found>>> {
        let fits = |found: &Found| {
            let (tar_len, checksum, place) = (expected.tar_len, expected.checksum, expected.place);
            Entry { tar_len, checksum, place, ..found.1.clone() } == *expected
        };
        let found = self.read_at(expected);
        if matches!(&found, Ok(Some(found)) if fits(found)) {
            return found;
        }
        let Some(link) = self.index.as_ref().and_then(|index| index.hard_link_before(n)) else {
            return found.map(|_| None);
        };
        // The link may have contents, which only its own headers tell.
        let link = Box::new(link.clone());
        self.read_at(&link)?;
        self.walker.finish()?;
        Ok(next(&mut self.walker)?.map(Box::new).filter(|found| fits(found)))
    }

    /// Reads the headers at the place where the index says the entry is.
    fn read_at(&mut self, expected: &Entry) -> Result<Option<Box<Found>>> {
        self.walker.input_mut().seek_to(expected.place, expected.start)?;
        self.walker.restart(expected.start);
        Ok(next(&mut self.walker)?.map(Box::new))
    }
}

/// The headers of an entry, parsed.
type Found = (Head, Entry);

impl<'a, R: Read> EntryReader<'a, R> {
    /// Creates a reader of an entry of the index. In a stack frame of its own, because it is large.
    #[inline(never)]
    #[allow(clippy::boxed_local, reason = "large values are passed in boxes")]
    fn from_index(
        walker: &'a mut Walker<Input<R>>,
        found: Box<Found>,
        expected: Box<Entry>,
    ) -> Self {
        let (head, entry) = *found;
        let expected = Some(*expected).filter(|_| !walker.input().is_plain());
        Self::new(walker, head, entry, expected)
    }

    fn new(
        walker: &'a mut Walker<Input<R>>,
        head: Head,
        entry: Entry,
        expected: Option<Entry>,
    ) -> Self {
        Self { walker, head, entry, expected, position: 0, segments_done: 0, finished: false }
    }

    /// Returns the entry's metadata.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    pub(crate) const fn head(&self) -> &Head {
        &self.head
    }

    /// Returns the next piece of the contents without consuming it.
    pub(crate) fn piece(&mut self) -> Result<Piece<'_>> {
        if let Some(unreadable) = &self.head.unreadable {
            return Err(Error::entry(&self.head.path, unreadable.what()));
        }
        let left_before_hole = match &self.head.sparse {
            None => u64::MAX,
            Some(segments) => {
                let range = |done: usize| segments.get(done).map(|s| (s.offset, s.offset + s.len));
                while let Some((_, end)) = range(self.segments_done)
                    && end <= self.position
                {
                    self.segments_done += 1;
                }
                match range(self.segments_done) {
                    Some((start, _)) if self.position < start => {
                        return Ok(Piece::Hole(start - self.position));
                    }
                    Some((_, end)) => end - self.position,
                    None if self.position < self.head.size => {
                        return Ok(Piece::Hole(self.head.size - self.position));
                    }
                    None => 0,
                }
            }
        };
        if left_before_hole == 0 || self.head.sparse.is_none() && self.position == self.head.size {
            self.finish()?;
            return Ok(Piece::End);
        }
        let data = self
            .walker
            .data()
            .map_err(|error| error.for_entry(&self.head.path, "can't be read"))?;
        let n = data.len().min(usize::try_from(left_before_hole).unwrap_or(usize::MAX));
        Ok(Piece::Data(&data[..n]))
    }

    /// Returns contents in the order of the tar without consuming them; empty at their end. For
    /// sparse files whose segments are stored in a different order.
    pub(crate) fn stored_data(&mut self) -> Result<&[u8]> {
        self.walker.data().map_err(|error| error.for_entry(&self.head.path, "can't be read"))
    }

    /// Consumes data returned by [`piece`](Self::piece) or [`stored_data`](Self::stored_data).
    pub(crate) fn consume_data(&mut self, n: usize) -> Result<()> {
        self.position += n as u64;
        self.walker.consume(n)
    }

    pub(crate) fn skip_hole(&mut self, len: u64) {
        self.position += len;
    }

    /// Skips the rest, and checks that the entry matches the index.
    pub(crate) fn finish(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        let tail = self
            .walker
            .finish()
            .map_err(|error| error.for_entry(&self.head.path, "can't be read"))?;
        match &self.expected {
            Some(expected)
                if (expected.tar_len, expected.checksum) != (tail.tar_len, tail.checksum) =>
            {
                self.finished = false;
                let name = String::from_utf8_lossy(&self.head.path);
                Err(Error::index(format!("wrong length or checksum of {name}")))
            }
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for EntryReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        match self.piece()? {
            Piece::End => Ok(0),
            Piece::Data(data) => {
                let n = data.len().min(buffer.len());
                buffer[..n].copy_from_slice(&data[..n]);
                self.consume_data(n)?;
                Ok(n)
            }
            Piece::Hole(len) => {
                let n = buffer.len().min(usize::try_from(len).unwrap_or(usize::MAX));
                buffer[..n].fill(0);
                self.skip_hole(n as u64);
                Ok(n)
            }
        }
    }
}
