//! Continuing an archive, either a complete or an interrupted one.

mod file;
mod plain;

use std::io::{Read, SeekFrom, Write};

pub use file::ArchiveFile;

use crate::gzip::{Place, Segments, Source, TRAILER_LEN};
use crate::input::Input;
use crate::read;
use crate::write::Sink;
use crate::{
    ArchiveOptions, ArchiveWriter, Entry, Error, GzReader, GzWriter, Layout, Result, index,
};

/// The result of [`ArchiveWriter::resume`].
///
/// ```
/// use std::io::Cursor;
/// use uadk_compress_archive::{ArchiveWriter, Error};
///
/// let mut file = Vec::new();
/// let mut archive = ArchiveWriter::new(&mut file)?;
/// archive.append_bytes("first", b"1")?;
/// archive.flush()?;
/// drop(archive); // Interrupted before `finish`.
///
/// let (mut archive, recovered) = ArchiveWriter::resume(Cursor::new(file))?;
/// assert_eq!(recovered.entries.len(), 1);
/// assert!(matches!(recovered.torn, Some(Error::Truncated { .. })));
/// archive.append_bytes("second", b"2")?;
/// archive.finish()?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recovered {
    /// The intact entries, which are kept.
    pub entries: Vec<Entry>,
    /// Bytes of the torn end of the file, which are overwritten or cut off.
    pub cut: u64,
    /// What was wrong with the end of the archive; `None` if it was intact.
    pub torn: Option<Error>,
}

impl<F: ArchiveFile> ArchiveWriter<F> {
    /// Continues after the last entry of an archive, with the default [`ArchiveOptions`].
    ///
    /// # Errors
    ///
    /// See [`ArchiveOptions::append`].
    pub fn append(file: F) -> Result<Self> {
        ArchiveOptions::new().append(file)
    }

    /// Continues an archive where writing was interrupted, with the default [`ArchiveOptions`].
    ///
    /// # Errors
    ///
    /// See [`ArchiveOptions::resume`].
    pub fn resume(file: F) -> Result<(Self, Recovered)> {
        ArchiveOptions::new().resume(file)
    }
}

impl ArchiveOptions {
    /// Continues after the last entry of a tar.gz or a plain tar. With an index, only the index and
    /// one block are read; without, the whole archive except for contents in plain tar. The file
    /// stays unchanged until the first data overwrites its old index and end. From then until the
    /// writer is [finished](ArchiveWriter::finish), the archive counts as interrupted and can be
    /// [resumed](Self::resume).
    ///
    /// # Errors
    ///
    /// Those of the file; an error where it is damaged; [`Error::NoBlocks`] if it is gzip with
    /// neither blocks nor independent segments; [`Error::Unsupported`] if it is zstd or xz, which
    /// would have to be rewritten, or if other data follows the archive and would be overwritten.
    pub fn append<F: ArchiveFile>(&self, mut file: F) -> Result<ArchiveWriter<F>> {
        let options = self.with_engine()?;
        if options.is_plain(&mut file)? {
            return plain::append(&options, file);
        }
        // Without an intact index, the archive is read.
        if let Ok(Some(index)) = index::load(&mut file) {
            let segments = index.segments.map(|segments| (*segments).clone());
            let end = End { tar: index.end, place: index.end_place, segments };
            return options.continue_after(file, &index.entries, end);
        }
        let scan = options.scan_whole_entries(&mut file, u64::MAX)?;
        match scan.torn {
            Some(error) => Err(error),
            None => options.continue_after(file, &scan.entries, scan.end),
        }
    }

    /// Returns whether a file is plain tar or, if it is empty, will become plain tar.
    fn is_plain<F: ArchiveFile>(&self, file: &mut F) -> Result<bool> {
        if file.seek(SeekFrom::End(0))? == 0 {
            return Ok(self.plain);
        }
        file.seek(SeekFrom::Start(0))?;
        let is_plain = Input::begins_as_plain_tar(&mut *file);
        file.seek(SeekFrom::Start(0))?;
        Ok(is_plain)
    }

