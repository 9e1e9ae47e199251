//! `multifd-proxy`: compresses migrations between unmodified QEMUs.

mod address;
mod channel;
mod counters;
mod migration;

use std::process::ExitCode;
use std::sync::Arc;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use uadk_compress::{BlockCompressor, Compressor, Level};
use uadk_compress_pages::multifd::{Method, Settings, ZstdMode};

use crate::error::{self, Error};
use crate::report::report;
use crate::size;
use crate::stats_line;
use address::Address;
use migration::Migration;

/// Relays a QEMU migration with another compression method
///
/// The source QEMU connects to --listen; the destination, or a second proxy next to it, listens at
/// --connect. Addresses are tcp:HOST:PORT and unix:PATH, as in QEMU. Methods are the values of
/// QEMU's multifd-compression: none, zlib, zstd, qpl, uadk. The main channel is relayed unchanged.
/// Ends after one migration, with status 1 if it failed.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// The address that the source connects to
    #[arg(long, value_name = "ADDRESS")]
    listen: Address,
    /// The address that the destination listens on
    #[arg(long, value_name = "ADDRESS")]
    connect: Address,
    /// The method to receive
    #[arg(long, value_name = "METHOD", value_parser = methods())]
    from: Method,
    /// The method to send
    #[arg(long, value_name = "METHOD", value_parser = methods())]
    to: Method,
    /// The level of zstd, and of the software engine for qpl and uadk
    #[arg(long, value_name = "LEVEL", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(i32).range(1..=20))]
    level: i32,
    /// With --to zstd, send each page as a frame of its own, which an accelerator can compress, and
    /// not as one stream, which is smaller
    #[arg(long)]
    zstd_frames: bool,
    /// The guest's page size: 4K to 64K
    #[arg(long, value_name = "SIZE", default_value = "4K", value_parser = size::parse_page)]
    page_size: usize,
    /// Wait for the next migration after each one
    #[arg(long)]
    keep_listening: bool,
    /// Print JSON, for machines
    #[arg(long)]
    json: bool,
}

/// Relays one migration, or one after another.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let (from, from_codec) = settings(arguments.from, ZstdMode::Stream, arguments)?;
    let mode = if arguments.zstd_frames { ZstdMode::Frames } else { ZstdMode::Stream };
    let (to, to_codec) = settings(arguments.to, mode, arguments)?;
    let listener = arguments
        .listen
        .listen()
        .map_err(|source| Error::Listen { address: arguments.listen.to_string(), source })?;
    // The accepting thread owns the listener, and never ends.
    let _cleanup = listener.cleanup().map_err(Error::Accept)?;
    if !arguments.json {
        let listening = listener.address().map_err(Error::Accept)?;
        let Arguments { connect, from, to, .. } = arguments;
        error::print(&format!("{listening} ({from}) -> {connect} ({to})\n"))?;
    }
    let accepted = migration::accept_in_background(listener);
    loop {
        let migration = Migration::new(from.clone(), to.clone(), arguments.connect.clone());
        let outcome = migration.run(&accepted);
        let summary = migration.counters().summary();
        let codecs = [&from_codec, &to_codec].into_iter().flatten();
        if arguments.json {
            let mut json = summary.json();
            json["stats"] = codecs.map(|codec| stats_line::json(&codec.stats())).collect();
            error::print(&format!("{json}\n"))?;
        } else {
            error::print(&summary.text())?;
            for codec in codecs {
                error::print(&format!("{}\n", codec.stats()))?;
            }
        }
        match outcome {
            Err(error) if arguments.keep_listening && matches!(error, Error::Migration { .. }) => {
                report(&error);
            }
            Err(error) => return Err(error),
            Ok(()) if arguments.keep_listening => {}
            Ok(()) => return Ok(ExitCode::SUCCESS),
        }
    }
}

/// Returns the settings of one side, and its codec if pages are compressed one by one.
fn settings(
    method: Method,
    zstd: ZstdMode,
    arguments: &Arguments,
) -> Result<(Settings, Option<Compressor>), Error> {
    let settings =
        Settings::new(method).zstd(zstd).page_size(arguments.page_size).level(arguments.level);
    let Some(format) = settings.page_format() else { return Ok((settings, None)) };
    let codec = Compressor::builder()
        .format(format)
        .level(Level::nearest(arguments.level))
        .build()
        .map_err(Error::Engine)?;
    let shared: Arc<dyn BlockCompressor> = Arc::new(codec.clone());
    Ok((settings.codec(shared), Some(codec)))
}

fn methods() -> impl TypedValueParser<Value = Method> {
    PossibleValuesParser::new(Method::ALL.map(Method::name)).try_map(|name| name.parse())
}
