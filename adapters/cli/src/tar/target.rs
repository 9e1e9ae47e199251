//! The archive that is created or appended to.

use std::collections::{HashMap, HashSet};
use std::fs::{File, Metadata};
use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;

use uadk_compress_archive::{ArchiveWriter, Layout};

use super::archive::{Archive, layout_in};
use super::job::{CreateJob, Start};
use super::meter::Meter;
use super::names::trimmed;
use super::times::Time;
use super::undo::Undo;
use super::walk::OwnFiles;
use crate::error::Error;
use crate::output::{Attributes, Output};
use crate::streams::tell;

/// The existing contents of an archive that is added to.
#[derive(Debug, Default)]
pub(super) struct Present {
    /// The names in an archive that is resumed.
    pub(super) names: HashSet<Vec<u8>>,
    /// The times of the members in an archive that is updated.
    pub(super) times: HashMap<Vec<u8>, Time>,
}

/// An archive that is being written.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) writer: ArchiveWriter<Undo>,
    /// The output that is renamed at the end; `None` if the archive is written in place.
    output: Option<Output>,
    pub(super) own: OwnFiles,
    meter: Meter,
    /// The previous length of the tar.
    old: u64,
}

impl Target {
    /// Opens the archive of a job, and fills `present` with its existing contents.
    pub(super) fn open(job: &CreateJob, present: &mut Present) -> Result<Self, Error> {
        let archive = &job.archive;
        if job.start != Start::New && archive.is_dash() {
            let what = "a pipe can't be appended to or resumed";
            return Err(Error::refused(what, Some("pass a file with -f")));
        }
        match job.start {
            Start::New => Self::new(job),
            Start::Append { create } if create && !archive.file.exists() => Self::new(job),
            Start::Update if !archive.file.exists() => Self::new(job),
            Start::Resume { discard_damaged } => Self::resume(job, discard_damaged, present),
            Start::Append { .. } | Start::Update => {
                let file = archive.update(false)?;
                let meter = meter(job, layout_in(&file, job.layout))?;
                if job.start == Start::Update {
                    let mut reader = archive.reader(&meter)?;
                    let index = reader.index().map_err(|error| archive.failed(error))?;
                    let times = index.entries().iter();
                    let times = times.map(|e| (trimmed(e.path_bytes()).to_vec(), (e.mtime(), 0)));
                    present.times = times.collect();
                }
                let own = OwnFiles { archive: identity(archive, &file)?, unfinished: None };
                let file = Undo::new(file).map_err(|error| Error::file(&archive.file, error))?;
                let writer = archive.options(&meter).plain(job.plain).append(file);
                let writer = writer.map_err(|error| archive.failed(error))?;
                Ok(Self { old: writer.tar_len(), writer, output: None, own, meter })
            }
        }
    }

    fn new(job: &CreateJob) -> Result<Self, Error> {
        let archive = &job.archive;
        let meter = meter(job, job.layout)?;
        // The old archive must not be added to the one that replaces it.
        let replaced = archive.file.metadata().ok().filter(Metadata::is_file);
        let (file, output) = archive.create()?;
        if file.is_terminal() {
            let what = "refusing to write an archive to a terminal";
            return Err(Error::refused(what, Some("pass a file with -f")));
        }
        let mut own = OwnFiles {
            archive: replaced.map(|metadata| (metadata.dev(), metadata.ino())),
            unfinished: identity(archive, &file)?,
        };
        if output.is_none() || own.archive == own.unfinished {
            own = OwnFiles { archive: own.unfinished, unfinished: None };
        }
        let options = archive.options(&meter).layout(job.layout).plain(job.plain);
        let writer = options.writer(Undo::without(file));
        let writer = writer.map_err(|error| archive.failed(error))?;
        Ok(Self { writer, output, own, meter, old: 0 })
    }

    fn resume(job: &CreateJob, discard: bool, present: &mut Present) -> Result<Self, Error> {
        let archive = &job.archive;
        let output = Output::resume(&archive.file)?;
        let file = match &output {
            None => archive.update(true)?,
            Some(output) => {
                let path = output.partial_path().unwrap_or(&archive.file).display();
                tell!("uadk-compress: resuming {path}, left by an interrupted run");
                let file = output.file().try_clone();
                file.map_err(|error| Error::file(&archive.file, error))?
            }
        };
        let meter = meter(job, layout_in(&file, job.layout))?;
        let mut own = OwnFiles { archive: identity(archive, &file)?, unfinished: None };
        if output.is_some() {
            let existing = File::open(&archive.file).ok();
            let existing = existing.map_or(Ok(None), |file| identity(archive, &file))?;
            own = OwnFiles { archive: existing, unfinished: own.archive };
        }
        let options = archive.options(&meter).layout(job.layout).discard_damaged(discard);
        let resumed = options.resume(Undo::without(file));
        let (writer, recovered) = resumed.map_err(|error| archive.failed(error))?;
        let names = recovered.entries.iter().map(|entry| trimmed(entry.path_bytes()).to_vec());
        present.names = names.collect();
        Ok(Self { old: writer.tar_len(), writer, output, own, meter })
    }

    /// Writes the end of the archive, renames it to its final name, and reports the totals.
    pub(super) fn finish(self, archive: &Archive) -> Result<(), Error> {
        let Self { writer, output, meter, old, .. } = self;
        let tar_len = writer.tar_len();
        writer.finish().map_err(|error| archive.failed(error))?.keep();
        if let Some(output) = output {
            output.finish(Attributes::Usual)?;
        }
        meter.print_written(tar_len - old, tar_len, &archive.file);
        Ok(())
    }
}

fn meter(job: &CreateJob, layout: Layout) -> Result<Meter, Error> {
    Meter::new(job.summary, job.level, Some(layout))
}

/// Returns device and inode of a regular file.
fn identity(archive: &Archive, file: &File) -> Result<Option<(u64, u64)>, Error> {
    let metadata = file.metadata().map_err(|error| Error::file(&archive.file, error))?;
    Ok(metadata.is_file().then(|| (metadata.dev(), metadata.ino())))
}
