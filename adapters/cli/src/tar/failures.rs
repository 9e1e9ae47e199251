//! Failures that leave other entries to do.

use std::path::Path;

use crate::error::Error;
use crate::report::report;

/// Failures of single files or entries, each reported when it happens.
#[derive(Debug, Default)]
pub(super) struct Failures {
    pub(super) count: u64,
}

impl Failures {
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
        self.count += 1;
        Ok(())
    }

    pub(super) fn result(self) -> Result<(), Error> {
        if self.count == 0 { Ok(()) } else { Err(Error::Some { count: self.count }) }
    }
}
