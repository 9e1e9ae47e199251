//! Putting entries on disk, below one folder and nowhere else.

mod accounts;
mod acl;
mod contents;
mod folders;
mod metadata;
mod names;
mod options;
mod outcome;
mod place;

use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, linkat, mknodat, symlinkat};

use crate::scan::{Head, Unreadable};
use crate::warning::{Warning, Warnings};
use crate::{EntryKind, EntryReader, Error, Result};
use accounts::Accounts;
use contents::{create, write};
use folders::Folders;
use metadata::Setter;
use names::{path_of, relative, split};
pub use options::{Existing, ExtractOptions};
pub use outcome::Extracted;
use place::Place;

/// Puts entries on disk below one folder. A `/` at the beginning of names is removed, and names that have `..`
/// in them are refused. Nothing is written through a symbolic link, neither one of the archive nor one that
/// was there; what was there is replaced when the new thing is whole, and not before; and a file that turns
/// out to be damaged is removed again.
///
/// What can't be set of a file that is on disk is a [`Warning`].
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
/// let mut warnings = archive.take_warnings();
/// warnings.extend(extractor.finish()?);
/// for warning in warnings {
///     eprintln!("{warning}");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct Extractor {
    options: ExtractOptions,
    folders: Folders,
    accounts: Accounts,
    written: u64,
    warnings: Warnings,
}

