//! The members of an archive that a command works on.

use std::fs::File;
use std::path::{Path, PathBuf};

use uadk_compress_archive::{ArchiveReader, Entry, EntryKind, EntryReader};

use super::archive::Archive;
use super::job::Members;
use super::long::Row;
use super::meter::Meter;
use super::names::without_slash;
use super::status::{Status, warn_about_index};
use crate::error::Error;

impl Members {
    /// Opens the archive for reading.
    pub(super) fn reader(
        &self,
        archive: &Archive,
        meter: &Meter,
    ) -> Result<ArchiveReader<File>, Error> {
        let mut reader = archive.reader(meter)?;
        reader.ignore_zeros(self.ignore_zeros);
        Ok(reader)
    }

    /// Returns the archive's name if all members are selected.
    pub(super) fn whole<'a>(&self, archive: &'a Archive) -> Option<&'a Path> {
        let all = self.wanted.is_all() && self.exclude.is_empty() && self.newer.is_none();
        all.then_some(&archive.file)
    }

    /// Returns the directory for a member, or `None` if it is not selected.
    pub(super) fn folder(&mut self, entry: &Entry, otherwise: &Path) -> Option<PathBuf> {
        let name = without_slash(entry.path_bytes());
        let folder = self.wanted.folder(name, otherwise)?.to_owned();
        let mtime = (entry.mtime(), entry.mtime_nanoseconds());
        let old = self.newer.is_some_and(|newer| mtime < newer.than);
        (!old && !self.exclude.matches(name)).then_some(folder)
    }

    /// Calls `each` with every member that is selected, and its directory.
    pub(super) fn for_each(
        &mut self,
        archive: &Archive,
        reader: &mut ArchiveReader<File>,
        otherwise: &Path,
        status: &mut Status,
        mut each: impl FnMut(&mut EntryReader<'_, File>, &Path, &mut Status) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let failed = |error| archive.failed(error);
        let mut is_indexed = false;
        if archive.is_seekable() {
            // With an index, data is read on several threads and verified before it is returned.
            is_indexed = reader.load_stored_index().map_err(failed)?;
            warn_about_index(reader);
        }
        // With names, an index saves reading other members. Reading in order returns everything
        // before damaged data.
        if self.wanted.is_all() || self.ignore_zeros || !is_indexed {
            while let Some(mut entry) = reader.next_entry().map_err(failed)? {
                if let Some(folder) = self.folder(entry.entry(), otherwise) {
                    each(&mut entry, &folder, status)?;
                }
            }
        } else {
            let index = reader.index().map_err(failed)?;
            let entries = index.entries().iter().enumerate();
            let wanted = entries.filter_map(|(n, entry)| Some((n, self.folder(entry, otherwise)?)));
            let wanted: Vec<_> = wanted.collect();
            let mut last = None;
            for (n, folder) in wanted {
                // No seek if it follows immediately.
                let next = last.is_some_and(|last: usize| last + 1 == n);
                let entry = if next { reader.next_entry() } else { reader.open_nth(n).map(Some) };
                if let Some(mut entry) = entry.map_err(failed)? {
                    each(&mut entry, &folder, status)?;
                }
                last = Some(n);
            }
        }
        status.warn_about_archive(archive, reader);
        Ok(())
    }
}

/// Returns the row of an entry in a listing, under `name`.
pub(super) fn row<'a>(entry: &'a Entry, name: &'a [u8], link: Option<&'a [u8]>) -> Row<'a> {
    let device = match entry.kind() {
        EntryKind::CharDevice | EntryKind::BlockDevice => entry.device(),
        _ => None,
    };
    Row {
        name,
        kind: entry.kind(),
        mode: entry.mode(),
        size: entry.size(),
        mtime: (entry.mtime(), entry.mtime_nanoseconds()),
        uid: entry.uid(),
        gid: entry.gid(),
        user: entry.user_name(),
        group: entry.group_name(),
        device,
        link,
    }
}

/// Returns the target of a link.
pub(super) fn link_bytes(entry: &Entry) -> Option<&[u8]> {
    entry.link().map(|link| link.as_os_str().as_encoded_bytes())
}
