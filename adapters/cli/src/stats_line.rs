//! How much each engine did, and why the accelerator did not do the rest, for `--stats`.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use uadk_compress::stats::{EngineStats, OpStats, Stats};
use uadk_compress::{Compressor, Error, Format, Level, Offload, SoftwareEncoder};
use uadk_compress_archive::Layout;

/// The environment variable that controls whether an accelerator is used.
const OFFLOAD: &str = "UADK_COMPRESS_OFFLOAD";

/// Creates the compressor of a command, which also keeps the statistics. `writes` is the layout of
/// the file that the command writes, if it writes one.
///
/// A single member is compressed in software: joining segments from real devices is still untested.
/// Set the environment variable to have the device compress them.
///
/// # Errors
///
/// If the environment asks for an accelerator that is not available.
pub(crate) fn compressor(level: Level, writes: Option<Layout>) -> Result<Arc<Compressor>, Error> {
    let own_level = writes.map_or(level, |layout| layout.software_level(level));
    let mut builder = Compressor::builder().format(Format::RawDeflate).level(own_level);
    if writes == Some(Layout::OneMember) && level.get() > 1 {
        // Includes level 2, whose software level uses another encoder by default.
        builder = builder.software_encoder(SoftwareEncoder::Libdeflate);
    }
    if writes == Some(Layout::OneMember) && std::env::var_os(OFFLOAD).is_none() {
        builder = builder.offload(Offload::Off);
    }
    builder.build().map(Arc::new)
}

/// Returns one line for people: the blocks of each engine, and the reasons for using software.
pub(crate) fn line(stats: &Stats) -> String {
    let both = |engine: &EngineStats| engine.compress.blocks + engine.decompress.blocks;
    let mut line = format!("{} blocks in software", both(&stats.software));
    let reasons: Vec<_> =
        reasons(stats).map(|(reason, count)| format!("{reason}: {count}")).collect();
    if !reasons.is_empty() {
        write!(line, " ({})", reasons.join(", ")).unwrap_or_default();
    }
    write!(line, ", {} by the accelerator", both(&stats.accelerator)).unwrap_or_default();
    if let Some(reason) = &stats.unavailable {
        // On one line.
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        write!(line, " (unavailable: {reason})").unwrap_or_default();
    }
    line
}

/// Returns the statistics for machines. Values that were not measured are left out: software
/// measures only some blocks.
pub(crate) fn json(stats: &Stats) -> Value {
    let operation = |op: &OpStats| {
        let mut fields = Map::new();
        fields.insert("blocks".to_owned(), op.blocks.into());
        if op.blocks == 0 || op.bytes_in > 0 {
            fields.insert("bytes_in".to_owned(), op.bytes_in.into());
        }
        fields.insert("bytes_out".to_owned(), op.bytes_out.into());
        if op.blocks == 0 || !op.time.is_zero() {
            fields.insert("seconds".to_owned(), op.time.as_secs_f64().into());
        }
        Value::Object(fields)
    };
    let engine = |engine: &EngineStats| {
        json!({
            "compress": operation(&engine.compress), "decompress": operation(&engine.decompress),
        })
    };
    let fallbacks: Map<_, _> =
        reasons(stats).map(|(reason, count)| (reason.to_owned(), count.into())).collect();
    json!({
        "software": engine(&stats.software), "accelerator": engine(&stats.accelerator),
        "fallbacks": fallbacks, "accelerator_missing": stats.unavailable.as_deref(),
    })
}

fn reasons(stats: &Stats) -> impl Iterator<Item = (&'static str, u64)> {
    stats.fallbacks.by_reason().filter(|(_, count)| *count > 0)
}
