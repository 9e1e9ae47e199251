//! `bench`: compares engines, formats, levels and block sizes on the user's data.

mod case;
mod input;
mod measure;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use uadk_compress::{BlockCompressor, Format, Level, SoftwareCompressor};

use crate::engines::{self, ACCELERATOR, SOFTWARE};
use crate::error::{self, Error};
use crate::size;
use crate::streams;
use case::Case;
use input::Input;
use measure::{Failure, Mode, measure};
use table::{Outcome, Row};

/// The largest supported block size.
const MAX_BLOCK: usize = 8 << 20;

/// Compares engines, formats, levels and block sizes on your own data
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Files to compress; - is stdin
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Levels of the software engine: 0 to 12; zstd has -131072 to 22, LZ4 negative ones for speed
    #[arg(long, value_name = "LEVELS", value_delimiter = ',', default_value = "0,1,6,12")]
    #[arg(value_parser = streams::any_level, allow_hyphen_values = true)]
    levels: Vec<Level>,
    /// Block sizes, up to 8M
    #[arg(long, value_name = "SIZES", value_delimiter = ',', default_value = "4K,16K,64K")]
    #[arg(value_parser = block_size)]
    block_sizes: Vec<usize>,
    /// Formats: deflate, zlib, gzip, zstd, lz4
    #[arg(long, value_name = "FORMATS", value_delimiter = ',')]
    #[arg(default_value = "deflate,zstd,lz4", value_parser = format)]
    formats: Vec<Format>,
    /// Read at most this much, an equal share from the beginning of each file
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = size::parse)]
    limit: usize,
    /// Measure for about this many seconds in total; slow cases then use an even sample of the data
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86400))]
    seconds: u64,
    /// Print JSON, for machines
    #[arg(long)]
    json: bool,
}

/// Measures, and prints a row for each case; the row of a failed case has the error.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let input = Input::read(&arguments.files, arguments.limit)?;
    let (cases, accelerator_missing) = arguments.cases()?;
    let share = Duration::from_secs(arguments.seconds) / cases.len().max(1) as u32;
    let progress = progress(cases.len());
    let mut rows = Vec::with_capacity(cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        progress.set_message(case.to_string());
        let measured = measure(&*case.codec, &input.data, case.block_size, case.mode, share);
        if matches!(measured, Err(Failure::WrongBytes)) {
            wrong.push(case.to_string());
        }
        rows.push(Row::new(case, measured));
        progress.inc(1);
    }
    progress.finish_and_clear();
    let outcome = Outcome { input: &input, accelerator_missing, rows };
    error::print(&if arguments.json { outcome.json() } else { outcome.text() })?;
    if wrong.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(Error::WrongBytes { cases: wrong }) }
}

impl Arguments {
    /// Returns all cases, and the reason if there are none with the accelerator.
    fn cases(&self) -> Result<(Vec<Case>, Option<String>), Error> {
        let mut engines: Vec<(_, Arc<dyn BlockCompressor>, _)> = Vec::new();
        let mut missing = None;
        for format in &self.formats {
            for level in &self.levels {
                let codec = SoftwareCompressor::new(*format, *level).map_err(Error::Software)?;
                engines.push((SOFTWARE, Arc::new(codec), Some(*level)));
            }
            // Waits for the device, so that measuring starts with its first block.
            let codec = engines::accelerator(*format).and_then(|codec| {
                codec.start()?;
                Ok(codec)
            });
            match codec {
                Ok(codec) => engines.push((ACCELERATOR, Arc::new(codec), None)),
                Err(error) => missing = Some(error::chain(&error)),
            }
        }
        let mut cases = Vec::new();
        for block_size in &self.block_sizes {
            for (engine, codec, level) in &engines {
                cases.extend([Mode::Single, Mode::Batch].map(|mode| Case {
                    engine,
                    codec: Arc::clone(codec),
                    level: *level,
                    block_size: *block_size,
                    mode,
                }));
            }
        }
        Ok((cases, missing))
    }
}

/// Creates a progress bar, hidden if stderr is not a terminal.
fn progress(cases: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {eta} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(cases as u64).with_style(style)
}

fn format(text: &str) -> Result<Format, String> {
    [Format::RawDeflate, Format::Zlib, Format::Gzip, Format::Zstd, Format::Lz4]
        .into_iter()
        .find(|format| format.name() == text)
        .ok_or_else(|| "must be deflate, zlib, gzip, zstd or lz4".to_owned())
}

fn block_size(text: &str) -> Result<usize, String> {
    let bytes = size::parse(text)?;
    if bytes > MAX_BLOCK { Err("must be at most 8M".to_owned()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn parse(line: &[&str]) -> Result<Arguments, String> {
        let line = ["bench"].iter().chain(line);
        Line::try_parse_from(line).map(|line| line.arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn lists_are_parsed_and_have_defaults() {
        let arguments = parse(&["x"]).expect("a valid command line");
        assert_eq!(arguments.block_sizes, [4 << 10, 16 << 10, 64 << 10]);
        assert_eq!(
            arguments.levels.iter().map(|level| level.get()).collect::<Vec<_>>(),
            [0, 1, 6, 12]
        );
        assert_eq!((arguments.formats.len(), arguments.limit), (3, 64 << 20));

        let line = ["--levels", "fastest,9", "--block-sizes", "1M", "--formats", "gzip", "a", "-"];
        let arguments = parse(&line).expect("a valid command line");
        assert_eq!(arguments.levels, [Level::FASTEST, Level::nearest(9)]);
        assert_eq!((arguments.block_sizes, arguments.files.len()), (vec![1 << 20], 2));
        assert_eq!(arguments.formats, [Format::Gzip]);
    }

    #[test]
    fn wrong_values_are_refused_with_a_hint() {
        for (line, hint) in [
            (["--levels", "23", "x"], "to 22"),
            (["--levels", "high", "x"], "to 22"),
            (["--block-sizes", "9M", "x"], "at most 8M"),
            (["--block-sizes", "0", "x"], "zero"),
            (["--formats", "xz", "x"], "deflate, zlib, gzip, zstd or lz4"),
            (["--limit", "64X", "x"], "K, M or G"),
            (["--seconds", "0", "x"], "86400"),
        ] {
            let message = parse(&line).unwrap_err();
            assert!(message.contains(hint), "{message}");
        }
        assert!(parse(&[]).is_err());
    }
}
