//! Writing files.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;

use rustix::fs::{FileType, Mode, OFlags, openat};

use super::metadata::Setter;
use super::options::Existing;
use super::place::{Made, Place};
use crate::read::Piece;
use crate::scan::{Head, Unreadable};
use crate::{EntryReader, Error, Result};

/// Creates a file, or opens the one that is there to write over it.
pub(super) fn create<'a>(
    place: Place<'a>,
    head: &Head,
    existing: Existing,
) -> Result<Option<Made<'a, File>>> {
    let mode = Mode::from_raw_mode(head.mode & 0o777);
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let is_file = || Ok::<_, Error>(matches!(place.look()?, Some((FileType::RegularFile, _))));
    let how = if existing == Existing::Overwrite && is_file()? {
        // Should it have become a pipe, this does not wait.
        OFlags::TRUNC | OFlags::NONBLOCK
    } else {
        OFlags::CREATE | OFlags::EXCL
    };
    place.make(existing, |name| openat(place.folder, name, flags | how, mode).map(File::from))
}

/// Writes the contents of an entry, and sets what belongs to them.
pub(super) fn write<R: Read>(
    entry: &mut EntryReader<'_, R>,
    mut file: &File,
    head: &Head,
    setter: &mut Setter<'_>,
) -> Result<()> {
    let too_long = |_| Error::unnamed("it has too long a hole");
    let mut ends_in_hole = false;
    if let Some(Unreadable::Disordered(segments)) = &head.unreadable {
        for segment in segments {
            file.seek(SeekFrom::Start(segment.offset))?;
            let mut left = segment.len;
            while left > 0 {
                let data = entry.stored_data()?;
                let n = data.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                if n == 0 {
                    return Err(Error::unnamed("it has less data than its map says"));
                }
                file.write_all(&data[..n])?;
                entry.consume_data(n)?;
                left -= n as u64;
            }
        }
        entry.finish()?;
        ends_in_hole = true;
    } else {
        loop {
            match entry.piece()? {
                Piece::End => break,
                Piece::Data(data) => {
                    file.write_all(data)?;
                    let n = data.len();
                    entry.consume_data(n)?;
                    ends_in_hole = false;
                }
                Piece::Hole(len) => {
                    file.seek(SeekFrom::Current(i64::try_from(len).map_err(too_long)?))?;
                    entry.skip_hole(len);
                    ends_in_hole = true;
                }
            }
        }
    }
    if ends_in_hole {
        file.set_len(head.size)?;
    }
    setter.file(file.as_fd());
    Ok(())
}
