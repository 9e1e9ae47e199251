//! Extraction of entries to disk, confined to one directory.

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

/// Extracts entries to disk below one directory.
///
/// A leading `/` is removed from names, and names that contain `..` are refused. Nothing is written
/// through a symbolic link, whether it comes from the archive or existed before. An existing file
/// is replaced only when the new one is complete. A file that turns out to be damaged is removed
/// again.
///
/// Attributes of an extracted file that can't be set are reported as a [`Warning`].
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
    /// Creates an extractor for an existing directory.
    ///
    /// # Errors
    ///
    /// If the directory can't be opened.
    pub fn new(folder: &Path, options: ExtractOptions) -> Result<Self> {
        let folders = Folders::open(folder, options.keep_directory_symlink).map_err(|errno| {
            let path = folder.as_os_str().as_encoded_bytes();
            Error::entry_from(path, "the directory can't be opened", errno)
        })?;
        let (accounts, warnings) = (Accounts::default(), Warnings::default());
        Ok(Self { options, folders, accounts, written: 0, warnings })
    }

    /// Extracts one entry and creates the directories that it needs. Times, permissions and
    /// attributes of directories are set last, by [`finish`](Self::finish).
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] with its name. Other entries can still be extracted, unless the archive is
    /// damaged.
    pub fn extract<R: Read>(&mut self, entry: &mut EntryReader<'_, R>) -> Result<Extracted> {
        let name = entry.head().path.clone();
        self.extract_renamed(entry, &name, None)
    }

    /// Like [`extract`](Self::extract), under a different name.
    ///
    /// # Errors
    ///
    /// See [`extract`](Self::extract).
    pub fn extract_as<R: Read>(
        &mut self,
        entry: &mut EntryReader<'_, R>,
        name: &[u8],
    ) -> Result<Extracted> {
        self.extract_renamed(entry, name, None)
    }

    /// Like [`extract`](Self::extract), under a different name and, for a link, with a different
    /// target.
    ///
    /// # Errors
    ///
    /// See [`extract`](Self::extract).
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
        self.put(entry, &head).map_err(|error| error.for_entry(name, "can't be extracted"))
    }

    /// Returns the warnings since the last call, such as attributes that could not be set.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        self.warnings.take()
    }

    /// Sets the times, permissions and attributes of the directories. Returns the warnings that
    /// were not [taken](Self::take_warnings) yet.
    ///
    /// # Errors
    ///
    /// The first error, after all directories have been tried.
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
                return Ok(Extracted::Skipped("device nodes are not created"));
            }
            EntryKind::Other(b'M') => {
                return Ok(Extracted::Skipped("continued from another archive"));
            }
            EntryKind::Other(b'V') => {
                self.warnings.push(notice("volume label, not a file".into()));
                return Ok(Extracted::Done);
            }
            EntryKind::Other(kind) => self.warnings.push(notice(format!(
                "unknown type '{}', extracted as a regular file",
                kind.escape_ascii()
            ))),
            _ => {}
        }
        if let Some(Unreadable::Damaged(what)) = head.unreadable {
            return Err(Error::unnamed(what));
        }
        self.notice_leading_slashes(head);
        let path = split(path_of(head))?;
        if head.kind == EntryKind::Directory {
            return self.folders.make(&path, head, &self.options);
        }
        let Some((last, before)) = path.split_last() else {
            return Err(Error::unnamed("has the name of the target directory itself"));
        };
        if head.kind.has_data() {
            self.reserve(head.size)?;
        }
        match head.kind {
            EntryKind::HardLink => self.put_hard_link(head, before, last),
            EntryKind::Symlink if head.link.is_empty() => {
                Err(Error::unnamed("link without a target"))
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

    /// Adds a notice for the first name, and for the first hard link target, with a leading `/`.
    fn notice_leading_slashes(&mut self, head: &Head) {
        let removing = |names| format!("removing leading / from {names}");
        if head.path.starts_with(b"/") {
            self.warnings.push(Warning::notice(b"", 0, removing("member names")));
        }
        if head.kind == EntryKind::HardLink && head.link.starts_with(b"/") {
            self.warnings.push(Warning::notice(b"", 0, removing("hard link targets")));
        }
    }

    fn put_hard_link(&mut self, head: &Head, before: &[&[u8]], last: &[u8]) -> Result<Extracted> {
        let path = split(relative(&head.link))?;
        let Some((target, target_before)) = path.split_last() else {
            return Err(Error::unnamed("link without a target"));
        };
        let target_folder = self.folders.existing(target_before)?;
        let link = || String::from_utf8_lossy(&head.link);
        let id = match (Place { folder: &target_folder, name: target }).look()? {
            None => {
                let what = format!("hard link to {}, which does not exist", link());
                return Err(Error::unnamed(what));
            }
            Some((FileType::Directory, _)) => {
                return Err(Error::unnamed(format!("hard link to {}, a directory", link())));
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
        if made.commit()? {
            self.folders.forget();
        }
        Ok(Extracted::Done)
    }

    /// Creates a symbolic link or a pipe.
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
        let replaced = made.commit()?;
        let link = place.look()?.filter(|(kind, _)| *kind == FileType::Symlink);
        if replaced {
            self.folders.forget();
        }
        if let Some((_, id)) = link {
            self.folders.note_link(id);
        }
        self.warn(head, failures);
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
        if made.commit()? {
            self.folders.forget();
        }
        self.warn(head, failures);
        Ok(Extracted::Done)
    }

    fn warn(&mut self, head: &Head, failures: Vec<String>) {
        for what in failures {
            self.warnings.push(Warning::new(&head.path, head.start, what));
        }
    }

    /// Counts the bytes of a file towards the limit.
    fn reserve(&mut self, size: u64) -> Result<()> {
        let total = self.written.saturating_add(size);
        match self.options.max_size {
            Some(max) if total > max => Err(Error::unnamed(format!(
                "its {size} bytes would exceed the limit of {max} bytes in total"
            ))),
            _ => {
                self.written = total;
                Ok(())
            }
        }
    }
}
