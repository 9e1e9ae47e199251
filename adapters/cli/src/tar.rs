//! `tar`: archives that every tar reads, and that list and give single files at once.

mod archive;
mod cat;
mod create;
mod exclude;
mod extract;
mod failures;
mod index;
mod list;
mod names;
mod verify;

use std::process::ExitCode;

use crate::error::Error;

/// Writes and reads tar.gz archives that every tar reads, with an index
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Create(create::Create),
    Append(create::Append),
    List(list::Arguments),
    Extract(extract::Arguments),
    Cat(cat::Arguments),
    Verify(verify::Arguments),
    Index(index::Arguments),
}

/// Runs the command.
pub(crate) fn run(command: &Command) -> Result<ExitCode, Error> {
    let result = match command {
        Command::Create(arguments) => create::create(arguments),
        Command::Append(arguments) => create::append(arguments),
        Command::List(arguments) => list::run(arguments),
        Command::Extract(arguments) => extract::run(arguments),
        Command::Cat(arguments) => cat::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Index(arguments) => index::run(arguments),
    };
    match result {
        Err(error) if error.is_broken_pipe() => Ok(ExitCode::SUCCESS),
        result => result.map(|()| ExitCode::SUCCESS),
    }
}
