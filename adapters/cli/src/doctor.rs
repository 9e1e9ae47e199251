//! `doctor`: inspects the machine, tries the engines, and says what to do.

mod examination;
mod render;
mod trial;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::error::{self, Error};
use examination::Examination;

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
    let examination = Examination::new(arguments.root.as_deref());
    let text = if arguments.json { examination.json() } else { examination.text() };
    error::print(&text)?;
    Ok(ExitCode::from(examination.verdict.exit_status()))
}
