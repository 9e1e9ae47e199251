//! How a command ends that goes on after failures.

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use uadk_compress_archive::{ArchiveReader, GzWarning, Note, Warning};

use super::archive::Archive;
use crate::error::Error;
use crate::report::report;
use crate::streams::tell;

/// Some files differ, or changed as they were read.
const DIFFERENT: u8 = 1;
/// Something was left out, refused or damaged.
pub(super) const FAILED: u8 = 2;

/// What went wrong with single files or entries, each reported when it happens.
#[derive(Debug, Default)]
pub(super) struct Status {
    /// Files and entries that are left out.
    pub(super) failures: u64,
    /// Whether files differ, or changed as they were read.
    pub(super) different: bool,
    /// Whether something odd was said that is no failure of a file.
    pub(super) warned: bool,
}

impl Status {
    /// Reports the error, and returns it only if no others can follow.
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

    /// Prints what there is to know of files that were added.
    pub(super) fn note_all(&mut self, notes: &[Note]) {
        for note in notes {
            tell!("uadk-compress: {note}");
            self.different |= note.status() == 1;
            self.failures += u64::from(note.status() > 1);
        }
    }

    /// Reports that a file or entry is left out.
    pub(super) fn left_out(&mut self, name: &str, why: impl std::fmt::Display) {
        tell!("uadk-compress: {name}: {why}");
        self.failures += 1;
    }

    /// Prints warnings; those that are mere notices don't change the status.
    pub(super) fn warn(&mut self, warnings: Vec<Warning>) {
        for warning in warnings {
            tell!("uadk-compress: {warning}");
            self.warned |= !warning.is_notice();
        }
    }

    /// Prints what was odd in an archive that has been read.
    pub(super) fn warn_of_archive(&mut self, archive: &Archive, reader: &mut ArchiveReader<File>) {
        self.warn(reader.take_warnings());
        for warning in reader.gz_warnings() {
            match warning {
                GzWarning::TrailingGarbage { offset } if archive.has_only_zeros(*offset) => {
                    continue;
                }
                // Data is missing at most behind the end of the tar.
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

/// Says that the index of an archive is not used, if that is so. What is read without it is whole.
pub(super) fn warn_of_index(reader: &ArchiveReader<File>) {
    if let Some(error) = reader.index_error() {
        tell!("uadk-compress: {error}; the archive is read without it");
    }
}
