//! Extracts an archive.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use uadk_compress_archive::{Entry, EntryKind, EntryReader, Extracted, Extractor};

use super::job::{ExtractJob, Lister, Members};
use super::library;
use super::lister::Listing;
use super::members::{link_bytes, row};
use super::meter::Meter;
use super::names::{self, escaped, without_slash};
use super::status::Status;
use super::transform::{Scope, Transform};
use crate::error::Error;
use crate::streams;
use crate::streams::tell;

/// Runs the job.
pub(super) fn run(mut job: ExtractJob) -> Result<Status, Error> {
    let mut meter = Meter::for_reader(job.summary)?;
    let mut members = std::mem::take(&mut job.members);
    let archive = &job.archive;
    let mut reader = members.reader(archive, &meter)?;
    let quiet = job.lister != Lister::Nowhere || job.to_stdout;
    let mut extraction = Extraction {
        job: &job,
        extractors: Vec::new(),
        listing: Listing::new(job.lister, job.style)?,
        stdout: if job.to_stdout { Some(streams::stdout()?) } else { None },
        bytes: 0,
        bar: if quiet { ProgressBar::hidden() } else { streams::progress(None) },
    };
    let mut status = Status::default();
    let done = members.for_each(
        archive,
        &mut reader,
        &job.folder,
        &mut status,
        |entry, folder, status| extraction.one(entry, folder, status),
    );
    // Directories get their times even if the archive turns out to be damaged.
    let bytes = extraction.bytes;
    let finished = extraction.finish(&mut status);
    done.and(finished)?;
    report_missing(&members, &mut status);
    meter.count(&reader);
    meter.print("read", bytes, members.whole(archive));
    // The program ends: the system frees memory faster than dropping every entry.
    std::mem::forget(reader);
    Ok(status)
}

/// Reports names that matched no member.
pub(super) fn report_missing(members: &Members, status: &mut Status) {
    status.failures += members.wanted.report_missing();
}

struct Extraction<'a> {
    job: &'a ExtractJob,
    /// One for each directory.
    extractors: Vec<(PathBuf, Extractor)>,
    listing: Listing,
    stdout: Option<File>,
    bytes: u64,
    bar: ProgressBar,
}

impl Extraction<'_> {
    fn one(
        &mut self,
        entry: &mut EntryReader<'_, File>,
        folder: &Path,
        status: &mut Status,
    ) -> Result<(), Error> {
        let Some((name, link)) = renamed(&self.job.transform, entry.entry()) else { return Ok(()) };
        self.bytes += entry.entry().size();
        self.bar.inc(entry.entry().size());
        if self.job.lister != Lister::Nowhere {
            let shown = name.as_deref().filter(|_| self.job.show_transformed);
            let shown = shown.unwrap_or(entry.entry().path_bytes());
            self.listing.push(&row(entry.entry(), shown, link_bytes(entry.entry())))?;
        }
        if self.job.dry_run {
            return Ok(());
        }
        if let Some(stdout) = &mut self.stdout {
            if entry.entry().kind() == EntryKind::File {
                io::copy(entry, stdout).map_err(|error| self.job.archive.failed(error.into()))?;
            }
            return Ok(());
        }
        let text = escaped(name.as_deref().unwrap_or(entry.entry().path_bytes()));
        if self.job.keep_newer && is_newer(folder, name.as_deref(), entry.entry()) {
            tell!("uadk-compress: {text}: the existing file is newer or the same age; kept");
            return Ok(());
        }
        let extractor = self.extractor(folder)?;
        let done = library::extract_as(extractor, entry, name.as_deref(), link.as_deref());
        status.warn(extractor.take_warnings());
        match done {
            Ok(Extracted::Skipped(reason)) => {
                status.skip(&text, format!("skipped: {reason}"));
            }
            Ok(_) => {}
            Err(error) => status.note(&self.job.archive.file, error)?,
        }
        Ok(())
    }

    fn extractor(&mut self, folder: &Path) -> Result<&mut Extractor, Error> {
        let known = self.extractors.iter().position(|(known, _)| known == folder);
        let index = if let Some(index) = known {
            index
        } else {
            let options = library::extract_options(&self.job.restore);
            let extractor = Extractor::new(folder, options);
            let extractor = extractor.map_err(|error| self.job.archive.failed(error))?;
            self.extractors.push((folder.to_owned(), extractor));
            self.extractors.len() - 1
        };
        Ok(&mut self.extractors[index].1)
    }

    fn finish(mut self, status: &mut Status) -> Result<(), Error> {
        self.bar.finish_and_clear();
        self.listing.finish()?;
        for (_, extractor) in self.extractors {
            match extractor.finish() {
                Ok(warnings) => status.warn(warnings),
                Err(error) => status.note(&self.job.archive.file, error)?,
            }
        }
        Ok(())
    }
}

/// The new name and the new link target of a member, if they differ from the archive's.
type Renamed = (Option<Vec<u8>>, Option<Vec<u8>>);

/// Renames a member; `None` if nothing is left of the name.
fn renamed(transform: &Transform, entry: &Entry) -> Option<Renamed> {
    if transform.is_none() {
        return Some((None, None));
    }
    let old = without_slash(entry.path_bytes());
    let new = transform.member(old, Scope::Member);
    if new.is_empty() {
        return None;
    }
    let scope = Scope::for_target(entry.kind());
    let link = link_bytes(entry).map(|link| (link, transform.member(link, scope)));
    let link = link.filter(|(old, new)| old != new).map(|(_, new)| new);
    Some(((new != old).then_some(new), link))
}

/// Returns whether the file on disk is newer than the entry or the same age.
fn is_newer(folder: &Path, name: Option<&[u8]>, entry: &Entry) -> bool {
    let name = names::without_slash(names::safe(name.unwrap_or(entry.path_bytes())));
    let existing = folder.join(OsStr::from_bytes(name)).symlink_metadata();
    existing.is_ok_and(|existing| !existing.is_dir() && existing.mtime() >= entry.mtime())
}
