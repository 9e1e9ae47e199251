//! Making archives, and adding to them.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use uadk_compress_archive::{ArchiveWriter, EntryKind, Result as ArchiveResult, TreeWriter};

use super::job::{CreateJob, Lister, Start};
use super::library;
use super::lister::Listing;
use super::long::Row;
use super::names::{self, escaped, trimmed};
use super::status::Status;
use super::times::Time;
use super::totals::Totals;
use super::transform::Scope;
use super::walk::{Visitor, Walk};
use crate::error::Error;
use crate::streams;

/// Runs the job.
pub(super) fn run(job: &CreateJob) -> Result<Status, Error> {
    let totals = Totals::new(job.totals, job.level)?;
    let mut adder = Adder::new(job)?;
    let mut walk = Walk {
        rules: &job.walk,
        follow: job.store.dereference,
        above: Vec::new(),
        own: None,
        status: Status::default(),
    };
    if !job.dry_run {
        let (writer, own) = open(job, &totals, &mut adder)?;
        adder.writer = Some(writer);
        walk.own = own;
    }
    for operand in &job.operands {
        walk.operand(operand, &mut adder)?;
    }
    adder.finish(&totals)?;
    if job.remove_files && !job.dry_run {
        adder.remove(&mut walk.status);
    }
    Ok(walk.status)
}

type Opened = (ArchiveWriter<File>, Option<(u64, u64)>);

/// Opens the archive, and tells the adder what is in it.
fn open(job: &CreateJob, totals: &Totals, adder: &mut Adder<'_>) -> Result<Opened, Error> {
    let archive = &job.archive;
    let failed = |error| archive.failed(error);
    let options = archive.options(job.level, totals);
    if job.start != Start::New && archive.is_dash() {
        let what = "nothing can be appended to a pipe, and it can't be resumed";
        return Err(Error::refused(what, Some("give a file with -f")));
    }
    let identity = |file: &File| {
        let metadata = file.metadata().map_err(|error| Error::file(&archive.file, error))?;
        Ok::<_, Error>(metadata.is_file().then(|| (metadata.dev(), metadata.ino())))
    };
    match job.start {
        Start::New => {
            let file = archive.create()?;
            if file.is_terminal() {
                let what = "an archive is not written to a terminal";
                return Err(Error::refused(what, Some("give a file with -f")));
            }
            let own = identity(&file)?;
            Ok((options.writer(file).map_err(failed)?, own))
        }
        Start::Resume { discard_damaged } => {
            let file = archive.update(true)?;
            let own = identity(&file)?;
            let options = options.discard_damaged(discard_damaged);
            let (writer, recovered) = options.resume(file).map_err(failed)?;
            let names = recovered.entries.iter().map(|entry| trimmed(entry.path_bytes()).to_vec());
            adder.present = names.collect();
            Ok((writer, own))
        }
        Start::Append { create } if create && !archive.file.exists() => {
            let file = archive.create()?;
            let own = identity(&file)?;
            Ok((options.writer(file).map_err(failed)?, own))
        }
        Start::Append { .. } | Start::Update => {
            if job.start == Start::Update {
                let mut reader = archive.reader()?;
                let index = reader.index().map_err(failed)?;
                let times = index.entries().iter();
                let times = times.map(|e| (trimmed(e.path_bytes()).to_vec(), (e.mtime(), 0)));
                adder.stored = times.collect();
            }
            let file = archive.update(false)?;
            let own = identity(&file)?;
            Ok((options.append(file).map_err(failed)?, own))
        }
    }
}

/// Adds what a walk finds.
struct Adder<'a> {
    job: &'a CreateJob,
    writer: Option<ArchiveWriter<File>>,
    tree: TreeWriter,
    /// Names that are in an archive that is resumed.
    present: HashSet<Vec<u8>>,
    /// The times of what is in an archive that is updated.
    stored: HashMap<Vec<u8>, Time>,
    listing: Listing,
    bar: ProgressBar,
    /// What was added, and whether it is a folder.
    added: Vec<(PathBuf, bool)>,
    told_of_cut_names: bool,
}

