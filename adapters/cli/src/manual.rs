//! Shell completions and man pages, generated from the definition of the command line.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Command;
use clap_complete::Shell;

use crate::error::{self, Error};

/// Prints completions for a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

/// Prints the man page, or writes the man pages of all commands
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Write a page for each command into this directory
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

const NAME: &str = "uadk-compress";

pub(crate) fn completions(
    arguments: &Completions,
    mut command: Command,
) -> Result<ExitCode, Error> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, NAME, &mut script);
    error::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(arguments: &Man, command: Command) -> Result<ExitCode, Error> {
    let command = command.name(NAME);
    if let Some(folder) = &arguments.output {
        let failed = |source: io::Error| Error::file(folder, source);
        std::fs::create_dir_all(folder).map_err(failed)?;
        clap_mangen::generate_to(command, folder).map_err(failed)?;
    } else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        error::print(&String::from_utf8_lossy(&page))?;
    }
    Ok(ExitCode::SUCCESS)
}