impl Extractor {
    /// Extracts into a folder that is there.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn new(folder: &Path, options: ExtractOptions) -> Result<Self> {
        let folders = Folders::open(folder, options.keep_directory_symlink).map_err(|errno| {
            let path = folder.as_os_str().as_encoded_bytes();
            Error::entry_from(path, "the folder can't be opened", errno)
        })?;
        let (accounts, warnings) = (Accounts::default(), Warnings::default());
        Ok(Self { options, folders, accounts, written: 0, warnings })
    }

    /// Puts one entry on disk, with the folders that it needs. Times, permissions and attributes of folders
    /// come last, with [`finish`](Self::finish).
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] with its name; others can be extracted then, unless the archive is damaged.
    pub fn extract<R: Read>(&mut self, entry: &mut EntryReader<'_, R>) -> Result<Extracted> {
        let name = entry.head().path.clone();
        self.extract_renamed(entry, &name, None)
    }

    /// As [`extract`](Self::extract), under another name.
    ///
    /// # Errors
    ///
    /// As [`extract`](Self::extract).
    pub fn extract_as<R: Read>(
        &mut self,
        entry: &mut EntryReader<'_, R>,
        name: &[u8],
    ) -> Result<Extracted> {
        self.extract_renamed(entry, name, None)
    }

    /// As [`extract`](Self::extract), under another name and, if it is a link, with another target.
    ///
    /// # Errors
    ///
    /// As [`extract`](Self::extract).
    pub fn extract_renamed<R: Read>(
        &mut self,
        entry: &mut EntryReader<'_, R>,
        name: &[u8],
        link: Option<&[u8]>,
    ) -> Result<Extracted> {
        let mut head = entry.head().clone();
        head.path = name.to_vec();
        if let Some(link) = link {
            head.link = link.to_vec();
        }
        self.put(entry, &head).map_err(|error| error.of_entry(name, "it can't be extracted"))
    }

    /// What could not be set or was removed since the last call.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        self.warnings.take()
    }

    /// Gives the folders their times, permissions and attributes, and gives the warnings that were not
    /// [taken](Self::take_warnings).
    ///
    /// # Errors
    ///
    /// The first that failed, when all have been tried.
    pub fn finish(mut self) -> Result<Vec<Warning>> {
        let Self { options, folders, accounts, warnings, .. } = &mut self;
        folders.finish(options, accounts, |head, what| {
            warnings.push(Warning::new(&head.path, head.start, what));
        })?;
        Ok(self.warnings.take())
    }

    fn put<R: Read>(&mut self, entry: &mut EntryReader<'_, R>, head: &Head) -> Result<Extracted> {
        let notice = |what: String| Warning::notice(&head.path, head.start, what);
        match head.kind {
            EntryKind::CharDevice | EntryKind::BlockDevice => {
                return Ok(Extracted::Skipped("devices are not made"));
            }
            EntryKind::Other(b'M') => {
                return Ok(Extracted::Skipped("it is continued from another archive"));
            }
            EntryKind::Other(b'V') => {
                self.warnings.push(notice("it is the name of the archive, and no file".into()));
                return Ok(Extracted::Done);
            }
            EntryKind::Other(kind) => self.warnings.push(notice(format!(
                "its kind '{}' is not known; it is extracted as a file",
                kind.escape_ascii()
            ))),
            _ => {}
        }
        if let Some(Unreadable::Damaged(what)) = head.unreadable {
            return Err(Error::unnamed(what));
        }
        self.tell_of_slashes(head);
        let path = split(path_of(head))?;
        if head.kind == EntryKind::Directory {
            return self.folders.make(&path, head, &self.options);
        }
        let Some((last, before)) = path.split_last() else {
            return Err(Error::unnamed("it has the name of the folder that it would be in"));
        };
        if head.kind.has_data() {
            self.reserve(head.size)?;
        }
        match head.kind {
            EntryKind::HardLink => self.put_hard_link(head, before, last),
            EntryKind::Symlink if head.link.is_empty() => {
                Err(Error::unnamed("it is a link to nothing"))
            }
            EntryKind::Symlink => self.put_node(head, before, last, |folder, name| {
                symlinkat(&head.link[..], folder, name)
            }),
            EntryKind::Fifo => {
                let mode = Mode::from_raw_mode(head.mode & 0o777);
                self.put_node(head, before, last, |folder, name| {
                    mknodat(folder, name, FileType::Fifo, mode, 0)
                })
            }
            _ => self.put_file(entry, head, before, last),
        }
    }

    /// Tells once of names, and once of targets, that begin with a `/`.
    fn tell_of_slashes(&mut self, head: &Head) {
        let told = |names| format!("the / at the beginning of {names} is removed");
        if head.path.starts_with(b"/") {
            self.warnings.push(Warning::notice(b"", 0, told("names")));
        }
        if head.kind == EntryKind::HardLink && head.link.starts_with(b"/") {
            self.warnings.push(Warning::notice(b"", 0, told("targets of hard links")));
        }
    }

    fn put_hard_link(&mut self, head: &Head, before: &[&[u8]], last: &[u8]) -> Result<Extracted> {
        let path = split(relative(&head.link))?;
        let Some((target, target_before)) = path.split_last() else {
            return Err(Error::unnamed("it is a link to nothing"));
        };
        let target_folder = self.folders.existing(target_before)?;
        let named = || String::from_utf8_lossy(&head.link);
        let id = match (Place { folder: &target_folder, name: target }).look()? {
            None => {
                return Err(Error::unnamed(format!(
                    "it is a link to {}, which is missing",
                    named()
                )));
            }
            Some((FileType::Directory, _)) => {
                return Err(Error::unnamed(format!("it is a link to {}, a folder", named())));
            }
            Some((_, id)) => id,
        };
        let folder = self.folders.parent(before)?;
        let place = Place { folder, name: last };
        if place.look()?.is_some_and(|(_, there)| there == id) {
            return Ok(Extracted::Done);
        }
        let made = place.make(self.options.existing, |name| {
            linkat(&target_folder, *target, folder, name, AtFlags::empty())
        })?;
        let Some(made) = made else { return Ok(Extracted::Kept) };
        if made.settle()? {
            self.folders.forget();
        }
        Ok(Extracted::Done)
    }

    /// Makes a symbolic link or a pipe.
    fn put_node(
        &mut self,
        head: &Head,
        before: &[&[u8]],
        last: &[u8],
        create: impl Fn(&OwnedFd, &[u8]) -> rustix::io::Result<()>,
    ) -> Result<Extracted> {
        let folder = self.folders.parent(before)?;
        let place = Place { folder, name: last };
        let made = place.make(self.options.existing, |name| create(folder, name))?;
        let Some(made) = made else { return Ok(Extracted::Kept) };
        let mut setter = Setter::new(head, &self.options, &self.accounts);
        setter.link(folder, made.name());
        let failures = setter.failures;
        let replaced = made.settle()?;
        let link = place.look()?.filter(|(kind, _)| *kind == FileType::Symlink);
        if replaced {
            self.folders.forget();
        }
        if let Some((_, id)) = link {
            self.folders.note_link(id);
        }
        self.tell(head, failures);
        Ok(Extracted::Done)
    }

    fn put_file<R: Read>(
        &mut self,
        entry: &mut EntryReader<'_, R>,
        head: &Head,
        before: &[&[u8]],
        last: &[u8],
    ) -> Result<Extracted> {
        let place = Place { folder: self.folders.parent(before)?, name: last };
        let Some(made) = create(place, head, self.options.existing)? else {
            return Ok(Extracted::Kept);
        };
        let mut setter = Setter::new(head, &self.options, &self.accounts);
        if let Err(error) = write(entry, &made.value, head, &mut setter) {
            made.discard();
            return Err(error);
        }
        let failures = setter.failures;
        if made.settle()? {
            self.folders.forget();
        }
        self.tell(head, failures);
        Ok(Extracted::Done)
    }

    fn tell(&mut self, head: &Head, failures: Vec<String>) {
        for what in failures {
            self.warnings.push(Warning::new(&head.path, head.start, what));
        }
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
