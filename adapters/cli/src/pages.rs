//! `pages`: saves and restores snapshots of guest memory.

mod flags;
mod id;
mod info;
mod open;
mod restore;
mod save;
mod sequential;
mod verify;

use std::process::ExitCode;

use crate::error::Error;

/// Saves guest memory in a sparse, compressed, checksummed file, and restores it
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Save(save::Arguments),
    Restore(restore::Arguments),
    Verify(verify::Arguments),
    Info(info::Arguments),
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    match &arguments.command {
        Command::Save(arguments) => save::run(arguments),
        Command::Restore(arguments) => restore::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Info(arguments) => info::run(arguments),
    }
}
