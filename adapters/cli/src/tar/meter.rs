//! `--totals` and `--stats`: how much, how fast, and by which engine.

use std::fmt::Write;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use uadk_compress::stats::Stats;
use uadk_compress::{Compressor, Level};
use uadk_compress_archive::{ArchiveReader, Inflated, Layout};

use crate::error::Error;
use crate::stats_line;
use crate::streams::tell;

/// What a command tells of its work at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Bytes, ratio and speed, in the words of GNU tar's `--totals`.
    pub(super) totals: bool,
    /// Which engine did how much, and why not the other.
    pub(super) stats: bool,
}

/// The engine of a command, and what it is asked about afterwards.
#[derive(Debug)]
pub(super) struct Meter {
    told: Told,
    begun: Instant,
    engine: Arc<Compressor>,
    /// What a reader inflated without the engine.
    inflated: Inflated,
}

impl Meter {
    /// With the engine that everything goes through, asked for statistics or not: an archive is the same
    /// either way. `writes` is the layout of the archive that is written, if one is.
    pub(super) fn new(told: Told, level: Level, writes: Option<Layout>) -> Result<Self, Error> {
        let engine = stats_line::compressor(level, writes).map_err(Error::Engine)?;
        Ok(Self { told, begun: Instant::now(), engine, inflated: Inflated::default() })
    }

    /// For a command that only reads.
    pub(super) fn of_reader(told: Told) -> Result<Self, Error> {
        Self::new(told, Level::BALANCED, None)
    }

    /// The engine whose counters are read at the end.
    pub(super) fn engine(&self) -> Arc<Compressor> {
        Arc::clone(&self.engine)
    }

    /// Remembers what the reader did without the engine.
    pub(super) fn count(&mut self, reader: &ArchiveReader<File>) {
        self.inflated = reader.inflated();
    }

    /// Prints what is to be told of so many bytes, which were written or read, as `verb` says. They are all
    /// that is in the `archive`, if that is given.
    pub(super) fn print(&self, verb: &str, bytes: u64, archive: Option<&Path>) {
        self.print_with_ratio(verb, bytes, archive.map(|archive| (bytes, archive)));
    }

    fn print_with_ratio(&self, verb: &str, bytes: u64, whole: Option<(u64, &Path)>) {
        if self.told.totals {
            tell!("{}", self.totals(verb, bytes, whole));
        } else if self.told.stats {
            tell!("uadk-compress: {}", stats_line::line(&self.stats()));
        }
    }

    /// As [`print`](Self::print), of bytes that were added to an archive that has a tar of `tar_len` now.
    pub(super) fn print_written(&self, bytes: u64, tar_len: u64, archive: &Path) {
        self.print_with_ratio("written", bytes, Some((tar_len, archive)));
    }

    /// The statistics for machines, if they are to be told.
    pub(super) fn json(&self) -> Option<Value> {
        self.told.stats.then(|| stats_line::json(&self.stats()))
    }

    /// First what GNU tar prints.
    fn totals(&self, verb: &str, bytes: u64, whole: Option<(u64, &Path)>) -> String {
        let seconds = self.begun.elapsed().as_secs_f64().max(1e-6);
        let (amount, speed) = (human(bytes as f64), human(bytes as f64 / seconds));
        let mut line = format!("Total bytes {verb}: {bytes} ({amount}, {speed}/s)");
        if let Some((data, archive)) = whole
            && let Ok(metadata) = archive.metadata()
            && metadata.is_file()
            && metadata.len() > 0
        {
            let len = metadata.len();
            let ratio = data as f64 / len as f64;
            // Writing to a string can't fail.
            let _ = write!(line, ", {len} in the archive (ratio {ratio:.2})");
        }
        line + ", " + &stats_line::line(&self.stats())
    }

    fn stats(&self) -> Stats {
        let mut stats = self.engine.stats();
        stats.software.decompress.blocks += self.inflated.pieces;
        stats.software.decompress.bytes_out += self.inflated.bytes;
        stats
    }
}

/// Bytes in powers of 1024, as GNU tar writes them.
fn human(bytes: f64) -> String {
    let mut value = bytes;
    let mut units = ["KiB", "MiB", "GiB", "TiB", "PiB"].iter();
    let mut unit = "B";
    while value >= 1024.0
        && let Some(next) = units.next()
    {
        value /= 1024.0;
        unit = next;
    }
    if value < 10.0 && unit != "B" {
        format!("{value:.1}{unit}")
    } else {
        format!("{value:.0}{unit}")
    }
}
