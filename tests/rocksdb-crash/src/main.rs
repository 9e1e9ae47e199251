//! Kills a program that writes to RocksDB through our compressors, again and again, and checks that
//! every acknowledged write is there and nothing else is. After RocksDB's `db_crashtest.py`.
//!
//! `make crash-test`, or `cargo run -p rocksdb-crash -- --help`

mod check;
mod child;
mod database;
mod death;
mod error;
mod expected;
mod family;
mod faults;
mod files;
#[path = "../../../examples/custom_codec/lz4.rs"]
mod lz4;
mod operations;
mod random;
mod reader;
mod record;
mod report;
mod round;
mod run;
mod sabotage;
mod self_test;
mod settings;
mod sst_dump;
mod state;
mod summary;
mod supervision;
mod task;
mod writer;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use error::Result;
use files::Files;
use round::Round;
use run::Run;
use sabotage::Sabotage;
use summary::Summary;

/// Kills a program that writes to RocksDB, and checks what it finds afterwards.
#[derive(Debug, Parser)]
struct Arguments {
    /// The seed of all choices
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often to kill the writer
    #[arg(long, default_value_t = 200)]
    kills: u32,
    /// Print the choices for each round and do nothing else
    #[arg(long)]
    list: bool,
    /// Check that errors made on purpose are found
    #[arg(long)]
    self_test: bool,
    /// Make an error on purpose, as the self-test does
    #[arg(long, hide = true)]
    sabotage: Option<Sabotage>,
    /// Create the database in this directory, which must not exist, and keep it [default: a
    /// temporary directory, kept if something is wrong]
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
    #[command(subcommand)]
    child: Option<Child>,
}

#[derive(Debug, Subcommand)]
enum Child {
    /// Started by the test itself
    #[command(hide = true)]
    Child(task::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    if let Some(Child::Child(task)) = &arguments.child {
        return task.perform();
    }
    if arguments.list {
        for number in 0..=arguments.kills {
            println!("{}", Round::new(arguments.seed, number));
        }
        return Ok(());
    }
    if arguments.self_test {
        return self_test::run(arguments.seed);
    }
    crash_test(arguments)
}

fn crash_test(arguments: &Arguments) -> Result<()> {
    let temporary = match &arguments.dir {
        Some(dir) => {
            std::fs::create_dir(dir)
                .map_err(|error| format!("{}: {error} (choose a new path)", dir.display()))?;
            None
        }
        None => Some(tempfile::Builder::new().prefix("rocksdb-crash-").tempdir()?),
    };
    let dir = temporary.as_ref().map(tempfile::TempDir::path).or(arguments.dir.as_deref());
    let files = Files::new(dir.ok_or("no directory")?);
    let Arguments { seed, kills, sabotage, .. } = *arguments;
    println!("seed {seed}, {kills} kills, in {}", files.0.display());
    let progress = |summary: &Summary| {
        if summary.kills().is_multiple_of(20) {
            println!("{summary}");
        }
    };
    match (Run { seed, kills, sabotage, files }).execute(progress) {
        Ok(summary) => {
            println!("{summary}\nevery acknowledged write was there, and nothing else");
            Ok(())
        }
        Err(failure) => {
            if let Some(dir) = temporary {
                let _ = dir.keep();
            }
            Err(failure.to_string().into())
        }
    }
}
