//! Going on with an archive: one that is whole, and one that was interrupted.

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

/// What [`ArchiveWriter::resume`] found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recovered {
    /// The whole entries, which are kept.
    pub entries: Vec<Entry>,
    /// Bytes at the end of the file that are torn, and are overwritten or cut off.
    pub cut: u64,
    /// What was wrong at the end of the archive; `None` if it was whole.
    pub torn: Option<Error>,
}

impl<F: ArchiveFile> ArchiveWriter<F> {
    /// Goes on behind the last entry of an archive, with the default [`ArchiveOptions`].
    ///
    /// # Errors
    ///
    /// As [`ArchiveOptions::append`].
    pub fn append(file: F) -> Result<Self> {
        ArchiveOptions::new().append(file)
    }

    /// Goes on where writing an archive was interrupted, with the default [`ArchiveOptions`].
    ///
    /// # Errors
    ///
    /// As [`ArchiveOptions::resume`].
    pub fn resume(file: F) -> Result<(Self, Recovered)> {
        ArchiveOptions::new().resume(file)
    }
}

impl ArchiveOptions {
    /// Goes on behind the last entry of a tar.gz or a plain tar. With an index nothing is read but that and
    /// one block; without, the whole archive is, but for contents in plain tar. The file stays as it is
    /// until the first data is written over its old index and end. From then until the writer is
    /// [finished](ArchiveWriter::finish), the archive is an interrupted one, which can be
    /// [resumed](Self::resume).
    ///
    /// # Errors
    ///
    /// Those of the file; where it is damaged; [`Error::NoBlocks`] if it is gzip without blocks, and
    /// [`Error::Unsupported`] if it is zstd or xz, which would have to be written anew, or if something
    /// follows the archive, which would be overwritten.
    pub fn append<F: ArchiveFile>(&self, mut file: F) -> Result<ArchiveWriter<F>> {
        let options = self.with_engine()?;
        if options.is_plain(&mut file)? {
            return plain::append(&options, file);
        }
        // Without a whole index the archive is read.
        if let Ok(Some(index)) = index::load(&mut file) {
            let segments = index.segments.map(|segments| (*segments).clone());
            let end = End { tar: index.end, place: index.end_place, segments };
            return options.go_on(file, &index.entries, end);
        }
        let scan = options.scan_whole_entries(&mut file, u64::MAX)?;
        match scan.torn {
            Some(error) => Err(error),
            None => options.go_on(file, &scan.entries, scan.end),
        }
    }

    /// Whether a file is plain tar, or is to become it.
    fn is_plain<F: ArchiveFile>(&self, file: &mut F) -> Result<bool> {
        if file.seek(SeekFrom::End(0))? == 0 {
            return Ok(self.plain);
        }
        file.seek(SeekFrom::Start(0))?;
        let is_plain = Input::begins_as_plain_tar(&mut *file);
        file.seek(SeekFrom::Start(0))?;
        Ok(is_plain)
    }

