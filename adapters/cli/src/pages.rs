//! `pages`: snapshots of guest memory.

mod info;
mod output;
mod restore;
mod save;
mod verify;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use uadk_compress_pages::snapshot::{Chain, Snapshot, SnapshotError};

use crate::error::Error;

/// Saves guest memory in a sparse, compressed, checksummed file, and restores it
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Save(save::Arguments),
    Restore(restore::Arguments),
    Verify(verify::Arguments),
    Info(info::Arguments),
}

/// What ends one of the commands.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PagesError {
    #[error("{}: {source}", path.display())]
    Snapshot { path: PathBuf, source: SnapshotError },
    #[error("{} can't be opened: {source}. Give a file that this user may read", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("{} can't be written: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is there already: choose another name, or say --force", path.display())]
    Exists { path: PathBuf },
    #[error("{} has {len} bytes, and the regions make {expected}: give --region so that they add up", path.display())]
    Regions { path: PathBuf, len: u64, expected: u64 },
    #[error("the layout of {} differs: give the same --region, --page-size and --cluster-size", path.display())]
    OtherLayout { path: PathBuf },
    #[error("a snapshot from stdin is restored by itself: give files to restore a chain")]
    ChainFromStdin,
    #[error("no engine can be made: {0}")]
    Engine(uadk_compress::Error),
}

impl PagesError {
    fn open(path: &Path, source: io::Error) -> Self {
        Self::Open { path: path.to_owned(), source }
    }

    fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    fn snapshot(path: &Path, source: SnapshotError) -> Self {
        Self::Snapshot { path: path.to_owned(), source }
    }
}

/// Does what the command says.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    match &arguments.command {
        Command::Save(arguments) => save::run(arguments),
        Command::Restore(arguments) => restore::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Info(arguments) => info::run(arguments),
    }
}

fn open(path: &Path) -> Result<File, PagesError> {
    File::open(path).map_err(|source| PagesError::open(path, source))
}

fn open_snapshot(path: &Path) -> Result<Snapshot<File>, PagesError> {
    Snapshot::open(open(path)?).map_err(|source| PagesError::snapshot(path, source))
}

/// A base and the deltas on it.
fn open_chain(paths: &[PathBuf]) -> Result<Chain<File>, PagesError> {
    let layers = paths.iter().map(|path| open_snapshot(path)).collect::<Result<Vec<_>, _>>()?;
    Chain::new(layers).map_err(|source| {
        // The error has the number of the file that does not fit, counted from 1.
        let number = if let SnapshotError::Chain(number) = source { number } else { 1 };
        let path = paths.get(number.saturating_sub(1)).or(paths.last());
        PagesError::snapshot(path.map_or(Path::new("-"), PathBuf::as_path), source)
    })
}

/// Bytes of memory done, of so many. Hidden where stderr is no terminal.
fn progress(bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta} {wide_msg}",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(bytes).with_style(style)
}

fn hex(id: &[u8; 16]) -> String {
    use std::fmt::Write;
    id.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn threads(count: Option<usize>) -> usize {
    count.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}
