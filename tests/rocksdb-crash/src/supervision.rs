//! The parent's work while a writer runs.

use std::os::unix::process::ExitStatusExt;

use crate::child::{Event, Running};
use crate::error::Result;
use crate::report::Report;
use crate::round::{Kill, MAX_ACKNOWLEDGED, Round};
use crate::state::State;
use crate::summary::Blocks;

/// The number of SIGKILL.
const SIGKILL: i32 = 9;

/// Follows a writer's reports, kills it, and notes what it has acknowledged.
///
/// # Errors
///
/// Returns an error if the writer ended by itself, as it does when it finds the database wrong.
pub(crate) fn supervise(writer: Running, round: &Round, state: &mut State) -> Result<()> {
    let mut supervision = Supervision {
        writer,
        round,
        state,
        acknowledged: Vec::new(),
        total: 0,
        blocks: Blocks::default(),
    };
    supervision.kill_in_time()?;
    // What it reported before its death.
    supervision.follow(u32::MAX)?;
    let Supervision { writer, state, acknowledged, blocks, .. } = supervision;
    let status = writer.wait()?;
    if status.signal() != Some(SIGKILL) {
        return Err(format!("the writer found an error, or crashed: {status}").into());
    }
    state.summary.count_kill(round.kill);
    state.acknowledge(round, &acknowledged);
    state.summary.add(blocks);
    Ok(())
}

struct Supervision<'a> {
    writer: Running,
    round: &'a Round,
    state: &'a mut State,
    /// Operations that each thread has acknowledged; empty until the database is open.
    acknowledged: Vec<u32>,
    total: u32,
    blocks: Blocks,
}

impl Supervision<'_> {
    fn kill_in_time(&mut self) -> Result<()> {
        let (count, delay) = match self.round.kill {
            Kill::Started { delay } => (0, delay),
            Kill::Acknowledged { count, delay } => (count, delay),
            // The writer does it, if it gets there.
            Kill::Block { .. } => (MAX_ACKNOWLEDGED, std::time::Duration::ZERO),
        };
        if self.follow(count)? {
            std::thread::sleep(delay);
            self.writer.kill()?;
        }
        Ok(())
    }

    /// Takes reports until there have been `count` acknowledgements. Returns `false` if the writer
    /// ended before.
    fn follow(&mut self, count: u32) -> Result<bool> {
        while self.total < count {
            match self.writer.next()? {
                Event::Report(report) => self.take(report)?,
                Event::Ended => return Ok(false),
            }
        }
        Ok(true)
    }

    fn take(&mut self, report: Report) -> Result<()> {
        match report {
            Report::Opened { done } if self.acknowledged.is_empty() => {
                self.state.resolve(self.round.seed, &done)?;
                self.acknowledged = vec![0; self.round.threads as usize];
                Ok(())
            }
            Report::Acknowledged { thread, number } => {
                let next = self.acknowledged.get_mut(thread as usize);
                let next = next.filter(|next| **next == number);
                *next.ok_or("an acknowledgement out of order")? += 1;
                self.total += 1;
                Ok(())
            }
            Report::Blocks { accelerator, software } => {
                self.blocks = Blocks { accelerator, software };
                Ok(())
            }
            report => Err(format!("an unexpected report: {report}").into()),
        }
    }
}