    /// Continues an archive where writing was interrupted: reads it, keeps its intact entries, and
    /// overwrites the torn end. An empty file becomes a new archive; a complete archive is
    /// [appended](Self::append) to.
    ///
    /// # Errors
    ///
    /// Those of [`append`](Self::append). An error if the file is not an archive, or if more data
    /// follows the damage than an interrupted write leaves; see
    /// [`discard_damaged`](Self::discard_damaged). [`Error::Unsupported`] for plain tar, which has
    /// no checksums to tell what is intact.
    pub fn resume<F: ArchiveFile>(&self, mut file: F) -> Result<(ArchiveWriter<F>, Recovered)> {
        let options = self.with_engine()?;
        let len = file.seek(SeekFrom::End(0))?;
        let mut scan = options.scan_whole_entries(&mut file, u64::MAX)?;
        let is_archive =
            !matches!(scan.torn, Some(Error::NotTar { .. })) || !scan.entries.is_empty();
        if scan.torn.is_some() && is_archive {
            // After a power failure, pages that were not written are zeros.
            let written = len_without_zeros(&mut file, len)?;
            // A trailer can end in zeros too.
            let least = if scan.ended { TRAILER_LEN as u64 } else { 1 };
            if written > 0 && len - written >= least {
                let without_zeros = options.scan_whole_entries(&mut file, written)?;
                // The zeros may also be the last bytes of a block; its checksum shows whether they
                // are. Segments have no checksum, and zeros can be inflated.
                let has_checksums = without_zeros.end.segments.is_none();
                if !has_checksums || without_zeros.end.kept() >= scan.end.kept() {
                    scan = without_zeros;
                }
            }
        }
        if let Some(error) = &scan.torn
            && !is_torn_end(error, &mut file, &scan, self.discard_damaged)?
        {
            return Err(error.clone());
        }
        let kept = scan.end.place.map_or(len, |place| place.block);
        let writer = options.continue_after(file, &scan.entries, scan.end)?;
        let cut = if scan.torn.is_some() { len.saturating_sub(kept) } else { 0 };
        Ok((writer, Recovered { entries: scan.entries, cut, torn: scan.torn }))
    }

    /// Returns the same options with their engine created, so that readers and writers share it.
    fn with_engine(&self) -> Result<Self> {
        Ok(Self { gzip: self.gzip.with_engine()?, ..*self })
    }

    /// Creates a writer that continues after the last entry.
    fn continue_after<F: ArchiveFile>(
        &self,
        mut file: F,
        entries: &[Entry],
        end: End,
    ) -> Result<ArchiveWriter<F>> {
        let Some(place) = end.place.filter(|place| end.is_continuable(*place)) else {
            return Err(Error::NoBlocks);
        };
        let partial = self.read_partial_block(&mut file, end.tar, place)?;
        let writer = self.continue_at(file, end, place, &partial)?;
        let mut archive = ArchiveWriter::with_sink(Sink::Gzip(Box::new(writer)))?;
        archive.adopt(entries)?;
        Ok(archive)
    }

    /// Reads the data of the block that contains `place`, up to `place`.
    fn read_partial_block<F: ArchiveFile>(
        &self,
        file: &mut F,
        end: u64,
        place: Place,
    ) -> Result<Vec<u8>> {
        let mut partial = vec![0; place.within as usize];
        file.seek(SeekFrom::Start(0))?;
        let mut reader = self.gzip.clone().threads(1).reader_of(Source::new(file))?;
        reader.end_after_block(Some(place.block));
        reader.seek_to(Place { within: 0, ..place }, end - u64::from(place.within))?;
        reader.read_exact(&mut partial)?;
        Ok(partial)
    }

    /// Creates a writer that continues at `place`. `partial`, the data before it in its block, is
    /// compressed again with the new data.
    fn continue_at<F: ArchiveFile>(
        &self,
        file: F,
        end: End,
        place: Place,
        partial: &[u8],
    ) -> Result<GzWriter<F>> {
        let mut kept = place.block;
        let mut writer = match end.segments {
            Some(mut segments) => {
                let mut writer = self.gzip.clone().layout(Layout::OneMember).writer(file)?;
                segments.truncate(place.block);
                // If no segment is kept, the header is written again too.
                kept = segments.end().map_or(0, |(file, _)| file);
                writer.continue_segments(segments);
                writer
            }
            // A new file has the requested layout.
            None if place == Place::default() => self.gzip.writer(file)?,
            None => {
                let mut writer = self.gzip.clone().layout(Layout::Bgzf).writer(file)?;
                writer.continue_blocks(place.block, end.tar - u64::from(place.within));
                writer
            }
        };
        writer.get_mut().seek(SeekFrom::Start(kept))?;
        // Truncating earlier would lose the partial block: it is only in memory until then.
        writer.after_first_write(ArchiveFile::truncate);
        writer.write_all(partial)?;
        Ok(writer)
    }

