//! Reading archives.

use std::io::{self, BufRead, Read, Seek};
use std::path::Path;

use crate::gzip::Place;
use crate::input::Input;
use crate::scan::{Head, Walker};
use crate::{ArchiveOptions, Entry, Error, GzWarning, Index, Inflated, Result, Warning, index};

/// Reads any tar, plain or compressed by gzip, zstd or xz, whatever the name of the file: entry by entry as
/// it comes, and by name where the file can be sought in.
///
/// With the index that [`ArchiveWriter`](crate::ArchiveWriter) leaves, listing reads the index alone, and
/// a single entry its own blocks. Without it, the first [`index`](Self::index) or [`open`](Self::open)
/// reads the whole archive once and makes one in memory.
#[derive(Debug)]
pub struct ArchiveReader<R> {
    /// It is large, and stacks may be small.
    pub(crate) walker: Box<Walker<Input<R>>>,
    index: Option<Index>,
    index_error: Option<Error>,
    /// The last bytes behind the end of the tar.
    tail: Vec<u8>,
}

/// An entry, and its contents as [`Read`]; holes read as zeros.
///
/// What is not read is skipped.
#[derive(Debug)]
pub struct EntryReader<'a, R> {
    walker: &'a mut Walker<Input<R>>,
    head: Head,
    entry: Entry,
    /// What the index says of it.
    expected: Option<Entry>,
    /// Bytes of contents given out.
    position: u64,
    /// Pieces of a sparse file that are done.
    segments_done: usize,
    finished: bool,
}

/// What comes next of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece<'a> {
    Data(&'a [u8]),
    Hole(u64),
    End,
}

impl ArchiveOptions {
    /// A reader of any tar, plain or compressed by gzip, zstd or xz. Which of them it is, its first bytes say,
    /// which are read.
    ///
    /// # Errors
    ///
    /// As [`GzOptions::reader`](crate::GzOptions::reader), and those of the file; [`Error::Unsupported`] for
    /// another known format, and [`Error::NotArchive`].
    pub fn reader<R: Read>(&self, inner: R) -> Result<ArchiveReader<R>> {
        let gzip = self.gzip.clone().trailing_garbage(true);
        Input::new(inner, self, &gzip).map(ArchiveReader::with_input)
    }

    /// A reader that takes nothing for an archive that is cut off or has something behind it.
    pub(crate) fn strict_reader<R: Read>(&self, inner: R) -> Result<ArchiveReader<R>> {
        Input::new(inner, self, &self.gzip).map(ArchiveReader::with_input)
    }
}

impl<R: Read> ArchiveReader<R> {
    /// A reader with the default [`ArchiveOptions`].
    ///
    /// # Errors
    ///
    /// As [`ArchiveOptions::reader`].
    pub fn new(inner: R) -> Result<Self> {
        ArchiveOptions::new().reader(inner)
    }

    // In a frame of its own, for it has large things on the stack.
    #[inline(never)]
    fn with_input(input: Input<R>) -> Self {
        let walker = Box::new(Walker::new(input));
        Self { walker, index: None, index_error: None, tail: Vec::new() }
    }

    /// The next entry in the archive's order; `None` at the end, when what is behind the tar has been read
    /// too: only there gzip says whether all of it was right.
    ///
    /// # Errors
    ///
    /// Those of the file; that it is damaged, or no tar. Nothing can follow then.
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

    /// Whether to go on behind the zeros that end an archive: where archives are joined, the entries of all
    /// are read, and not those of the first alone.
    pub fn ignore_zeros(&mut self, ignore: bool) {
        self.walker.ignore_zeros(ignore);
    }

