//! The members of an archive that a command is about.

use std::fs::File;
use std::path::{Path, PathBuf};

use uadk_compress_archive::{ArchiveReader, Entry, EntryKind, EntryReader};

use super::archive::Archive;
use super::job::Members;
use super::long::Row;
use super::meter::Meter;
use super::names::without_slash;
use super::status::{Status, warn_of_index};
use crate::error::Error;

impl Members {
    /// Opens the archive to read them.
    pub(super) fn reader(
        &self,
        archive: &Archive,
        meter: &Meter,
    ) -> Result<ArchiveReader<File>, Error> {
        let mut reader = archive.reader(meter)?;
        reader.ignore_zeros(self.ignore_zeros);
        Ok(reader)
    }

    /// The archive's name, if they are all that is in it.
    pub(super) fn whole<'a>(&self, archive: &'a Archive) -> Option<&'a Path> {
        let all = self.wanted.is_all() && self.exclude.is_empty() && self.newer.is_none();
        all.then_some(&archive.file)
    }

    /// The folder that a member belongs to, or `None` if it is not meant.
    pub(super) fn folder(&mut self, entry: &Entry, otherwise: &Path) -> Option<PathBuf> {
        let name = without_slash(entry.path_bytes());
        let folder = self.wanted.folder(name, otherwise)?.to_owned();
        let mtime = (entry.mtime(), entry.mtime_nanoseconds());
        let old = self.newer.is_some_and(|newer| mtime < newer.than);
        (!old && !self.exclude.matches(name)).then_some(folder)
    }

    /// Calls `each` with every member that is meant, and the folder that it belongs to.
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
            // With it, all is read on several threads, and nothing comes out before it is verified.
            is_indexed = reader.load_stored_index().map_err(failed)?;
            warn_of_index(reader);
        }
        // With names, an index saves reading what is not wanted. Without, what is before damage comes out.
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
                // What follows at once is not looked for.
                let next = last.is_some_and(|last: usize| last + 1 == n);
                let entry = if next { reader.next_entry() } else { reader.open_nth(n).map(Some) };
                if let Some(mut entry) = entry.map_err(failed)? {
                    each(&mut entry, &folder, status)?;
                }
                last = Some(n);
            }
        }
        status.warn_of_archive(archive, reader);
        Ok(())
    }
}

/// What a list says of an entry, under that name.
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

/// The target of a link.
pub(super) fn link_bytes(entry: &Entry) -> Option<&[u8]> {
    entry.link().map(|link| link.as_os_str().as_encoded_bytes())
}
