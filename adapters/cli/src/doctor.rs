//! `doctor`: inspects the machine, tests the engines, and says what to do.

mod examination;
mod render;
mod trial;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::error::{self, Error};
use examination::Examination;

/// Checks item by item what the accelerator needs, shows how to fix what is missing, and tests it
///
/// Exit status:
///   0  ready: a round trip on the accelerator succeeded
///   1  works in software only: something that the accelerator needs is missing,
///      or its queues are full
///   2  broken: libwd is installed but unusable; or nothing is missing but the
///      accelerator can't be used; or an engine failed or returned wrong data
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Print JSON, for machines
    #[arg(long)]
    json: bool,
    /// Inspect the file tree below this directory; the accelerator is not tested
    #[arg(long, hide = true)]
    root: Option<PathBuf>,
}

/// Examines the machine, prints the result, and returns the exit status.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let examination = Examination::new(arguments.root.as_deref());
    let text = if arguments.json { examination.json() } else { examination.text() };
    error::print(&text)?;
    Ok(ExitCode::from(examination.verdict.exit_status()))
}