    /// Goes on where writing an archive was interrupted: reads it, keeps its whole entries, and writes
    /// over the torn end. An empty file becomes a new archive, and one that is whole is
    /// [appended](Self::append) to.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append). If it is damaged with more behind it than a torn end has, or is
    /// something else than an archive, the error says so; see [`discard_damaged`](Self::discard_damaged).
    /// [`Error::Unsupported`] for plain tar, which has no checksums that tell what is whole.
    pub fn resume<F: ArchiveFile>(&self, mut file: F) -> Result<(ArchiveWriter<F>, Recovered)> {
        let options = self.with_engine()?;
        let len = file.seek(SeekFrom::End(0))?;
        let mut scan = options.scan_whole_entries(&mut file, u64::MAX)?;
        let is_archive =
            !matches!(scan.torn, Some(Error::NotTar { .. })) || !scan.entries.is_empty();
        if scan.torn.is_some() && is_archive {
            // After a power failure, pages that were not written are zeros: they are no data.
            let written = len_without_zeros(&mut file, len)?;
            // A trailer ends in zeros, too.
            let least = if scan.ended { TRAILER_LEN as u64 } else { 1 };
            if written > 0 && len - written >= least {
                let without_zeros = options.scan_whole_entries(&mut file, written)?;
                // They may be the last bytes of a block, too: those have checksums. Segments have none, and
                // zeros can be inflated.
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
        let writer = options.go_on(file, &scan.entries, scan.end)?;
        let cut = if scan.torn.is_some() { len.saturating_sub(kept) } else { 0 };
        Ok((writer, Recovered { entries: scan.entries, cut, torn: scan.torn }))
    }

    /// The same with the engine that they stand for, which then is made once, and not by every reader
    /// and writer.
    fn with_engine(&self) -> Result<Self> {
        Ok(Self { gzip: self.gzip.with_engine()?, ..*self })
    }

    /// A writer that goes on behind the last entry.
    fn go_on<F: ArchiveFile>(
        &self,
        mut file: F,
        entries: &[Entry],
        end: End,
    ) -> Result<ArchiveWriter<F>> {
        let Some(place) = end.place.filter(|place| end.is_continuable(*place)) else {
            return Err(Error::NoBlocks);
        };
        let begun = self.read_begun_block(&mut file, end.tar, place)?;
        let writer = self.go_on_at(file, end, place, &begun)?;
        let mut archive = ArchiveWriter::with_sink(Sink::Gzip(Box::new(writer)))?;
        archive.adopt(entries)?;
        Ok(archive)
    }

    /// Reads what the block at `place` holds before it.
    fn read_begun_block<F: ArchiveFile>(
        &self,
        file: &mut F,
        end: u64,
        place: Place,
    ) -> Result<Vec<u8>> {
        let mut begun = vec![0; place.within as usize];
        file.seek(SeekFrom::Start(0))?;
        let mut reader = self.gzip.clone().threads(1).reader_of(Source::new(file))?;
        reader.end_after_block(Some(place.block));
        reader.seek_to(Place { within: 0, ..place }, end - u64::from(place.within))?;
        reader.read_exact(&mut begun)?;
        Ok(begun)
    }

    /// A writer of what follows on `begun`, which is compressed again, with more behind it.
    fn go_on_at<F: ArchiveFile>(
        &self,
        file: F,
        end: End,
        place: Place,
        begun: &[u8],
    ) -> Result<GzWriter<F>> {
        let mut kept = place.block;
        let mut writer = match end.segments {
            Some(mut segments) => {
                let mut writer = self.gzip.clone().layout(Layout::OneMember).writer(file)?;
                segments.truncate(place.block);
                // Without a whole segment, the header is written again too.
                kept = segments.end().map_or(0, |(file, _)| file);
                writer.continue_segments(segments);
                writer
            }
            // A new file has the layout that is asked for.
            None if place == Place::default() => self.gzip.writer(file)?,
            None => {
                let mut writer = self.gzip.clone().layout(Layout::Bgzf).writer(file)?;
                writer.continue_blocks(place.block, end.tar - u64::from(place.within));
                writer
            }
        };
        writer.get_mut().seek(SeekFrom::Start(kept))?;
        // What is begun is only in memory until then.
        writer.after_first_write(ArchiveFile::truncate);
        writer.write_all(begun)?;
        Ok(writer)
    }

    /// Reads entries as long as they are whole, in the first `limit` bytes of the file.
    fn scan_whole_entries<F: ArchiveFile>(&self, file: &mut F, limit: u64) -> Result<Scan> {
        // Where there is an index, its checksums tell of damage.
        let index = index::load(file).ok().flatten();
        let len = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        let mut scan = Scan::default();
        if len == 0 {
            return Ok(scan);
        }
        let mut archive = self.strict_reader(file.take(limit))?;
        archive.walker.input().gzip(CANT_GO_ON)?;
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
                        let gzip = input.gzip(CANT_GO_ON)?;
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
                Ok(behind) if !behind.is_empty() => Some(Error::followed()),
                // Zeros and an index are all that is torn.
                Ok(_) | Err(Error::Truncated { .. }) => None,
                Err(error) => Some(error),
            };
        }
        let is_one_member = archive.walker.input().gzip(CANT_GO_ON)?.is_one_member();
        let segments = archive.walker.input_mut().gzip_mut().map(GzReader::take_segments);
        let segments = segments.unwrap_or_default();
        // Of a segment that is damaged it is not known whether it can be inflated alone: entries in
        // it are written again. Where it is more than that, it is gzip without segments.
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

const CANT_GO_ON: &str = "can't be gone on with; write it anew as tar.gz first (`tar index -o`)";

/// More data than an unfinished segment has.
const MAX_TORN: u64 = 1 << 20;

/// Where the entries of an archive end.
#[derive(Debug)]
struct End {
    /// Byte of the tar.
    tar: u64,
    /// Where that is in the file.
    place: Option<Place>,
    /// The segments before, if the archive is one member.
    segments: Option<Segments>,
}

impl End {
    /// Bytes of the tar that can be kept.
    fn kept(&self) -> u64 {
        self.place.map_or(0, |_| self.tar)
    }

    /// Whether all of the tar is known to be before that place.
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
    /// Whether the zeros that end the tar are there.
    ended: bool,
    torn: Option<Error>,
}

/// Bytes of the file before the zeros at its end.
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

/// Whether what is wrong is only that the end was not written, or not all of it.
fn is_torn_end<F: ArchiveFile>(
    error: &Error,
    file: &mut F,
    scan: &Scan,
    discard: bool,
) -> Result<bool> {
    /// A block or segment that was being written has less.
    const UNFINISHED: u64 = 1 << 19;
    match error {
        Error::Truncated { .. } => Ok(true),
        // What has never been an archive of ours stays as it is.
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
