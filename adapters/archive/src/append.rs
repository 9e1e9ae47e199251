//! Going on with an archive: one that is whole, and one that was interrupted.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use crate::gzip::Place;
use crate::read;
use crate::{ArchiveOptions, ArchiveReader, ArchiveWriter, Entry, Error, GzWriter, Result, index};

/// A file that can be read, written and cut.
pub trait ArchiveFile: Read + Write + Seek {
    /// Cuts it off, or lengthens it with zeros.
    ///
    /// # Errors
    ///
    /// The system's.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}

impl ArchiveFile for File {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }
}

impl ArchiveFile for Cursor<Vec<u8>> {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.get_mut().resize(len, 0);
        Ok(())
    }
}

impl<F: ArchiveFile + ?Sized> ArchiveFile for &mut F {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        (**self).truncate(len)
    }
}

/// What [`ArchiveWriter::resume`] found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recovered {
    /// The whole entries, which are kept.
    pub entries: Vec<Entry>,
    /// Bytes of the file that were cut off.
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
    /// Goes on behind the last entry of an archive. With an index nothing is read but that and one
    /// block; without, the whole archive is. The old index and end are cut off first: until the writer is
    /// [finished](ArchiveWriter::finish), the archive is an interrupted one, which can be
    /// [resumed](Self::resume).
    ///
    /// # Errors
    ///
    /// Those of the file; where it is damaged; [`Error::NoBlocks`] if it is gzip without blocks, which
    /// would have to be written anew.
    pub fn append<F: ArchiveFile>(&self, mut file: F) -> Result<ArchiveWriter<F>> {
        let options = self.with_engine()?;
        if let Some(index) = index::load(&mut file)? {
            return options.go_on(file, &index.entries, index.end, index.end_place);
        }
        let scan = options.scan_whole_entries(&mut file)?;
        match scan.torn {
            Some(error) => Err(error),
            None => options.go_on(file, &scan.entries, scan.end, scan.end_place),
        }
    }

    /// Goes on where writing an archive was interrupted: reads it, keeps its whole entries and cuts
    /// off the torn end. An empty file becomes a new archive, and one that is whole is
    /// [appended](Self::append) to.
    ///
    /// # Errors
    ///
    /// Those of the file. If it is damaged with more behind it than a torn end has, or is something else
    /// than an archive, the error says so, and nothing is cut off; see
    /// [`discard_damaged`](Self::discard_damaged).
    pub fn resume<F: ArchiveFile>(&self, mut file: F) -> Result<(ArchiveWriter<F>, Recovered)> {
        let options = self.with_engine()?;
        let len = file.seek(SeekFrom::End(0))?;
        let scan = options.scan_whole_entries(&mut file)?;
        if let Some(error) = &scan.torn
            && !is_torn_end(error, &mut file, scan.entries.is_empty(), self.discard_damaged)?
        {
            return Err(error.clone());
        }
        let kept = scan.end_place.map_or(len, |place| place.block);
        let writer = options.go_on(file, &scan.entries, scan.end, scan.end_place)?;
        let cut = if scan.torn.is_some() { len.saturating_sub(kept) } else { 0 };
        Ok((writer, Recovered { entries: scan.entries, cut, torn: scan.torn }))
    }

    /// The same with the engine that they stand for, which then is made once, and not by every reader
    /// and writer.
    fn with_engine(&self) -> Result<Self> {
        Ok(Self { gzip: self.gzip.with_engine()?, ..*self })
    }

    /// A writer that goes on at byte `end` of the tar, which is at `place` of the file.
    fn go_on<F: ArchiveFile>(
        &self,
        mut file: F,
        entries: &[Entry],
        end: u64,
        place: Option<Place>,
    ) -> Result<ArchiveWriter<F>> {
        let Some(place) = place.filter(|place| u64::from(place.within) <= end) else {
            return Err(Error::NoBlocks);
        };
        let begun = self.read_begun_block(&mut file, end, place)?;
        let mut archive = ArchiveWriter::with_writer(self.go_on_at(file, end, place, &begun)?)?;
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
        let mut reader = self.gzip.clone().threads(1).reader(file)?;
        reader.end_after_block(Some(place.block));
        reader.seek_to(Place { within: 0, ..place }, end - u64::from(place.within))?;
        reader.read_exact(&mut begun)?;
        Ok(begun)
    }

    /// A writer of what follows on `begun`, which is compressed again, with more behind it.
    fn go_on_at<F: ArchiveFile>(
        &self,
        file: F,
        end: u64,
        place: Place,
        begun: &[u8],
    ) -> Result<GzWriter<F>> {
        let mut writer = self.gzip.writer(file)?;
        writer.continue_at(place.block, end - u64::from(place.within));
        let file = writer.get_mut();
        file.truncate(place.block)?;
        file.seek(SeekFrom::Start(place.block))?;
        writer.write_all(begun)?;
        Ok(writer)
    }

    /// Reads entries as long as they are whole.
    fn scan_whole_entries<F: ArchiveFile>(&self, file: &mut F) -> Result<Scan> {
        let len = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        let mut scan = Scan { end_place: Some(Place::default()), ..Scan::default() };
        if len == 0 {
            return Ok(scan);
        }
        let mut archive: ArchiveReader<&mut F> = self.reader(file)?;
        loop {
            match read::next(&mut archive.walker) {
                Ok(Some((_, mut entry))) => match archive.walker.finish() {
                    Ok(tail) => {
                        (entry.tar_len, entry.checksum) = (tail.tar_len, tail.checksum);
                        scan.end = entry.end();
                        scan.end_place = archive.walker.input().place();
                        scan.entries.push(entry);
                    }
                    Err(error) => scan.torn = Some(error),
                },
                Ok(None) => return Ok(scan),
                Err(error) => scan.torn = Some(error),
            }
            if scan.torn.is_some() {
                return Ok(scan);
            }
        }
    }
}

#[derive(Default)]
struct Scan {
    entries: Vec<Entry>,
    end: u64,
    end_place: Option<Place>,
    torn: Option<Error>,
}

/// Whether what is wrong is only that the end was not written, or not all of it.
fn is_torn_end<F: ArchiveFile>(
    error: &Error,
    file: &mut F,
    nothing_before: bool,
    discard: bool,
) -> Result<bool> {
    /// A block that was being written.
    const UNFINISHED: u64 = 1 << 16;
    match error {
        Error::Truncated { .. } => Ok(true),
        // What has never been an archive of ours stays as it is.
        Error::NotGzip { offset: 0 } => Ok(false),
        Error::NotTar { .. } if nothing_before => Ok(false),
        Error::Damaged { .. } | Error::NotGzip { .. } | Error::NotTar { .. } if discard => Ok(true),
        // After a power failure, pages that were not written are zeros.
        Error::Damaged { offset, .. } | Error::NotGzip { offset } => {
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
