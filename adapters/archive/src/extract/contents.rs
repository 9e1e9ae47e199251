//! Writing the contents of files.

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

/// Creates a file, or opens the existing one to overwrite it.
pub(super) fn create<'a>(
    place: Place<'a>,
    head: &Head,
    existing: Existing,
) -> Result<Option<Made<'a, File>>> {
    let mode = Mode::from_raw_mode(head.mode & 0o777);
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let is_file = || Ok::<_, Error>(matches!(place.look()?, Some((FileType::RegularFile, _))));
    let open_how = if existing == Existing::Overwrite && is_file()? {
        // NONBLOCK: opening must not block if it has become a pipe in the meantime.
        OFlags::TRUNC | OFlags::NONBLOCK
    } else {
        OFlags::CREATE | OFlags::EXCL
    };
    place.make(existing, |name| openat(place.folder, name, flags | open_how, mode).map(File::from))
}

/// Writes the contents of an entry and sets its attributes.
pub(super) fn write<R: Read>(
    entry: &mut EntryReader<'_, R>,
    mut file: &File,
    head: &Head,
    setter: &mut Setter<'_>,
) -> Result<()> {
    let too_long = |_| Error::unnamed("a hole is too long");
    let mut ends_in_hole = false;
    if let Some(Unreadable::Disordered(segments)) = &head.unreadable {
        for segment in segments {
            file.seek(SeekFrom::Start(segment.offset))?;
            let mut left = segment.len;
            while left > 0 {
                let data = entry.stored_data()?;
                let n = data.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                if n == 0 {
                    return Err(Error::unnamed("less data than its map lists"));
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
