//! `--totals`: how much, how fast, and by which engine.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use uadk_compress::{Compressor, Format, Level};

use crate::error::Error;

/// Counts what a command does, if it was asked to.
#[derive(Debug)]
pub(super) struct Totals {
    begun: Instant,
    compressor: Option<Arc<Compressor>>,
}

impl Totals {
    /// Counts nothing.
    pub(super) fn none() -> Self {
        Self { begun: Instant::now(), compressor: None }
    }

    /// Counts if `wanted`, with a compressor of that level.
    pub(super) fn new(wanted: bool, level: Level) -> Result<Self, Error> {
        let mut totals = Self::none();
        if wanted {
            let compressor = Compressor::builder().format(Format::RawDeflate).level(level).build();
            totals.compressor = Some(Arc::new(compressor.map_err(Error::Engine)?));
        }
        Ok(totals)
    }

    /// The compressor whose counters are read at the end.
    pub(super) fn compressor(&self) -> Option<Arc<Compressor>> {
        self.compressor.clone()
    }

    /// Prints the totals if they are wanted: first what GNU tar prints.
    pub(super) fn print(&self, verb: &str, tar_bytes: u64, archive: &Path) {
        let Some(compressor) = &self.compressor else { return };
        let seconds = self.begun.elapsed().as_secs_f64().max(1e-6);
        let speed = human(tar_bytes as f64 / seconds);
        let mut line =
            format!("Total bytes {verb}: {tar_bytes} ({}, {speed}/s)", human(tar_bytes as f64));
        // Writing to a string can't fail.
        if verb == "written"
            && let Ok(metadata) = archive.metadata()
            && metadata.is_file()
            && metadata.len() > 0
        {
            let ratio = tar_bytes as f64 / metadata.len() as f64;
            let _ = write!(line, ", {} in the archive (ratio {ratio:.2})", metadata.len());
        }
        let stats = compressor.stats();
        let (ours, theirs) = (&stats.accelerator, &stats.software);
        let _ = write!(
            line,
            ", blocks: {} by the accelerator, {} by software",
            ours.compress.blocks + ours.decompress.blocks,
            theirs.compress.blocks + theirs.decompress.blocks
        );
        if let Some(why) = &stats.unavailable {
            let _ = write!(line, " (no accelerator: {why})");
        }
        eprintln!("{line}");
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
