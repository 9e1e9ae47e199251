//! The exit status of a command that continues after failures.

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use uadk_compress_archive::{ArchiveReader, GzWarning, Note, Warning};

use super::archive::Archive;
use crate::error::Error;
use crate::report::report;
use crate::streams::tell;

/// The exit status if files differ, or changed while they were read.
const DIFFERENT: u8 = 1;
/// The exit status if something was skipped, refused or damaged.
pub(super) const FAILED: u8 = 2;

/// Counts failures of single files or entries; each is reported when it happens.
#[derive(Debug, Default)]
pub(super) struct Status {
    /// The number of files and entries that were skipped.
    pub(super) failures: u64,
    /// Whether files differ, or changed while they were read.
    pub(super) different: bool,
    /// Whether there was a warning that is not a failure of a file.
    pub(super) warned: bool,
}

impl Status {
    /// Reports the error of an entry; returns any other error, which ends the command.
    pub(super) fn note(
        &mut self,
        archive: &Path,
        error: uadk_compress_archive::Error,
    ) -> Result<(), Error> {
        if !matches!(error, uadk_compress_archive::Error::Entry { .. }) {
            return Err(Error::archive(archive, error));
        }
        report(&error);
        self.failures += 1;
        Ok(())
    }

    /// Prints notes about files that were added.
    pub(super) fn note_all(&mut self, notes: &[Note]) {
        for note in notes {
            tell!("uadk-compress: {note}");
            self.different |= note.status() == 1;
            self.failures += u64::from(note.status() > 1);
        }
    }

    /// Reports that a file or entry is skipped.
    pub(super) fn skip(&mut self, name: &str, reason: impl std::fmt::Display) {
        tell!("uadk-compress: {name}: {reason}");
        self.failures += 1;
    }

    /// Prints warnings; notices don't change the status.
    pub(super) fn warn(&mut self, warnings: Vec<Warning>) {
        for warning in warnings {
            tell!("uadk-compress: {warning}");
            self.warned |= !warning.is_notice();
        }
    }

    /// Prints the warnings about an archive that has been read.
    pub(super) fn warn_about_archive(
        &mut self,
        archive: &Archive,
        reader: &mut ArchiveReader<File>,
    ) {
        self.warn(reader.take_warnings());
        for warning in reader.gz_warnings() {
            match warning {
                GzWarning::TrailingGarbage { offset } if archive.has_only_zeros(*offset) => {
                    continue;
                }
                // At most, data after the end of the tar is missing.
                GzWarning::NoEndMarker => {}
                _ => self.warned = true,
            }
            tell!("uadk-compress: {}: {warning}", archive.file.display());
        }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        if self.failures > 0 {
            report(&Error::Some { count: self.failures });
            ExitCode::from(FAILED)
        } else if self.warned {
            ExitCode::from(FAILED)
        } else if self.different {
            ExitCode::from(DIFFERENT)
        } else {
            ExitCode::SUCCESS
        }
    }
}

/// Warns if the index of an archive can't be used. Reading without it is still complete.
pub(super) fn warn_about_index(reader: &ArchiveReader<File>) {
    if let Some(error) = reader.index_error() {
        tell!("uadk-compress: {error}; the archive is read without it");
    }
}