    /// What was dropped or skipped in what has been read since the last call: attributes and headers that
    /// are damaged. Each warning comes only once, even if its entry is read again.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        self.walker.take_warnings()
    }

    /// Reads what is left of the archive, and gives its entries: those from here on.
    pub(crate) fn scan(&mut self) -> Result<Index> {
        let mut entries = Vec::new();
        let mut end_place = None;
        while let Some((_, mut entry)) = next(&mut self.walker)? {
            self.walker.pass(Input::pass)?;
            let tail = self.walker.finish()?;
            end_place = self.walker.input().place();
            (entry.tar_len, entry.checksum) = (tail.tar_len, tail.checksum);
            if self.walker.input().is_plain() {
                // Its contents may have been passed over.
                entry.checksum = 0;
            }
            entries.push(entry);
        }
        let end = entries.last().map_or(0, Entry::end);
        if entries.is_empty() && self.walker.input().place().is_some() {
            end_place = Some(Place::default());
        }
        // The rest has to be whole too.
        let data_len = self.walker.position() + self.skip_rest()?;
        let input = self.walker.input();
        for entry in &mut entries {
            let begins = |place: &Place| entry.start.saturating_sub(u64::from(place.within));
            entry.place = entry.place.filter(|place| input.can_begin_at(begins(place)));
        }
        let tar_len = index::tar_len_before(&self.tail, data_len).unwrap_or(data_len);
        Ok(Index { entries, end, end_place, tar_len, stored: false, segments: None })
    }

    /// Reads what is behind the end of the tar, or passes over it; returns its length, and keeps its last bytes.
    fn skip_rest(&mut self) -> Result<u64> {
        self.tail.clear();
        let input = self.walker.input_mut();
        let unread = input.unread_len().saturating_sub(index::INSIDE_FOOTER_LEN as u64);
        let mut rest = input.pass(unread)?;
        loop {
            let has_ended = self.walker.ended();
            let input = self.walker.input_mut();
            let ready = match input.fill_buf().map(<[u8]>::len) {
                // The tar is whole: nothing is cut off.
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

    /// Whether all of a plain tar is read, and nothing says that this is its end.
    pub(crate) fn lacks_end(&self) -> bool {
        self.walker.input().is_plain() && !self.walker.has_seen_zeros()
    }

    /// What was odd in the compressed file and did not keep the archive from being read; complete when all of
    /// it has been read.
    #[must_use]
    pub fn gz_warnings(&self) -> &[GzWarning] {
        self.walker.input().warnings()
    }

    /// See [`crate::GzReader::inflated`].
    #[must_use]
    pub fn inflated(&self) -> Inflated {
        self.walker.input().inflated()
    }

    /// What was read from.
    #[must_use]
    pub fn into_inner(self) -> R {
        self.walker.into_input().into_inner()
    }
}

/// Some writers leave the zeros out. Of plain tar, nothing else says where it ends.
pub(crate) const NO_END: &str =
    "the zeros that end a tar are missing: it may have been cut off between two entries";

/// The next entry's headers, and where they are.
pub(crate) fn next<R: Read>(walker: &mut Walker<Input<R>>) -> Result<Option<(Head, Entry)>> {
    if walker.ended() {
        return Ok(None);
    }
    // A place is known of what has been read.
    walker.input_mut().fill_buf()?;
    let place = walker.input().place();
    Ok(walker.next()?.map(|head| {
        let entry = Entry::of_head(&head, place);
        (head, entry)
    }))
}

impl<R: Read + Seek> ArchiveReader<R> {
    /// The archive's entries: from its index or, if it has none, from reading all of it. The next
    /// entry is the first one then.
    ///
    /// # Errors
    ///
    /// Those of the file. A damaged index is not used: see [`index_error`](Self::index_error).
    pub fn index(&mut self) -> Result<&Index> {
        self.load_index()?;
        match &self.index {
            Some(index) => Ok(index),
            None => Err(Error::index("it could not be made")),
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

    /// Loads the index that is in the file, if there is one that is whole, and says whether there is.
    /// From then on the archive is read on several threads, and no byte is returned before its
    /// checksum is verified, in [`next_entry`](Self::next_entry) too. The next entry is the first one
    /// then.
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

    /// Why the index in the file is not used, if it is damaged: the archive was read without it.
    #[must_use]
    pub const fn index_error(&self) -> Option<&Error> {
        self.index_error.as_ref()
    }

    /// The index that is in the file.
    pub(crate) fn stored_index(&mut self) -> Result<Option<Index>> {
        let Some(gzip) = self.walker.input_mut().gzip_mut() else { return Ok(None) };
        let index = gzip.with_inner(index::load)??;
        let segments = index.as_ref().and_then(|index| index.segments.clone());
        gzip.set_known_segments(segments);
        Ok(index)
    }

    /// The index as it should be.
    pub(crate) fn scan_all(&mut self) -> Result<Index> {
        self.rewind()?;
        self.scan()
    }

    /// Goes back to before the first entry.
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

    /// The last entry of that name, to be read at once: with an index, no blocks are read but its own. In
    /// plain tar, contents of other entries are sought over; zstd and xz are decompressed up to it.
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] if there is none; [`Error::Index`] if it is not where the index says. Reading it ends
    /// in an error if its checksum is another one than the index's.
    pub fn open(&mut self, path: impl AsRef<Path>) -> Result<EntryReader<'_, R>> {
        let name = path.as_ref().as_os_str().as_encoded_bytes();
        self.load_index()?;
        let found = self.index.as_ref().and_then(|index| index.position(name));
        self.open_nth(found.ok_or_else(|| Error::entry(name, "there is no such entry"))?)
    }

    /// The entry at that place of the [`index`](Self::index), to be read at once.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_nth(&mut self, n: usize) -> Result<EntryReader<'_, R>> {
        if self.index.is_none() {
            self.load_index()?;
        }
        let known = self.index.as_ref().and_then(|index| {
            index.entries.get(n).map(|entry| (Box::new(entry.clone()), index.last_block(n)))
        });
        let Some((expected, last_block)) = known else {
            return Err(Error::index(format!("it has no entry {n}")));
        };
        self.walker.input_mut().end_after_block(last_block);
        match self.find(n, &expected) {
            Ok(Some(found)) => Ok(EntryReader::known(&mut self.walker, found, expected)),
            Ok(None) => {
                let name = String::from_utf8_lossy(&expected.path);
                Err(Error::index(format!("{name} is not where it says, or is something else")))
            }
            Err(error) => Err(error.of_entry(&expected.path, "it can't be read")),
        }
    }

    /// Finds an entry where an index tells of it; `None` if it is another one.
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
        // It may have contents, which only its own headers tell of.
        let link = Box::new(link.clone());
        self.read_at(&link)?;
        self.walker.finish()?;
        Ok(next(&mut self.walker)?.map(Box::new).filter(|found| fits(found)))
    }

    /// What is at the place of an entry that an index tells of.
    fn read_at(&mut self, expected: &Entry) -> Result<Option<Box<Found>>> {
        self.walker.input_mut().seek_to(expected.place, expected.start)?;
        self.walker.restart(expected.start);
        Ok(next(&mut self.walker)?.map(Box::new))
    }
}

