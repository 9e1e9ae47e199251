//! `--totals` and `--stats`: amount, speed and engines.

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

/// The reports that a command prints at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// Bytes, ratio and speed, in the words of GNU tar's `--totals`.
    pub(super) totals: bool,
    /// The blocks of each engine, and why the accelerator was not used.
    pub(super) stats: bool,
}

/// The engine of a command, and its statistics.
#[derive(Debug)]
pub(super) struct Meter {
    summary: Summary,
    begun: Instant,
    engine: Arc<Compressor>,
    /// The amount that a reader inflated without the engine.
    inflated: Inflated,
}

impl Meter {
    /// Creates the engine that all data goes through, with or without statistics: the archive is
    /// the same either way. `writes` is the layout of the archive that is written, if any.
    pub(super) fn new(
        summary: Summary,
        level: Level,
        writes: Option<Layout>,
    ) -> Result<Self, Error> {
        let engine = stats_line::compressor(level, writes).map_err(Error::Engine)?;
        Ok(Self { summary, begun: Instant::now(), engine, inflated: Inflated::default() })
    }

    /// Creates a meter for a command that only reads.
    pub(super) fn for_reader(summary: Summary) -> Result<Self, Error> {
        Self::new(summary, Level::BALANCED, None)
    }

    /// Returns the engine whose counters are reported at the end.
    pub(super) fn engine(&self) -> Arc<Compressor> {
        Arc::clone(&self.engine)
    }

    /// Records the amount that the reader inflated without the engine.
    pub(super) fn count(&mut self, reader: &ArchiveReader<File>) {
        self.inflated = reader.inflated();
    }

    /// Prints the report about `bytes` that were read or written, according to `verb`. With
    /// `archive`, they are its whole contents.
    pub(super) fn print(&self, verb: &str, bytes: u64, archive: Option<&Path>) {
        self.print_with_ratio(verb, bytes, archive.map(|archive| (bytes, archive)));
    }

    fn print_with_ratio(&self, verb: &str, bytes: u64, whole: Option<(u64, &Path)>) {
        if self.summary.totals {
            tell!("{}", self.totals(verb, bytes, whole));
        } else if self.summary.stats {
            tell!("uadk-compress: {}", stats_line::line(&self.stats()));
        }
    }

    /// Like [`print`](Self::print), for bytes added to an archive whose tar now has `tar_len`.
    pub(super) fn print_written(&self, bytes: u64, tar_len: u64, archive: &Path) {
        self.print_with_ratio("written", bytes, Some((tar_len, archive)));
    }

    /// Returns the statistics for machines, if they are asked for.
    pub(super) fn json(&self) -> Option<Value> {
        self.summary.stats.then(|| stats_line::json(&self.stats()))
    }

    /// Formats the totals: first those of GNU tar, then our additions.
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

/// Formats bytes in powers of 1024, as GNU tar does.
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
