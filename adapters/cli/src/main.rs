//! `uadk-compress`: archives, gzip, what this machine offers for the accelerator, and what it gains
//! on your data.

mod bench;
mod descriptors;
mod doctor;
mod engines;
mod error;
mod gzip;
mod manual;
mod multifd_proxy;
mod output;
mod pages;
mod report;
mod signals;
mod size;
mod stats_line;
mod streams;
mod tar;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// A command line that can't be understood (`EX_USAGE` of `sysexits.h`): 1 and 2 are `doctor`'s.
const USAGE: u8 = 64;

/// Block compression on UADK accelerators, and in software everywhere else.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Doctor(doctor::Arguments),
    Bench(bench::Arguments),
    #[command(subcommand)]
    Tar(tar::Command),
    /// Compresses as gzip does, on all CPUs or an accelerator; a symlink named gzip does the same
    Gzip(gzip::Gzip),
    /// Decompresses any gzip file, block gzip on all CPUs or an accelerator
    Gunzip(gzip::Gunzip),
    /// Decompresses to stdout
    Zcat(gzip::Zcat),
    /// Compresses into block gzip as bgzip does, with an index, and gets parts of it
    Bgzip(gzip::Bgzip),
    Completions(manual::Completions),
    Man(manual::Man),
    MultifdProxy(multifd_proxy::Arguments),
    Pages(pages::Arguments),
}

fn main() -> ExitCode {
    // Their command lines are not clap's.
    if let Some(call) = gzip::Call::of(std::env::args_os()) {
        return call.run();
    }
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(arguments) = tar::gnu_arguments(&arguments) {
        return tar::run_gnu(arguments);
    }
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help is an "error" too. There is nowhere to say that it can't be printed.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let result = match arguments.command {
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Tar(command) => return tar::run(command),
        Command::Gzip(_) | Command::Gunzip(_) | Command::Zcat(_) | Command::Bgzip(_) => {
            Err(error::Error::refused("the command comes first", None))
        }
        Command::Completions(arguments) => manual::completions(&arguments, Arguments::command()),
        Command::Man(arguments) => manual::man(&arguments, Arguments::command()),
        Command::MultifdProxy(arguments) => multifd_proxy::run(&arguments),
        Command::Pages(arguments) => pages::run(&arguments),
    };
    result.unwrap_or_else(|error| {
        report::report(&error);
        error.exit_code()
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Arguments::command().debug_assert();
    }
}
