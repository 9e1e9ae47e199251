//! A run: rounds of writing and killing, and the last check.

use std::fmt;

use crate::child::{Event, Running};
use crate::error::Result;
use crate::files::Files;
use crate::report::Report;
use crate::round::Round;
use crate::sabotage::Sabotage;
use crate::sst_dump;
use crate::state::State;
use crate::summary::{Blocks, Summary};
use crate::supervision::supervise;
use crate::task::{Role, Task};

/// What a run does.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) seed: u64,
    pub(crate) kills: u32,
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) files: Files,
}

/// The error that ended a run, and what is needed to see it again.
#[derive(Debug)]
pub(crate) struct Failure {
    reason: String,
    round: Round,
    files: Files,
    /// What the last child wrote to its standard error.
    messages: String,
}

impl Run {
    /// Runs all rounds, calling `progress` after each, and checks the database at the end.
    pub(crate) fn execute(
        &self,
        progress: impl Fn(&Summary),
    ) -> std::result::Result<Summary, Box<Failure>> {
        let mut state = State::default();
        for number in 0..self.kills {
            let round = Round::new(self.seed, number);
            self.round(&round, &mut state).map_err(|error| self.failure(&error, round))?;
            progress(&state.summary);
        }
        let round = Round::new(self.seed, self.kills);
        self.finish(&round, &mut state).map_err(|error| self.failure(&error, round))?;
        Ok(state.summary)
    }

    fn failure(&self, error: &dyn fmt::Display, round: Round) -> Box<Failure> {
        // Without the file, there are no messages.
        let messages = std::fs::read(self.files.messages()).unwrap_or_default();
        Box::new(Failure {
            reason: error.to_string(),
            round,
            files: self.files.clone(),
            messages: String::from_utf8_lossy(&messages).trim().to_owned(),
        })
    }

    fn round(&self, round: &Round, state: &mut State) -> Result<()> {
        if round.with_oracle && state.exists {
            self.read_without_us(round, state)?;
        }
        let writer = self.start(Role::Writer, round, state)?;
        supervise(writer, round, state)
    }

    fn start(&self, role: Role, round: &Round, state: &State) -> Result<Running> {
        state.expected.save(&self.files.expected())?;
        let task = Task { role, seed: self.seed, round: round.number, sabotage: self.sabotage };
        Running::start(&task, &self.files, round)
    }

    /// Has RocksDB without us read the database.
    fn read_without_us(&self, round: &Round, state: &mut State) -> Result<()> {
        let reader = self.start(Role::WithoutUs, round, state)?;
        complete(reader, |report| match report {
            // What it found is only a part: the next writer reports on all of it.
            Report::Opened { .. } => Ok(()),
            report => Err(unexpected(&report).into()),
        })?;
        state.summary.without_us += 1;
        Ok(())
    }

    /// Checks the database a last time: by us, by RocksDB without us, and each table file by
    /// another version of RocksDB.
    fn finish(&self, round: &Round, state: &mut State) -> Result<()> {
        let reader = self.start(Role::Finish, round, state)?;
        let mut tables = Vec::new();
        complete(reader, |report| {
            match report {
                Report::Opened { done } => state.resolve(round.seed, &done)?,
                Report::Table { path } => tables.push(path),
                Report::Blocks { accelerator, software } => {
                    state.summary.add(Blocks { accelerator, software });
                }
                report @ Report::Acknowledged { .. } => return Err(unexpected(&report).into()),
            }
            Ok(())
        })?;
        self.read_without_us(round, state)?;
        tables.iter().try_for_each(|table| sst_dump::verify(table))?;
        state.summary.tables = tables.len();
        Ok(())
    }
}

/// Follows a child that ends by itself.
fn complete(child: Running, mut handle: impl FnMut(Report) -> Result<()>) -> Result<()> {
    while let Event::Report(report) = child.next()? {
        handle(report)?;
    }
    let status = child.wait()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("the reader found an error, or crashed: {status}").into())
    }
}

fn unexpected(report: &Report) -> String {
    format!("an unexpected report: {report}")
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, round, files, messages } = self;
        writeln!(f, "{reason}")?;
        if !messages.is_empty() {
            writeln!(f, "{messages}")?;
        }
        writeln!(f, "seed {}, {round}", round.seed)?;
        writeln!(f, "the database is in {}", files.0.display())?;
        write!(f, "the same choices again: --seed {} --kills {}", round.seed, round.number + 1)
    }
}
