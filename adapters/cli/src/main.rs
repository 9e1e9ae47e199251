//! `uadk-compress`: archives, gzip, what this machine offers for the accelerator, and what it gains
//! on your data.

mod bench;
mod doctor;
mod engines;
mod error;
mod gzip;
mod manual;
mod multifd_proxy;
mod pages;
mod report;
mod size;
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
    Gzip(gzip::Gzip),
    Gunzip(gzip::Gunzip),
    Completions(manual::Completions),
    Man(manual::Man),
    MultifdProxy(multifd_proxy::Arguments),
    Pages(pages::Arguments),
}

fn main() -> ExitCode {
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
        Command::Gzip(arguments) => gzip::compress(&arguments),
        Command::Gunzip(arguments) => gzip::decompress(&arguments),
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