    /// Reads entries as long as they are intact, in the first `limit` bytes of the file.
    fn scan_whole_entries<F: ArchiveFile>(&self, file: &mut F, limit: u64) -> Result<Scan> {
        // If there is an index, its checksums reveal damage.
        let index = index::load(file).ok().flatten();
        let len = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        let mut scan = Scan::default();
        if len == 0 {
            return Ok(scan);
        }
        let mut archive = self.strict_reader(file.take(limit))?;
        archive.walker.input().gzip(CANT_CONTINUE)?;
        if let Some(gzip) = archive.walker.input_mut().gzip_mut() {
            gzip.set_known_segments(index.and_then(|index| index.segments));
            gzip.collect_segments();
        }
        let mut found = End::default();
        while scan.torn.is_none() {
            match read::next(&mut archive.walker) {
                Ok(Some((_, mut entry))) => match archive.walker.finish() {
                    Ok(_) if archive.walker.damage().is_some() => {
                        scan.torn = archive.walker.damage();
                    }
                    Ok(tail) => {
                        (entry.tar_len, entry.checksum) = (tail.tar_len, tail.checksum);
                        found.tar = entry.end();
                        let input = archive.walker.input();
                        let gzip = input.gzip(CANT_CONTINUE)?;
                        let can_follow = gzip.is_one_member() || gzip.data_end().is_some();
                        found.place = input.place().filter(|_| can_follow);
                        scan.entries.push(entry);
                        if found.place.is_some() {
                            scan.end = End { segments: None, ..found };
                        }
                    }
                    Err(error) => scan.torn = Some(error),
                },
                Ok(None) => {
                    scan.torn = archive.walker.damage();
                    scan.ended = archive.walker.ended();
                    break;
                }
                Err(error) => scan.torn = Some(error),
            }
        }
        if scan.ended && scan.torn.is_none() {
            scan.torn = match index::skip_end(archive.walker.input_mut(), |_| Ok(())) {
                Ok(after) if !after.is_empty() => Some(Error::trailing_data()),
                // Only the zeros or the index are torn.
                Ok(_) | Err(Error::Truncated { .. }) => None,
                Err(error) => Some(error),
            };
        }
        let is_one_member = archive.walker.input().gzip(CANT_CONTINUE)?.is_one_member();
        let segments = archive.walker.input_mut().gzip_mut().map(GzReader::take_segments);
        let segments = segments.unwrap_or_default();
        // It is unknown whether a damaged segment can be inflated on its own, so entries in it are
        // written again. If more data than that is affected, it is gzip without segments.
        let is_lost = scan.torn.is_some()
            && segments.end().is_some_and(|(_, data)| found.tar <= data + MAX_TORN);
        if found.place.is_none() && !is_lost {
            scan.end.place = None;
        }
        scan.entries.retain(|entry| entry.end() <= scan.end.tar);
        if segments.end().is_some() || is_one_member {
            scan.end.segments = Some(segments);
        }
        Ok(scan)
    }
}

const CANT_CONTINUE: &str = "can't be continued; rewrite it as tar.gz first (`tar index -o`)";

/// Upper limit for the data of an unfinished segment.
const MAX_TORN: u64 = 1 << 20;

/// The end of the entries of an archive.
#[derive(Debug)]
struct End {
    /// Offset in the tar.
    tar: u64,
    /// The corresponding place in the file.
    place: Option<Place>,
    /// The segments before it, if the archive is one member.
    segments: Option<Segments>,
}

impl End {
    /// Returns the number of bytes of the tar that can be kept.
    fn kept(&self) -> u64 {
        self.place.map_or(0, |_| self.tar)
    }

    /// Returns whether all of the tar is known to be before that place.
    fn is_continuable(&self, place: Place) -> bool {
        let within = u64::from(place.within);
        match &self.segments {
            Some(segments) => segments.data_before(place.block) + within == self.tar,
            None => within <= self.tar,
        }
    }
}

impl Default for End {
    fn default() -> Self {
        Self { tar: 0, place: Some(Place::default()), segments: None }
    }
}

#[derive(Default)]
struct Scan {
    entries: Vec<Entry>,
    end: End,
    /// Whether the zeros that end the tar were found.
    ended: bool,
    torn: Option<Error>,
}

/// Returns the length of the file without the zeros at its end.
fn len_without_zeros<F: ArchiveFile>(file: &mut F, len: u64) -> Result<u64> {
    const PIECE: u64 = 1 << 16;
    let mut end = len;
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        file.seek(SeekFrom::Start(start))?;
        let mut piece = vec![0; (end - start) as usize];
        file.read_exact(&mut piece)?;
        if let Some(last) = piece.iter().rposition(|byte| *byte != 0) {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Returns whether the only error is that the end was not, or not completely, written.
fn is_torn_end<F: ArchiveFile>(
    error: &Error,
    file: &mut F,
    scan: &Scan,
    discard: bool,
) -> Result<bool> {
    /// Upper limit for the length of an unfinished block or segment in bytes.
    const UNFINISHED: u64 = 1 << 19;
    match error {
        Error::Truncated { .. } => Ok(true),
        // A file that was never our archive is left unchanged.
        Error::NotGzip { offset: 0 } => Ok(false),
        Error::NotTar { .. } if scan.entries.is_empty() => Ok(false),
        Error::Damaged { .. } | Error::NotGzip { .. } | Error::NotTar { .. } if discard => Ok(true),
        // After a power failure, pages that were not written are zeros.
        Error::Damaged { offset, .. } | Error::NotGzip { offset } if !scan.ended => {
            file.seek(SeekFrom::Start(offset + UNFINISHED))?;
            let mut piece = vec![0; 1 << 16];
            loop {
                let n = file.read(&mut piece)?;
                if piece[..n].iter().any(|byte| *byte != 0) {
                    return Ok(false);
                }
                if n == 0 {
                    return Ok(true);
                }
            }
        }
        _ => Ok(false),
    }
}
