//! Opens snapshots.

use std::fs::File;
use std::path::{Path, PathBuf};

use uadk_compress_pages::Error as PagesError;
use uadk_compress_pages::snapshot::{Chain, Snapshot};

use crate::error::Error;

pub(super) fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|source| Error::read(path, source))
}

pub(super) fn open_snapshot(path: &Path) -> Result<Snapshot<File>, Error> {
    Snapshot::open(open(path)?).map_err(|source| Error::snapshot(path, source))
}

/// Opens a base and its deltas.
pub(super) fn open_chain(paths: &[PathBuf]) -> Result<Chain<File>, Error> {
    let layers = paths.iter().map(|path| open_snapshot(path)).collect::<Result<Vec<_>, _>>()?;
    Chain::new(layers).map_err(|source| {
        // The error has the number of the file that does not fit, starting at 1.
        let number = if let PagesError::Chain(number) = source { number } else { 1 };
        let path = paths.get(number.saturating_sub(1)).or(paths.last());
        Error::snapshot(path.map_or(Path::new("-"), PathBuf::as_path), source)
    })
}
