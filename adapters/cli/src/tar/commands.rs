//! The subcommands, converted to jobs.

mod cat;
mod create;
mod extract;
mod index;
mod list;
mod style;
mod verify;

use super::status::Status;
use crate::error::Error;

/// Writes and reads tar.gz archives that every tar reads, with an index
///
/// GNU tar's command lines work too: `uadk-compress tar czf a.tgz dir`, `tar -xf a.tgz -C there`,
/// `tar tvf a.tgz`; `uadk-compress tar -?` lists the options. A link named `tar` to this program
/// also works.
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

/// The names of the subcommands, which tell their command lines from GNU tar's.
pub(super) const NAMES: [&str; 8] =
    ["create", "append", "list", "extract", "cat", "verify", "index", "help"];

/// Runs the command.
pub(super) fn run(command: Command) -> Result<Status, Error> {
    match command {
        Command::Create(arguments) => super::create::run(&arguments.job()?),
        Command::Append(arguments) => super::create::run(&arguments.job()),
        Command::List(arguments) => super::list::run(arguments.job()),
        Command::Extract(arguments) => super::extract::run(arguments.job()),
        Command::Cat(arguments) => cat::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Index(arguments) => index::run(&arguments),
    }
}
