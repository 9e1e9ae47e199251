//! Putting entries on disk, below one folder and nowhere else.

mod folders;
mod metadata;
mod options;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::read::Piece;
use crate::scan::Head;
use crate::{EntryKind, EntryReader, Error, Result};
use folders::{Folders, split};
pub use options::ExtractOptions;

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extracted {
    /// It is on disk.
    Done,
    /// It is nothing that is put on disk: the text says what.
    Skipped(&'static str),
}

/// Puts entries on disk below one folder. Names that are absolute or have `..` in them are refused, nothing
/// is written through a symbolic link, neither one of the archive nor one that was there, and a file that
/// turns out to be damaged is removed again.
///
/// ```no_run
/// use std::fs::File;
/// use uadk_compress_archive::{ArchiveReader, ExtractOptions, Extractor};
///
/// let mut archive = ArchiveReader::new(File::open("backup.tar.gz")?)?;
/// let mut extractor = Extractor::new("restored".as_ref(), ExtractOptions::new())?;
/// while let Some(mut entry) = archive.next_entry()? {
///     extractor.extract(&mut entry)?;
/// }
/// extractor.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct Extractor {
    options: ExtractOptions,
    folders: Folders,
    written: u64,
}

impl Extractor {
    /// Extracts into a folder that is there.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn new(folder: &Path, options: ExtractOptions) -> Result<Self> {
        let folders = Folders::open(folder).map_err(|errno| {
            let path = folder.as_os_str().as_encoded_bytes();
            Error::entry_from(path, "the folder can't be opened", errno)
        })?;
        Ok(Self { options, folders, written: 0 })
    }

    /// Puts one entry on disk, with the folders that it needs. Times and permissions of folders come
    /// last, with [`finish`](Self::finish).
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] with its name; others can be extracted then, unless the archive is damaged.
    pub fn extract<R: Read>(&mut self, entry: &mut EntryReader<'_, R>) -> Result<Extracted> {
        let name = entry.head().path.clone();
        self.put(entry).map_err(|error| error.of_entry(&name, "it can't be extracted"))
    }

    /// Gives the folders their times and permissions.
    ///
    /// # Errors
    ///
    /// The first that failed, when all have been tried.
    pub fn finish(mut self) -> Result<()> {
        self.folders.finish(&self.options)
    }

    fn put<R: Read>(&mut self, entry: &mut EntryReader<'_, R>) -> Result<Extracted> {
        let head = entry.head().clone();
        let skipped = match head.kind {
            EntryKind::CharDevice | EntryKind::BlockDevice => Some("devices are not made"),
            EntryKind::Other(b'V') => Some("it is the name of the archive"),
            EntryKind::Other(_) => Some("its kind is not known"),
            _ => None,
        };
        if let Some(why) = skipped {
            return Ok(Extracted::Skipped(why));
        }
        let path = split(&head.path)?;
        if head.kind == EntryKind::Directory {
            self.folders.make(&path, &head, &self.options)?;
            return Ok(Extracted::Done);
        }
        let Some((last, before)) = path.split_last() else {
            return Err(Error::unnamed("it has the name of the folder that it would be in"));
        };
        if head.kind == EntryKind::File {
            self.reserve(head.size)?;
        }
        let target = match head.kind {
            EntryKind::HardLink => {
                let target = split(&head.link)?;
                let Some((last, before)) = target.split_last() else {
                    return Err(Error::unnamed("it is a link to nothing"));
                };
                Some((self.folders.existing(before)?, *last))
            }
            _ => None,
        };
        let keep_old = self.options.keep_old;
        let folder = self.folders.parent(before)?;
        match (head.kind, target) {
            (EntryKind::HardLink, Some((target_folder, target))) => {
                replacing(folder, last, keep_old, || {
                    rustix::fs::linkat(&target_folder, target, folder, *last, AtFlags::empty())
                })?;
            }
            (EntryKind::Symlink, _) => {
                replacing(folder, last, keep_old, || {
                    rustix::fs::symlinkat(&head.link[..], folder, *last)
                })?;
                metadata::set_link(folder, last, &head, &self.options)?;
            }
            (EntryKind::Fifo, _) => {
                let mode = Mode::from_raw_mode(head.mode & 0o777);
                replacing(folder, last, keep_old, || {
                    rustix::fs::mknodat(folder, *last, FileType::Fifo, mode, 0)
                })?;
                metadata::set_link(folder, last, &head, &self.options)?;
            }
            _ => {
                let mode = Mode::from_raw_mode(head.mode & 0o777);
                let flags = OFlags::WRONLY
                    | OFlags::CREATE
                    | OFlags::EXCL
                    | OFlags::NOFOLLOW
                    | OFlags::CLOEXEC;
                let file = replacing(folder, last, keep_old, || {
                    rustix::fs::openat(folder, *last, flags, mode)
                })?;
                if let Err(error) = write(entry, file, &head, &self.options) {
                    let _ = rustix::fs::unlinkat(folder, *last, AtFlags::empty());
                    return Err(error);
                }
            }
        }
        Ok(Extracted::Done)
    }

    /// Counts bytes that a file will have.
    fn reserve(&mut self, size: u64) -> Result<()> {
        let total = self.written.saturating_add(size);
        match self.options.max_size {
            Some(max) if total > max => Err(Error::unnamed(format!(
                "with its {size} bytes, more than {max} bytes would be extracted"
            ))),
            _ => {
                self.written = total;
                Ok(())
            }
        }
    }
}

/// Makes something; what is there under that name, unless it is a folder, is removed first.
fn replacing<T>(
    folder: &OwnedFd,
    name: &[u8],
    keep_old: bool,
    mut make: impl FnMut() -> rustix::io::Result<T>,
) -> Result<T> {
    let result = match make() {
        Err(Errno::EXIST) if !keep_old => {
            match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => make(),
                Err(Errno::ISDIR | Errno::PERM) => {
                    return Err(Error::unnamed("a folder of that name is there"));
                }
                Err(errno) => Err(errno),
            }
        }
        result => result,
    };
    result.map_err(|errno| Error::unnamed_from("it can't be written", errno))
}

fn write<R: Read>(
    entry: &mut EntryReader<'_, R>,
    file: OwnedFd,
    head: &Head,
    options: &ExtractOptions,
) -> Result<()> {
    let mut file = File::from(file);
    let mut ends_in_hole = false;
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
                let by =
                    i64::try_from(len).map_err(|_| Error::unnamed("it has too long a hole"))?;
                file.seek(SeekFrom::Current(by))?;
                entry.skip_hole(len);
                ends_in_hole = true;
            }
        }
    }
    if ends_in_hole {
        file.set_len(head.size)?;
    }
    metadata::set_file(file.as_fd(), head, options)
}
