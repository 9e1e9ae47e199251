//! What a child process is started for.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::error::Result;
use crate::files::Files;
use crate::round::Round;
use crate::sabotage::Sabotage;
use crate::{reader, writer};

/// What a child does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Writes until it is killed.
    Writer,
    /// Reads the database without our library.
    WithoutUs,
    /// Checks the database and rewrites all of it.
    Finish,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Writer => "writer",
            Self::WithoutUs => "reader without us",
            Self::Finish => "last reader",
        })
    }
}

/// The task of one child. It makes the same choices as its parent, from the seed and the round.
#[derive(Clone, Debug, Args)]
pub(crate) struct Task {
    #[arg(long)]
    pub(crate) role: Role,
    #[arg(long)]
    pub(crate) seed: u64,
    #[arg(long)]
    pub(crate) round: u32,
    #[arg(long)]
    pub(crate) sabotage: Option<Sabotage>,
}

/// A task, and where it is done.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    task: Task,
    #[arg(long)]
    dir: PathBuf,
}

impl Task {
    /// Returns the arguments with which this program performs the task.
    pub(crate) fn arguments(&self, dir: &Path) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["child".into(), "--dir".into(), dir.into()];
        let mut add =
            |flag: &str, value: String| arguments.extend([OsString::from(flag), value.into()]);
        add("--role", name(&self.role));
        add("--seed", self.seed.to_string());
        add("--round", self.round.to_string());
        if let Some(sabotage) = self.sabotage {
            add("--sabotage", name(&sabotage));
        }
        arguments
    }
}

/// Returns the name that the command line has for a value.
fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

impl Arguments {
    pub(crate) fn perform(&self) -> Result<()> {
        let Task { role, seed, round, sabotage } = self.task;
        let mut round = Round::new(seed, round);
        if let Some(sabotage) = sabotage {
            sabotage.adjust(&mut round.settings);
        }
        let files = Files::new(&self.dir);
        match role {
            Role::Writer => writer::run(&files, &round, sabotage),
            Role::WithoutUs => reader::without_us(&files, &round),
            Role::Finish => reader::finish(&files, &round),
        }
    }
}
