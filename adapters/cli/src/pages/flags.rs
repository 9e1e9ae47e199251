//! Flags that the commands on snapshots share.

use crate::error::{self, Error};
use crate::streams::{self, tell};

/// How a command reports.
#[derive(Debug, clap::Args)]
pub(super) struct Report {
    /// Report the blocks of each engine, and why the accelerator was not used
    #[arg(long)]
    pub(super) stats: bool,
    /// Print JSON, for machines
    #[arg(long)]
    pub(super) json: bool,
}

/// How a command writes a file.
#[derive(Debug, clap::Args)]
pub(super) struct Writing {
    /// Number of threads (default: one per CPU)
    #[arg(long, value_name = "COUNT", value_parser = streams::threads)]
    threads: Option<usize>,
    /// Replace an existing file
    #[arg(long)]
    pub(super) force: bool,
}

impl Writing {
    pub(super) fn threads(&self) -> usize {
        streams::threads_or_all(self.threads)
    }
}

/// Prints a result: to stderr if stdout may hold the output itself.
pub(super) fn print(text: &str, to_stderr: bool) -> Result<(), Error> {
    if to_stderr {
        tell!("{}", text.trim_end());
        return Ok(());
    }
    error::print(text)
}
