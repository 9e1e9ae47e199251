//! `doctor`: inspects the machine, tries the engines, and says what to do.

mod render;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;

use uadk_compress::probe::{self, Readiness, Report, RoundTrip, System};
use uadk_compress::{BlockCompressor, Error as EngineError, Format, Level, SoftwareCompressor};

use crate::engines;
use crate::error::{self, Error};
use verdict::Verdict;

/// Says item by item what the accelerator needs, what is missing and how to get it, and tries it
///
/// Exit status:
///   0  ready: a round trip on the accelerator succeeded
///   1  works in software only: something that the accelerator needs is missing
///   2  broken: libwd is there but unusable; or nothing is missing and yet the
///      accelerator can't be used; or an engine failed or gave back wrong bytes
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Print JSON, for machines
    #[arg(long)]
    json: bool,
    /// Inspect the tree of files below this folder; the accelerator is not tried
    #[arg(long, hide = true)]
    root: Option<PathBuf>,
}

/// Examines, prints, and gives the exit status.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let examination = Examination::new(arguments);
    let text = if arguments.json { examination.json() } else { examination.text() };
    error::print(&text)?;
    Ok(ExitCode::from(examination.verdict.exit_status()))
}

/// All that was found.
struct Examination {
    report: Report,
    software: Trial,
    accelerator: Trial,
    verdict: Verdict,
}

/// What became of trying an engine.
#[derive(Debug)]
enum Trial {
    Works(RoundTrip),
    /// There is none to try.
    Unavailable(EngineError),
    /// It was there, and failed.
    Failed(EngineError),
    /// It was not to be tried.
    Skipped,
}

impl Examination {
    fn new(arguments: &Arguments) -> Self {
        let system = arguments.root.as_ref().map_or_else(System::host, System::at);
        let report = probe::inspect(&system);
        let software = Trial::software();
        let accelerator = match arguments.root {
            Some(_) => Trial::Skipped,
            None => Trial::accelerator(),
        };
        let verdict = Verdict::new(&report, &software, &accelerator);
        Self { report, software, accelerator, verdict }
    }
}

impl Trial {
    /// Every device serves it, and every engine.
    const FORMAT: Format = Format::Zlib;

    fn software() -> Self {
        match SoftwareCompressor::new(Self::FORMAT, Level::BALANCED) {
            Ok(engine) => Self::of(&engine),
            Err(error) => Self::Failed(error),
        }
    }

    fn accelerator() -> Self {
        match engines::accelerator(Self::FORMAT) {
            Ok(engine) => Self::of(&*engine),
            Err(error) => Self::Unavailable(error),
        }
    }

    fn of(engine: &dyn BlockCompressor) -> Self {
        match probe::round_trip(engine) {
            Ok(round_trip) => Self::Works(round_trip),
            Err(error @ EngineError::Unavailable(_)) => Self::Unavailable(error),
            Err(error) => Self::Failed(error),
        }
    }
}

/// An engine's error, told of an engine that got its own blocks to decompress.
fn describe(error: &EngineError) -> String {
    match error {
        EngineError::Corrupt => "it gave back other bytes than it got".to_owned(),
        error => error.to_string(),
    }
}

/// The word for machines.
const fn name(readiness: Readiness) -> &'static str {
    match readiness {
        Readiness::Ready => "ready",
        Readiness::SoftwareOnly => "software_only",
        Readiness::Broken => "broken",
    }
}
