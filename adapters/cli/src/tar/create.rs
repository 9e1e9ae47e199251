//! Creates archives, and appends to them.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use uadk_compress_archive::{EntryKind, Result as ArchiveResult, TreeWriter};

use super::job::{CreateJob, Lister};
use super::library;
use super::lister::Listing;
use super::long::Row;
use super::names::{self, escaped, trimmed};
use super::status::Status;
use super::target::{Present, Target};
use super::transform::Scope;
use super::walk::{OwnFiles, Visitor, Walk};
use crate::error::Error;
use crate::streams;
use crate::streams::tell;

/// Runs the job.
pub(super) fn run(job: &CreateJob) -> Result<Status, Error> {
    let mut adder = Adder::new(job)?;
    let mut walk = Walk {
        rules: &job.walk,
        follow: job.store.dereference,
        above: Vec::new(),
        own: OwnFiles::default(),
        status: Status::default(),
    };
    if !job.dry_run {
        let target = Target::open(job, &mut adder.present)?;
        walk.own = target.own;
        adder.target = Some(target);
    }
    for operand in &job.operands {
        walk.operand(operand, &mut adder)?;
    }
    adder.finish()?;
    if job.remove_files && !job.dry_run {
        adder.remove(&mut walk.status);
    }
    Ok(walk.status)
}

/// Adds the files that a walk finds.
struct Adder<'a> {
    job: &'a CreateJob,
    target: Option<Target>,
    tree: TreeWriter,
    present: Present,
    listing: Listing,
    bar: ProgressBar,
    /// The files that were added, with their metadata at that time.
    added: Vec<(PathBuf, Metadata)>,
    reported_cut_names: bool,
}

impl<'a> Adder<'a> {
    fn new(job: &'a CreateJob) -> Result<Self, Error> {
        let quiet = job.lister != Lister::Nowhere;
        Ok(Self {
            job,
            target: None,
            tree: library::tree_writer(&job.store),
            present: Present::default(),
            listing: Listing::new(job.lister, job.style)?,
            bar: if quiet { ProgressBar::hidden() } else { streams::progress(None) },
            added: Vec::new(),
            reported_cut_names: false,
        })
    }

    /// Returns the name in the archive; reports a name that can't be stored and returns `None`.
    fn stored_name(&mut self, status: &mut Status, name: &[u8]) -> Option<Vec<u8>> {
        let leads_out = name.split(|byte| *byte == b'/').any(|part| part == b"..");
        if leads_out && self.job.walk.refuse_parents {
            let reason = "names can't contain '..' (use -C to change the directory)";
            status.skip(&escaped(name), reason);
            return None;
        }
        let safe = names::safe(name);
        let cut = &name[..name.len().saturating_sub(safe.len())];
        if !cut.is_empty() && !self.reported_cut_names && !self.job.walk.refuse_parents {
            self.reported_cut_names = true;
            let cut = escaped(cut);
            tell!("uadk-compress: Removing leading `{cut}' from member names");
        }
        Some(self.job.transform.rename(safe, Scope::Member))
    }

    fn list(&mut self, name: &[u8], metadata: &Metadata, link: Option<&[u8]>) -> Result<(), Error> {
        let kind = metadata.file_type();
        let kind = match () {
            () if kind.is_dir() => EntryKind::Directory,
            () if kind.is_symlink() => EntryKind::Symlink,
            () => EntryKind::File,
        };
        self.listing.push(&Row {
            name,
            kind,
            mode: metadata.mode() & 0o7777,
            size: if kind == EntryKind::File { metadata.len() } else { 0 },
            mtime: (metadata.mtime(), 0),
            uid: metadata.uid().into(),
            gid: metadata.gid().into(),
            user: b"",
            group: b"",
            device: None,
            link,
        })
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.bar.finish_and_clear();
        self.listing.finish()?;
        self.target.take().map_or(Ok(()), |target| target.finish(&self.job.archive))
    }

    /// Removes the files that were added. Directories come last and are removed only if empty.
    fn remove(&self, status: &mut Status) {
        let files = self.added.iter().filter(|(_, metadata)| !metadata.is_dir());
        let folders = self.added.iter().rev().filter(|(_, metadata)| metadata.is_dir());
        for (path, metadata) in files.chain(folders) {
            if !metadata.is_dir() && !self.job.store.dereference && has_changed(path, metadata) {
                let reason = "changed since it was added; not removed";
                status.skip(&path.display().to_string(), reason);
                continue;
            }
            let removed =
                if metadata.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
            if let Err(error) = removed {
                status.skip(&path.display().to_string(), format!("can't be removed: {error}"));
            }
        }
    }
}

impl Visitor for Adder<'_> {
    fn metadata(&self, disk: &Path) -> ArchiveResult<Metadata> {
        self.tree.metadata(disk)
    }

    fn children(&self, disk: &Path) -> ArchiveResult<Vec<OsString>> {
        self.tree.children(disk)
    }

    fn visit(
        &mut self,
        status: &mut Status,
        disk: &Path,
        name: &[u8],
        metadata: &Metadata,
    ) -> Result<(), Error> {
        let Some(stored) = self.stored_name(status, name) else { return Ok(()) };
        let stored_path = Path::new(OsStr::from_bytes(&stored));
        if self.present.names.contains(trimmed(&stored)) {
            self.tree.note(metadata, stored_path);
            return Ok(());
        }
        if let Some((seconds, _)) = self.present.times.get(trimmed(&stored))
            && *seconds >= metadata.mtime()
        {
            self.tree.note(metadata, stored_path);
            return Ok(());
        }
        let target = metadata.is_symlink().then(|| fs::read_link(disk)).and_then(Result::ok);
        let target = target.as_ref().map(|target| target.as_os_str().as_bytes());
        let link = target.map(|target| self.job.transform.rename(target, Scope::Symlink));
        let shown = if self.job.show_stored { &stored[..] } else { name };
        // Sockets are skipped with a message.
        if self.job.lister != Lister::Nowhere && !metadata.file_type().is_socket() {
            self.list(shown, metadata, link.as_deref())?;
        }
        let Some(Target { writer, .. }) = &mut self.target else { return Ok(()) };
        let before = writer.tar_len();
        let new_link = link.as_deref().filter(|link| Some(*link) != target);
        let own = (metadata.mtime(), u32::try_from(metadata.mtime_nsec()).unwrap_or(0));
        self.tree = std::mem::take(&mut self.tree).mtime(self.job.store.mtime_of(own));
        match self.tree.append_renamed(writer, disk, stored_path, new_link) {
            Ok(added) => {
                status.note_all(&added.notes);
                self.added.push((disk.to_owned(), added.metadata));
            }
            Err(_) if self.job.walk.ignore_failed_read && disk_is_unreadable(disk) => {
                tell!("uadk-compress: {}: can't be read; skipped", escaped(name));
            }
            Err(error) => status.note(&self.job.archive.file, error)?,
        }
        self.bar.inc(writer.tar_len() - before);
        Ok(())
    }
}

/// Returns whether the file or its contents were replaced.
fn has_changed(path: &Path, stored: &Metadata) -> bool {
    let key = |metadata: &Metadata| {
        (metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec())
    };
    fs::symlink_metadata(path).is_ok_and(|now| key(&now) != key(stored))
}

fn disk_is_unreadable(disk: &Path) -> bool {
    disk.is_file() && File::open(disk).is_err()
}
