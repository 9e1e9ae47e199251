//! The archive that a command works on.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use uadk_compress_archive::{ArchiveOptions, ArchiveReader, Layout};

use super::meter::Meter;
use crate::error::Error;
use crate::output::{Links, Nodes, Output, Rules};
use crate::{size, streams};

/// The archive, and the resources to use.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Archive {
    /// The archive; - for stdin or stdout
    #[arg(short, long, value_name = "ARCHIVE")]
    pub(super) file: PathBuf,
    /// Number of threads that compress or decompress (default: one per CPU)
    #[arg(long, value_name = "N", value_parser = streams::threads)]
    pub(super) threads: Option<usize>,
    /// Memory limit for decompressing zstd and xz (default: 160M)
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    pub(super) memory_limit: Option<usize>,
}

impl Archive {
    /// Returns the options for reading, and for writing with the level of the meter's engine.
    pub(super) fn options(&self, meter: &Meter) -> ArchiveOptions {
        let mut options = ArchiveOptions::new().compressor(meter.engine());
        if let Some(bytes) = self.memory_limit {
            options = options.memory_limit(bytes as u64);
        }
        match self.threads {
            Some(threads) => options.threads(threads),
            None => options,
        }
    }

    /// Opens the archive for reading.
    pub(super) fn reader(&self, meter: &Meter) -> Result<ArchiveReader<File>, Error> {
        let file = streams::input(&self.file)?;
        self.options(meter).reader(file).map_err(|error| self.failed(error))
    }

    /// Creates the archive: stdout, or a file that appears when it is complete.
    pub(super) fn create(&self) -> Result<(File, Option<Output>), Error> {
        if self.is_dash() {
            return Ok((streams::stdout()?, None));
        }
        let rules = Rules { force: true, links: Links::Follow, nodes: Nodes::Through };
        let output = Output::create(&self.file, rules)?;
        let file = output.file().try_clone();
        Ok((file.map_err(|error| Error::file(&self.file, error))?, Some(output)))
    }

    /// Opens the archive for reading and writing; creates it if `create` is set.
    pub(super) fn update(&self, create: bool) -> Result<File, Error> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(create).truncate(false).open(&self.file);
        file.map_err(|error| Error::file(&self.file, error))
    }

    pub(super) fn is_dash(&self) -> bool {
        streams::is_dash(&self.file)
    }

    /// Returns whether the archive is seekable.
    pub(super) fn is_seekable(&self) -> bool {
        if self.is_dash() {
            return streams::stdin()
                .and_then(|file| file.metadata())
                .is_ok_and(|metadata| metadata.is_file());
        }
        self.file.metadata().is_ok_and(|metadata| metadata.is_file())
    }

    /// Returns whether the file has only zeros from `offset` on, as on tapes. `false` for a pipe.
    pub(super) fn has_only_zeros(&self, mut offset: u64) -> bool {
        let file = if self.is_dash() { streams::stdin() } else { File::open(&self.file) };
        let Ok(file) = file else { return false };
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read_at(&mut buffer, offset) {
                Ok(0) => return true,
                Ok(n) if buffer[..n].iter().all(|byte| *byte == 0) => offset += n as u64,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => return false,
            }
        }
    }

    pub(super) fn failed(&self, error: uadk_compress_archive::Error) -> Error {
        Error::archive(&self.file, error)
    }
}

/// Returns the layout of an existing archive; `new` for an empty file.
pub(super) fn layout_in(file: &File, new: Layout) -> Layout {
    /// Magic, deflate, and the flag for extra fields, which block gzip uses.
    const BLOCKS: [u8; 4] = [0x1f, 0x8b, 8, 4];
    let mut begin = [0; BLOCKS.len()];
    match file.read_exact_at(&mut begin, 0) {
        // Reading the archive reports the error.
        Err(_) => new,
        Ok(()) if begin == BLOCKS => Layout::Bgzf,
        Ok(()) => Layout::OneMember,
    }
}

/// Returns the layout, block gzip or one member.
pub(super) const fn layout_of(bgzf: bool) -> Layout {
    if bgzf { Layout::Bgzf } else { Layout::OneMember }
}