impl<'a> Adder<'a> {
    fn new(job: &'a CreateJob) -> Result<Self, Error> {
        let quiet = job.lister != Lister::Nowhere;
        Ok(Self {
            job,
            writer: None,
            tree: library::tree_writer(&job.store)?,
            present: HashSet::new(),
            stored: HashMap::new(),
            listing: Listing::new(job.lister, job.style)?,
            bar: if quiet { ProgressBar::hidden() } else { streams::progress(None) },
            added: Vec::new(),
            told_of_cut_names: false,
        })
    }

    /// The name in the archive; `None` if it can't be there, which has been said.
    fn stored_name(&mut self, status: &mut Status, name: &[u8]) -> Option<Vec<u8>> {
        if self.job.store.absolute_names {
            return Some(self.job.transform.rename(name, Scope::Member));
        }
        let leads_out = name.split(|byte| *byte == b'/').any(|part| part == b"..");
        if leads_out && self.job.walk.refuse_parents {
            let why = "a name with .. in it can't be in an archive; use -C";
            status.left_out(&escaped(name), why);
            return None;
        }
        let safe = names::safe(name);
        let cut = &name[..name.len().saturating_sub(safe.len())];
        if !cut.is_empty() && !self.told_of_cut_names && !self.job.walk.refuse_parents {
            self.told_of_cut_names = true;
            eprintln!("uadk-compress: {} is cut off the names of members", escaped(cut));
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

    fn finish(&mut self, totals: &Totals) -> Result<(), Error> {
        self.bar.finish_and_clear();
        self.listing.finish()?;
        if let Some(writer) = self.writer.take() {
            let tar_len = writer.tar_len();
            writer.finish().map_err(|error| self.job.archive.failed(error))?;
            totals.print("written", tar_len, &self.job.archive.file);
        }
        Ok(())
    }

    /// Removes what was added, folders last and only if nothing is left in them.
    fn remove(&self, status: &mut Status) {
        let files = self.added.iter().filter(|(_, is_folder)| !is_folder);
        let folders = self.added.iter().rev().filter(|(_, is_folder)| *is_folder);
        for (path, is_folder) in files.chain(folders) {
            let removed = if *is_folder { fs::remove_dir(path) } else { fs::remove_file(path) };
            if let Err(error) = removed {
                status.left_out(&path.display().to_string(), format!("can't be removed: {error}"));
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
        if self.present.contains(trimmed(&stored)) {
            self.tree.note(metadata, stored_path);
            return Ok(());
        }
        if let Some((seconds, _)) = self.stored.get(trimmed(&stored))
            && *seconds >= metadata.mtime()
        {
            self.tree.note(metadata, stored_path);
            return Ok(());
        }
        let target = metadata.is_symlink().then(|| fs::read_link(disk)).and_then(Result::ok);
        let target = target.as_ref().map(|target| target.as_os_str().as_bytes());
        let link = target.map(|target| self.job.transform.rename(target, Scope::Symlink));
        let shown = if self.job.show_stored { &stored[..] } else { name };
        // Sockets are left out, which is told.
        if self.job.lister != Lister::Nowhere && !metadata.file_type().is_socket() {
            self.list(shown, metadata, link.as_deref())?;
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let before = writer.tar_len();
        let new_link = link.as_deref().filter(|link| Some(*link) != target);
        let own = (metadata.mtime(), u32::try_from(metadata.mtime_nsec()).unwrap_or(0));
        self.tree = std::mem::take(&mut self.tree).mtime(self.job.store.mtime_of(own));
        match self.tree.append_renamed(writer, disk, stored_path, new_link) {
            Ok(added) => {
                status.note_all(&added.notes);
                self.added.push((disk.to_owned(), added.metadata.is_dir()));
            }
            Err(_) if self.job.walk.ignore_failed_read && disk_is_unreadable(disk) => {
                eprintln!("uadk-compress: {}: it can't be read; left out", escaped(name));
            }
            Err(error) => status.note(&self.job.archive.file, error)?,
        }
        self.bar.inc(writer.tar_len() - before);
        Ok(())
    }
}

fn disk_is_unreadable(disk: &Path) -> bool {
    disk.is_file() && File::open(disk).is_err()
}
