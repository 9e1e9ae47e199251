//! What would another codec save on your database? Opens it read-only, samples blocks from all its
//! table files, recompresses them with every codec, level and engine available on the machine, and
//! projects the size of the whole database. It takes no lock and writes nothing.
//!
//! `cargo run --release --example estimate -- PATH`

mod block;
mod codecs;
mod database;
mod error;
mod locate;
mod measure;
mod options_file;
mod projection;
mod properties;
mod report;
mod sample;
mod table;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use uadk_compress::{Compressor, Format, Offload};

use database::Database;
use error::Error;
use report::Report;

/// Projects the size of a RocksDB database under each codec, from a sample of its blocks.
///
/// Opens the database read-only, without a lock: it may be in use.
#[derive(Debug, Parser)]
struct Arguments {
    /// Directory of the database
    path: PathBuf,
    /// Estimate only this column family; may be repeated [default: all]
    #[arg(long = "cf", value_name = "NAME")]
    families: Vec<String>,
    /// Sample this many blocks
    #[arg(long, value_name = "N", default_value_t = 2000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    blocks: u32,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let printed = estimate(&arguments, accelerator).and_then(|report| {
        let text = if arguments.json { report.json()? } else { table::text(&report) };
        print(&text)
    });
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("estimate: {}", error::chain(&error));
            if let Some(hint) = error.hint() {
                eprintln!("  {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Builds a compressor that has an accelerator, as applications do.
fn accelerator(format: Format) -> Result<Compressor, uadk_compress::Error> {
    Compressor::builder().format(format).offload(Offload::Require).build()
}

fn estimate(
    arguments: &Arguments,
    accelerator: impl Fn(Format) -> Result<Compressor, uadk_compress::Error>,
) -> Result<Report, Error> {
    let database = Database::open(&arguments.path, &arguments.families)?;
    let codecs = codecs::all(accelerator).map_err(Error::Engine)?;
    let progress = progress(u64::from(arguments.blocks));
    progress.set_message("sampling");
    let sample = sample::take(&database, arguments.blocks, |blocks| progress.inc(blocks))?;
    let mut rows = Vec::with_capacity(codecs.cases.len());
    progress.set_length(codecs.cases.len() as u64);
    progress.set_position(0);
    for case in &codecs.cases {
        progress.set_message(case.name());
        rows.push(measure::measure(case, &sample)?);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(projection::project(&database, &sample, &codecs, &rows))
}

/// Creates a progress bar on stderr, hidden if that is not a terminal.
fn progress(steps: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {eta} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps).with_style(style)
}

/// Writes to stdout. A reader that has seen enough (`| head`) is not an error.
fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(Error::Output),
    }
}
