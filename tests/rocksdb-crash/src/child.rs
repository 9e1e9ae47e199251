//! The parent's view of a child process.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::error::Result;
use crate::files::Files;
use crate::report::Report;
use crate::round::Round;
use crate::task::Task;

/// A child that reports nothing for so long hangs.
const HANG_TIMEOUT: Duration = Duration::from_secs(300);

/// The variable with a script for the simulated device.
const SCRIPT: &str = "UADK_SIM_SCRIPT";

/// A running child.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    lines: Receiver<std::io::Result<String>>,
}

/// What came from a child.
#[derive(Debug)]
pub(crate) enum Event {
    Report(Report),
    /// The child has ended, and all it reported has been returned.
    Ended,
}

impl Running {
    /// Starts a child for a task of a round.
    pub(crate) fn start(task: &Task, files: &Files, round: &Round) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(task.arguments(&files.0)).stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(File::create(files.messages())?);
        if let Ok(script) = std::env::var(SCRIPT) {
            command.env(SCRIPT, round.faults(&script));
        }
        let mut child = command.spawn()?;
        let output = child.stdout.take().ok_or("the child has no output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                // Without a receiver, the run has failed already.
                let _ = sender.send(line);
            }
        });
        Ok(Self { child, lines })
    }

    /// Waits for the next report.
    pub(crate) fn next(&self) -> Result<Event> {
        match self.lines.recv_timeout(HANG_TIMEOUT) {
            Ok(line) => Ok(Event::Report(line?.parse()?)),
            Err(RecvTimeoutError::Timeout) => {
                Err(format!("the child hangs: no report in {HANG_TIMEOUT:?}").into())
            }
            Err(RecvTimeoutError::Disconnected) => Ok(Event::Ended),
        }
    }

    /// Sends SIGKILL. What the child has reported by then is still returned.
    pub(crate) fn kill(&mut self) -> Result<()> {
        Ok(self.child.kill()?)
    }

    /// Waits for the end of a child that has reported all.
    pub(crate) fn wait(mut self) -> Result<ExitStatus> {
        Ok(self.child.wait()?)
    }
}

impl Drop for Running {
    /// Leaves no child behind if the run fails.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