/// What headers say.
type Found = (Head, Entry);

impl<'a, R: Read> EntryReader<'a, R> {
    /// One that an index tells of. In a frame of its own, for it is a large thing on the stack.
    #[inline(never)]
    #[allow(clippy::boxed_local, reason = "what is large is passed in a box")]
    fn known(walker: &'a mut Walker<Input<R>>, found: Box<Found>, expected: Box<Entry>) -> Self {
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

    /// What it is.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    pub(crate) const fn head(&self) -> &Head {
        &self.head
    }

    /// What comes next of the contents, without moving on.
    pub(crate) fn piece(&mut self) -> Result<Piece<'_>> {
        if let Some(unreadable) = &self.head.unreadable {
            return Err(Error::entry(&self.head.path, unreadable.what()));
        }
        let left_before_hole = match &self.head.sparse {
            None => u64::MAX,
            Some(segments) => {
                let behind = |done: usize| segments.get(done).map(|s| (s.offset, s.offset + s.len));
                while let Some((_, end)) = behind(self.segments_done)
                    && end <= self.position
                {
                    self.segments_done += 1;
                }
                match behind(self.segments_done) {
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
            .map_err(|error| error.of_entry(&self.head.path, "it can't be read"))?;
        let n = data.len().min(usize::try_from(left_before_hole).unwrap_or(usize::MAX));
        Ok(Piece::Data(&data[..n]))
    }

    /// Contents as they are in the tar, without moving on; empty at their end. For a file whose pieces are
    /// in another order there.
    pub(crate) fn stored_data(&mut self) -> Result<&[u8]> {
        self.walker.data().map_err(|error| error.of_entry(&self.head.path, "it can't be read"))
    }

    /// Moves on over data that [`piece`](Self::piece) or [`stored_data`](Self::stored_data) gave.
    pub(crate) fn consume_data(&mut self, n: usize) -> Result<()> {
        self.position += n as u64;
        self.walker.consume(n)
    }

    pub(crate) fn skip_hole(&mut self, len: u64) {
        self.position += len;
    }

    /// Skips what is left, and checks that the entry is what the index says.
    pub(crate) fn finish(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        let tail = self
            .walker
            .finish()
            .map_err(|error| error.of_entry(&self.head.path, "it can't be read"))?;
        match &self.expected {
            Some(expected)
                if (expected.tar_len, expected.checksum) != (tail.tar_len, tail.checksum) =>
            {
                self.finished = false;
                let name = String::from_utf8_lossy(&self.head.path);
                Err(Error::index(format!("{name} has another length or checksum than it says")))
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
