//! `tar extract`.

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;

use indicatif::ProgressBar;
use uadk_compress_archive::{ArchiveReader, EntryReader, ExtractOptions, Extracted, Extractor};

use super::archive::Archive;
use super::exclude::Exclude;
use super::failures::Failures;
use super::names::{Wanted, escaped, trimmed};
use crate::error::Error;
use crate::{size, streams};

/// Extracts an archive, or some of it, into a folder and nowhere else
///
/// Names that are absolute or have .. in them are refused, and nothing is written through symbolic links.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools)] // Flags of the command line.
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: Archive,
    /// Entries to extract, folders with all that is in them; all if none is given
    #[arg(value_name = "NAME")]
    names: Vec<OsString>,
    /// The folder to extract into
    #[arg(short = 'C', long, value_name = "FOLDER", default_value = ".")]
    directory: PathBuf,
    /// Leave out names that match; * stands for / too
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<OsString>,
    /// Give files exactly their permissions, with setuid, setgid and sticky bits
    #[arg(short = 'p', long, visible_alias = "same-permissions")]
    preserve_permissions: bool,
    /// Give files their owner and group, by number
    #[arg(long)]
    same_owner: bool,
    /// Set extended attributes (those of users)
    #[arg(long)]
    xattrs: bool,
    /// Replace no files
    #[arg(short, long)]
    keep_old_files: bool,
    /// Stop before more than this would be extracted, holes included
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    max_size: Option<usize>,
    /// List names as they are extracted
    #[arg(short, long)]
    verbose: bool,
}

/// Runs `tar extract`.
pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    let options = ExtractOptions::new()
        .permissions(arguments.preserve_permissions)
        .owner(arguments.same_owner)
        .xattrs(arguments.xattrs)
        .keep_old(arguments.keep_old_files)
        .max_size(arguments.max_size.map(|size| size as u64));
    let archive = &arguments.archive;
    let mut reader = archive.reader()?;
    let extractor =
        Extractor::new(&arguments.directory, options).map_err(|error| archive.failed(error))?;
    let hidden = arguments.verbose;
    let mut extraction = Extraction {
        arguments,
        extractor,
        wanted: Wanted::new(&arguments.names),
        exclude: Exclude::new(&arguments.exclude),
        failures: Failures::default(),
        bar: if hidden { ProgressBar::hidden() } else { streams::progress(None) },
    };
    // With names, an index saves reading what is not wanted.
    if !extraction.wanted.is_all() && archive.is_seekable() {
        extraction.some(&mut reader)?;
    } else {
        extraction.all(&mut reader)?;
    }
    extraction.finish()
}

struct Extraction<'a> {
    arguments: &'a Arguments,
    extractor: Extractor,
    wanted: Wanted,
    exclude: Exclude,
    failures: Failures,
    bar: ProgressBar,
}

impl Extraction<'_> {
    fn all(&mut self, reader: &mut ArchiveReader<File>) -> Result<(), Error> {
        let archive = &self.arguments.archive;
        while let Some(mut entry) = reader.next_entry().map_err(|error| archive.failed(error))? {
            let name = entry.entry().path_bytes();
            if self.wanted.includes(name) && !self.exclude.matches(trimmed(name)) {
                self.one(&mut entry)?;
            }
        }
        Ok(())
    }

    fn some(&mut self, reader: &mut ArchiveReader<File>) -> Result<(), Error> {
        let archive = &self.arguments.archive;
        let index = reader.index().map_err(|error| archive.failed(error))?;
        let entries = index.entries().iter().enumerate();
        let wanted: Vec<usize> = entries
            .filter(|(_, entry)| self.wanted.includes(entry.path_bytes()))
            .filter(|(_, entry)| !self.exclude.matches(trimmed(entry.path_bytes())))
            .map(|(n, _)| n)
            .collect();
        let mut last = None;
        for n in wanted {
            // What follows at once is not looked for.
            let next = last.is_some_and(|last: usize| last + 1 == n);
            let entry = if next { reader.next_entry() } else { reader.open_nth(n).map(Some) };
            if let Some(mut entry) = entry.map_err(|error| archive.failed(error))? {
                self.one(&mut entry)?;
            }
            last = Some(n);
        }
        Ok(())
    }

    fn one(&mut self, entry: &mut EntryReader<'_, File>) -> Result<(), Error> {
        let name = entry.entry().path_bytes().to_vec();
        match self.extractor.extract(entry) {
            Ok(Extracted::Skipped(why)) => {
                eprintln!("uadk-compress: {}: left out: {why}", escaped(&name));
            }
            Ok(_) if self.arguments.verbose => eprintln!("{}", escaped(&name)),
            Ok(_) => {}
            Err(error) => self.failures.note(&self.arguments.archive.file, error)?,
        }
        self.bar.inc(entry.entry().size());
        Ok(())
    }

    fn finish(mut self) -> Result<(), Error> {
        self.bar.finish_and_clear();
        self.failures.count += self.wanted.tell_missing();
        if let Err(error) = self.extractor.finish() {
            self.failures.note(&self.arguments.archive.file, error)?;
        }
        self.failures.result()
    }
}
