//! `uadk-compress`: archives, gzip, guest memory, a check of the accelerator, and benchmarks on
//! your own data.

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

/// The exit status for an invalid command line (`EX_USAGE` in `sysexits.h`); `doctor` uses 1 and 2.
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
    /// Compresses like gzip, on all CPUs or an accelerator; a symlink named gzip does the same
    Gzip(gzip::Gzip),
    /// Decompresses any gzip file, block gzip on all CPUs or an accelerator
    Gunzip(gzip::Gunzip),
    /// Decompresses to stdout
    Zcat(gzip::Zcat),
    /// Compresses to block gzip like bgzip, with an index, and extracts ranges
    Bgzip(gzip::Bgzip),
    Completions(manual::Completions),
    Man(manual::Man),
    MultifdProxy(multifd_proxy::Arguments),
    Pages(pages::Arguments),
}

fn main() -> ExitCode {
    // These command lines are not parsed by clap.
    if let Some(call) = gzip::Call::from_arguments(std::env::args_os()) {
        return call.run();
    }
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(arguments) = tar::gnu_arguments(&arguments) {
        return tar::run_gnu(arguments);
    }
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help is an "error" too. If it can't be printed, there is nowhere to report that.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let result = match arguments.command {
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Tar(command) => return tar::run(command),
        Command::Gzip(_) | Command::Gunzip(_) | Command::Zcat(_) | Command::Bgzip(_) => {
            Err(error::Error::refused("this command must be the first argument", None))
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
