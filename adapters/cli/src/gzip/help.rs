//! The texts of `--help`, `--version` and `--license`.

use std::fmt::Write as _;
use std::process::ExitCode;

use super::getopt::Opt;
use super::options::Flag;
use super::program::Program;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Prints a text; the exit status is 1 if that fails.
pub(super) fn print(text: &str) -> ExitCode {
    match crate::error::print(text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

pub(super) fn version(program: Program) -> String {
    format!("{} (uadk-compress) {VERSION}\n", program.name())
}

pub(super) fn license(program: Program) -> String {
    format!("{}Licensed under Apache-2.0 or MIT, at your choice.\n", version(program))
}

pub(super) fn help(program: Program, table: &[Opt<Flag>]) -> String {
    let name = program.name();
    let does = match program {
        Program::Gzip => "Compress or uncompress FILEs (by default, compress FILES in-place).",
        Program::Gunzip => "Uncompress FILEs (by default, in-place).",
        Program::Zcat => "Uncompress FILEs to standard output.",
        Program::Bgzip => "Compress FILEs into block gzip, or uncompress them, in-place.",
    };
    let mut text = format!("Usage: {name} [OPTION]... [FILE]...\n{does}\n\n");
    for opt in table.iter().filter(|opt| !opt.help.is_empty()) {
        let mut left = String::from("  ");
        match opt.short.chars().next() {
            Some(letter) => write!(left, "-{letter}").unwrap_or_default(),
            None => left.push_str("  "),
        }
        if let Some(long) = opt.long.first() {
            left.push_str(if opt.short.is_empty() { "  " } else { ", " });
            write!(left, "--{long}").unwrap_or_default();
        }
        if let Some(value) = opt.value {
            write!(left, "={value}").unwrap_or_default();
        }
        writeln!(text, "{left:<26}  {}", opt.help).unwrap_or_default();
    }
    text.push_str("\nWith no FILE, or when FILE is -, read standard input.\n");
    text
}
